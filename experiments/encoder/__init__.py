"""A fine-tuned encoder blended with linear members: a work in progress (see README.md), not part of the package."""
