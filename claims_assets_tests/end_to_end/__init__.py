"""Tests of claims_assets (end_to_end)."""
