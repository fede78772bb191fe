"""One small demo and one foreign extract, each run once as a user runs it, for all tests of this folder."""

import fcntl
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
from deltalake import DeltaTable

from claims_assets.synthetic import generate
from claims_assets_tests.console import claims

MEMBERS, MONTHS, END = 300, 44, "2025-12"
"""Months: a training needs 42, a year of history and twice the fifteen months until an outcome is known."""
EXTRACT_MEMBERS, EXTRACT_MONTHS, EXTRACT_START, EXTRACT_END = 150, 24, "2008-01", "2009-12"


@dataclass(frozen=True)
class Demo:
    """A finished `claims demo`: its home, and what it printed."""

    home: Path
    printed: str

    @property
    def lake(self) -> Path:
        return self.home / "lake"

    @property
    def landing(self) -> Path:
        return self.home / "landing"


def demo_arguments() -> list[str]:
    return ["demo", "--members", str(MEMBERS), "--months", str(MONTHS), "--end", END]


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """A copy of the one demo that all test processes share, because some tests run on in it."""
    own = tmp_path_factory.mktemp("demo")
    shared = own.parent.parent if os.environ.get("PYTEST_XDIST_WORKER") else own.parent
    printed = shared / "demo.txt"
    with (shared / "demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not printed.exists():
            done = claims(shared / "demo", *demo_arguments())
            assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
            printed.write_text(done.stdout + done.stderr)
        # Not by Python: the provider database belongs to another user.
        subprocess.run(["cp", "-a", f"{shared}/demo/.", own], check=True)
    return Demo(own, printed.read_text())


@pytest.fixture(scope="session")
def extract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a finished run over a foreign extract, read by its YAML mappings alone."""
    home = tmp_path_factory.mktemp("third_party")
    generate(home / "landing", members=EXTRACT_MEMBERS, months=EXTRACT_MONTHS, end=EXTRACT_END, profile="third_party")
    done = claims(home, "run", CLAIMS_START_MONTH=EXTRACT_START)
    assert done.returncode == 0, done.stderr[-3000:]
    assert f"Claim months {EXTRACT_START} to {EXTRACT_END} ({EXTRACT_MONTHS})" in done.stdout
    return home


@contextmanager
def connected(lake: Path) -> Iterator[Callable[[str], list[tuple[Any, ...]]]]:
    """DuckDB over a lake's tables under their SQL names, independent of the engine that wrote them."""
    with duckdb.connect() as db:
        for log in sorted(lake.glob("*/*/_delta_log")):
            schema, name = log.parent.parent.name, log.parent.name
            db.execute(f"create schema if not exists {schema}")
            db.register(f"_{schema}_{name}", DeltaTable(str(log.parent)).to_pyarrow_dataset())
            db.execute(f"create view {schema}.{name} as select * from _{schema}_{name}")
        yield lambda text: db.execute(text).fetchall()


@pytest.fixture
def sql(demo: Demo):
    """Queries over the demo's lake."""
    with connected(demo.lake) as query:
        yield query
