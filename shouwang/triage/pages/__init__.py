"""The pages of a watch: what people see of the queue, and how they act on it."""
