"""Tests of claims_assets (outreach)."""
