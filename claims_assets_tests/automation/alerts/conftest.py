"""Receivers on the loopback interface."""

import pytest

from claims_assets_tests.automation.alerts.receivers import Post, Web, receiving, serving


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    """A proxy of this machine can't reach a server of this process."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")


@pytest.fixture
def web():
    with serving(Web()) as server:
        yield server


@pytest.fixture
def post():
    with receiving(Post()) as server:
        yield server
