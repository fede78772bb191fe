"""Tests of claims_assets (models)."""
