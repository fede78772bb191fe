"""One local workspace for the folder's tests, and runs whose steps it executes."""

import os
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg
import pytest

from claims_assets import definitions
from claims_assets.cli.remote import execute_launched
from claims_assets.settings import settings_from_environment
from claims_assets.synthetic import generate
from claims_assets_tests.databricks.one_month import MONTH, TOKEN, launched_environment
from claims_assets_tests.workspace.server import Workspace, serving

CLIENT, CLIENT_SECRET = "local-client", "local-secret"
SCOPE, KEY = "claims", "CLAIMS_PROVIDERS_URL"
PATIENCE = 60
"""Seconds that a test waits for something to happen."""


@dataclass
class Launched:
    """A finished run whose steps ran on the workspace."""

    success: bool
    events: list[dg.EventLogEntry]

    def of_type(self, kind: dg.DagsterEventType) -> list[dg.DagsterEvent]:
        found = [e.dagster_event for e in self.events if e.dagster_event]
        return [e for e in found if e.event_type == kind]

    @property
    def log(self) -> str:
        return "\n".join(e.user_message for e in self.events)

    @property
    def failures(self) -> list[str]:
        """The sentence of each failed step."""
        data = [e.step_failure_data for e in self.of_type(dg.DagsterEventType.STEP_FAILURE)]
        return [(d.user_failure_data.description or "") if d.user_failure_data else str(d.error) for d in data]


@dataclass
class Host:
    """A machine that launches steps: an instance, and the folders of the cluster."""

    workspace: Workspace
    environment: dict[str, str]
    home: Path
    landing: Path
    instance: dg.DagsterInstance = field(repr=False)

    def run(self, *assets: str) -> Launched:
        """Run assets, `schema/table` each."""
        run_id = str(uuid.uuid4())
        success = execute_launched(self.instance, [dg.AssetKey(a.split("/")) for a in assets], {}, run_id)
        return Launched(success, list(self.instance.all_logs(run_id)))


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A workspace that lets a token and a service principal in."""
    with serving(
        tmp_path_factory.mktemp("workspace"),
        tokens=[TOKEN],
        clients={CLIENT: CLIENT_SECRET},
        secrets={SCOPE: {KEY: "postgresql://reader:s3cret@127.0.0.1/none"}},
        warm=True,
    ) as workspace:
        yield workspace


@pytest.fixture(scope="package")  # its variables must not reach the tests of other folders
def host(workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """Runs in this process, their steps on the workspace."""
    home = tmp_path_factory.mktemp("host")
    landing = home / "landing"
    generate(landing, members=20, months=1, end=MONTH, seed=7)
    for path in (landing / "member_contacts").iterdir():
        path.unlink()
    environment = launched_environment(workspace, home / "cluster", landing)
    with pytest.MonkeyPatch.context() as patch, dg.instance_for_test() as instance:
        for name, value in environment.items():
            patch.setenv(name, value)
        patch.setattr(definitions, "defs", definitions.build(settings_from_environment()))
        yield Host(workspace, environment, home, landing, instance)


@pytest.fixture
def contacts(host: Host) -> Callable[[int], None]:
    """Land a file of so many contacts."""

    def land(rows: int) -> None:
        lines = [f"M{i},email,a{i}@example.org" for i in range(rows)]
        header = "member_id,channel,value"
        (host.landing / "member_contacts" / "contacts.csv").write_text("\n".join([header, *lines]) + "\n")

    return land


def until(happened: Callable[[], object]) -> None:
    """Wait for something; fail if it does not happen."""
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def without_settings() -> dict[str, str]:
    """This process's environment without ours and Databricks' variables."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("CLAIMS_", "DATABRICKS_", "ARM_", "DAGSTER_"))}
