"""Whom to contact, in which order, through which channel, and why."""
