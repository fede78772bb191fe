"""Measurements of throughput, run by hand; nothing of it is in the package."""
