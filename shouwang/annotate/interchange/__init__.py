"""Posts out to other annotation tools and their annotations back in: one file per tool."""
