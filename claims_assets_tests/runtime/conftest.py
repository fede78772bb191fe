"""Embedded PostgreSQL servers: one of each kind that tests share, and some of a test's own."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from claims_assets.runtime.postgres import EmbeddedPostgres
from claims_assets.runtime.postgres_programs import Binaries, system_folders
from claims_assets_tests.runtime.postgres_servers import OPEN

INSTALLED = bool(system_folders())
system = pytest.param(
    "system", marks=[pytest.mark.full, pytest.mark.skipif(not INSTALLED, reason="no PostgreSQL is installed here")]
)


@pytest.fixture(scope="package")
def open_folder() -> Iterator[Path]:
    """A folder that all users may pass through; pytest's own are closed."""
    with tempfile.TemporaryDirectory(prefix="claims-test-") as name:
        Path(name).chmod(OPEN)
        yield Path(name)


@pytest.fixture(scope="package")
def shared(open_folder: Path) -> Iterator[dict[str, EmbeddedPostgres]]:
    """One server of each kind, for all tests that leave it usable; its path is long and has all that shells dislike."""
    folder = open_folder / f"it's a $HOME {'long ' * 30}"
    kinds: tuple[Binaries, ...] = ("wheel", "system")
    servers = {kind: EmbeddedPostgres(folder / kind, binaries=kind) for kind in kinds}
    yield servers
    for server in servers.values():
        if server.is_running():
            server.stop()


@pytest.fixture(params=["wheel", system])
def either(request: pytest.FixtureRequest, shared: dict[str, EmbeddedPostgres]) -> EmbeddedPostgres:
    """A running server of each kind in turn, where the programs' version may matter."""
    shared[request.param].start()
    return shared[request.param]


@pytest.fixture
def server(shared: dict[str, EmbeddedPostgres]) -> EmbeddedPostgres:
    """A running server."""
    shared["wheel"].start()
    return shared["wheel"]


@pytest.fixture
def fresh(open_folder: Path, request: pytest.FixtureRequest) -> Iterator[EmbeddedPostgres]:
    """A server of this test's own, not started yet."""
    server = EmbeddedPostgres(open_folder / request.node.name, binaries="wheel")
    yield server
    if server.is_running():
        server.stop()
    shutil.rmtree(server.data_dir, ignore_errors=True)


@pytest.fixture
def in_closed_folder(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    """A server whose folder lies below one that only we may enter."""
    tmp_path.chmod(0o700)
    server = EmbeddedPostgres(tmp_path / "postgres", binaries="wheel")
    yield server
    server.stop()
    if (server.data_dir / "moved_to").exists():
        shutil.rmtree((server.data_dir / "moved_to").read_text())
