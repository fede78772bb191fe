"""Tests of claims_assets (predictions)."""
