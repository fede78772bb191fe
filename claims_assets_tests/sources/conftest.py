"""A PostgreSQL server for the tests that need a provider database, and a provider file to load."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from claims_assets.runtime.postgres import EmbeddedPostgres
from claims_assets_tests.sources.provider_rows import execute


@pytest.fixture(scope="module")
def open_home() -> Iterator[Path]:
    """A folder that a server of another user may enter; pytest's own are closed."""
    with tempfile.TemporaryDirectory(prefix="claims-test-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="package")
def server_url() -> Iterator[str]:
    folder = Path(tempfile.mkdtemp(prefix="claims-test-"))
    folder.chmod(0o755)
    server = EmbeddedPostgres(folder / "postgres", binaries="wheel")
    yield server.start()
    server.stop()
    shutil.rmtree(folder)


@pytest.fixture
def url(server_url: str) -> str:
    """A database without tables."""
    execute(server_url, "DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
    return server_url


@pytest.fixture
def csv(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "providers.csv"
        path.write_bytes(text.encode())
        return path

    return write
