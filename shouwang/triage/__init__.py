"""From assessments to people: which posts to look at first."""
