"""Tests of claims_assets (sources)."""
