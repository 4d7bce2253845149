"""New training posts from those there are: augmenters make, a plan decides how many, filters refuse, nothing leaks."""
