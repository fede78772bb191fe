"""The console script `claims`."""
