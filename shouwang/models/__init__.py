"""What turns a text into probabilities: the built-in model, baselines, and how each is loaded."""
