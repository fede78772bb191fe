"""Tests of claims_assets (automation, alerts)."""
