"""Tests of claims_assets (runtime)."""
