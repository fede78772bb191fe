"""The provider database of the settings: a configured URL, or the embedded server for as long as it is needed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from claims_assets.runtime.postgres import EmbeddedPostgres
from claims_assets.settings import Settings


@contextmanager
def provider_database(settings: Settings) -> Iterator[str]:
    """The URL to reach it by; starts the embedded server where no URL is set, and stops it if it was started here."""
    with embedded_or(settings.providers_url, settings.postgres) as url:
        yield url


@contextmanager
def embedded_or(url: str | None, data_dir: Path) -> Iterator[str]:
    """`url`, or the URL of the embedded server on `data_dir` while the block runs."""
    if url:
        yield url
        return
    server = EmbeddedPostgres(data_dir)
    was_running = server.is_running()
    try:
        yield server.start()
    finally:
        if not was_running:
            server.stop()
