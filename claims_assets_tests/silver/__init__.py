"""Tests of claims_assets (silver)."""
