"""Data sets by name: where they come from, how they are fetched, read, split and audited."""
