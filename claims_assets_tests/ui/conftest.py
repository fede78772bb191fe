"""One population, built without disturbance by the console, and a live UI on the same files."""

import datetime as dt
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from claims_assets.partitions import add_months, months_between
from claims_assets.synthetic import generate
from claims_assets_tests.console import claims
from claims_assets_tests.ui.contents import Content, contents
from claims_assets_tests.ui.live import Live
from claims_assets_tests.ui.monthly import monthless

MEMBERS, MONTHS = 300, 4


@dataclass(frozen=True)
class Undisturbed:
    """A home that `claims run` built in one go."""

    home: Path
    months: list[str]
    content: Content


@pytest.fixture(scope="session")
def homes() -> Iterator[Path]:
    """A folder that PostgreSQL may pass through, whoever it runs as; pytest's own are closed."""
    with tempfile.TemporaryDirectory(prefix="claims-ui-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o751)
        yield Path(name)


@pytest.fixture(scope="session")
def undisturbed(homes: Path) -> Undisturbed:
    """Four months up to the last complete one: a backfill reaches forward to this month and no further."""
    home = homes / "undisturbed"
    last = add_months(f"{dt.datetime.now(dt.UTC):%Y-%m}", -1)
    months = months_between(add_months(last, 1 - MONTHS), last)
    generate(home / "landing", members=MEMBERS, months=MONTHS, end=last)
    for command in (["providers", "load", str(home / "providers.csv")], ["run"]):
        done = claims(home, *command, CLAIMS_START_MONTH=months[0])
        assert done.returncode == 0, done.stderr[-3000:]
    return Undisturbed(home, months, contents(home / "lake"))


@pytest.fixture(scope="session")
def started(undisturbed: Undisturbed, homes: Path) -> Iterator[Live]:
    """A `claims ui` on a copy of the landing files and providers, and nothing built; for all tests of the session."""
    home = homes / "live"
    shutil.copytree(undisturbed.home / "landing", home / "landing")
    live = Live(home, undisturbed.months[0])
    try:
        loaded = live.command("providers", "load", str(undisturbed.home / "providers.csv"))
        assert loaded.returncode == 0, loaded.stderr[-3000:]
        yield live.start()
    finally:
        live.stop()


@pytest.fixture
def live(started: Live) -> Iterator[Live]:
    """The running UI over an empty lake; started again where the test before killed it."""
    started.ready()
    shutil.rmtree(started.lake, ignore_errors=True)
    yield started


@pytest.fixture
def landed(live: Live) -> Live:
    """The same, with the tables without months that landing files alone make, and all claims in the stage."""
    live.succeeded(live.run([*live.keys("landing", partitioned=False), *monthless()]))
    return live
