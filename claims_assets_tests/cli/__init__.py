"""Tests of claims_assets (cli)."""
