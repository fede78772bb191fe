"""Tests of claims_assets; folders mirror the package."""
