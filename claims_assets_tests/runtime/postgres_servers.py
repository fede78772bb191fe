"""What the tests of the embedded PostgreSQL ask of a server, of its folder, and of this machine."""

import os
from pathlib import Path

import pytest

import claims_assets
from claims_assets.runtime.postgres import EmbeddedPostgres

PROJECT = Path(claims_assets.__file__).parents[1]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root must hand the server to another user")
NOBODY = 65534
OPEN = 0o751


def ask(url: str, query: str) -> str:
    from adbc_driver_postgresql import dbapi

    with dbapi.connect(url, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        found = cursor.fetchone()
    return found[0] if found else ""


def cluster_of(server: EmbeddedPostgres) -> Path:
    """PostgreSQL's own folder, unless the data had to live elsewhere."""
    return server.data_dir / "cluster"


def pid_of(server: EmbeddedPostgres) -> int:
    return int((cluster_of(server) / "postmaster.pid").read_text().splitlines()[0])


def password_of(server: EmbeddedPostgres) -> str:
    return (server.data_dir / "password").read_text()


def modes(folder: Path) -> dict[Path, int]:
    return {parent: parent.stat().st_mode for parent in [folder, *folder.parents]}
