"""From labelled posts to models."""
