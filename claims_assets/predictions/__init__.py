"""Scores by member and as-of month."""
