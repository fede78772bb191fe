"""Tests of the synthetic population."""
