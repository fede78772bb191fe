"""Tests of claims_assets (features)."""
