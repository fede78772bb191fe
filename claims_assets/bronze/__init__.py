"""Typed rows exactly as they came, one table a feed, plus the links between claim versions."""
