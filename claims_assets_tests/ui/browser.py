"""A real Chromium: found on the path, driven by Playwright, at the size of a README picture."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
"""Programs that will do, in the order in which they are tried; `.ci/run` installs Debian's `chromium`."""
SIZE = {"width": 1280, "height": 760}
QUIET = (
    "--no-sandbox",  # refused to root otherwise, as in a CI container
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
SECONDS = 1000
PATIENCE = 120 * SECONDS
"""Milliseconds for one thing to appear: on a crowded machine the page itself takes long."""


@contextmanager
def browsing() -> Iterator:
    """A page of a fresh browser; the test is skipped where there is none."""
    program = next((found for name in NAMES if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip(f"No browser on the path ({', '.join(NAMES)}): the pages of the UI are not looked at.")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(QUIET))
        try:
            page = browser.new_context(viewport=SIZE, device_scale_factor=1.5, reduced_motion="reduce").new_page()
            page.set_default_timeout(PATIENCE)
            yield page
        finally:
            browser.close()
