"""Both engines give the same tables."""
