"""Tests of claims_assets (bronze)."""
