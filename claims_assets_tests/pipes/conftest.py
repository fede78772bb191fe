"""A landing folder, and runs of some assets of the whole graph with every step in another process, or in this one."""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest

from claims_assets.definitions import build
from claims_assets.runtime.pipes import PipesCompute
from claims_assets.runtime.pipes_entry import RANGE
from claims_assets.settings import settings_from_environment
from claims_assets.synthetic import generate

FIRST, LAST = "2024-01", "2024-03"
SIZES = ("small_compute", "medium_compute", "large_compute")


@dataclass
class Home:
    """A lake, and the environment of the processes that work on it."""

    folder: Path
    environment: dict[str, str]
    instance: dg.DagsterInstance

    def run(self, *assets: str, months: tuple[str, str] = (FIRST, LAST), **resources) -> dg.ExecuteInProcessResult:
        """One run of some assets, `schema/table` each."""
        tags = dict(zip(RANGE, months, strict=True))
        definitions = build(settings_from_environment(self.environment), **resources)
        return definitions.resolve_implicit_global_asset_job_def().execute_in_process(
            instance=self.instance,
            asset_selection=[dg.AssetKey(a.split("/")) for a in assets],
            tags=tags,
            raise_on_error=False,
        )

    def elsewhere(self) -> dict[str, PipesCompute]:
        """Every step in a new process of this machine."""
        client = dg.PipesSubprocessClient(env=self.environment)

        def submit(context, extras):
            command = [sys.executable, "-m", "claims_assets.runtime.pipes_entry"]
            return client.run(context=context, extras=extras, command=command)

        return dict.fromkeys(SIZES, PipesCompute(submit))


def home(folder: Path, landing: Path, instance: dg.DagsterInstance) -> Home:
    """A new lake under `folder` for these landing files."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("CLAIMS_", "DAGSTER_HOME"))}
    ours = {"CLAIMS_HOME": str(folder), "CLAIMS_LANDING": str(landing), "CLAIMS_MEMORY_LIMIT": "500MB"}
    return Home(folder, kept | ours, instance)


@pytest.fixture(scope="session")
def landing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of a small plan."""
    folder = tmp_path_factory.mktemp("pipes") / "landing"
    generate(folder, members=30, months=3, end=LAST, seed=7)
    return folder


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance
