"""Tests of claims_assets (monitoring)."""
