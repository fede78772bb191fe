"""`make databricks-local`: one month of the whole graph, every step on a local workspace, compared with a local run.

Both runs are `claims run` in a process of its own; they differ in environment variables alone. The provider database's
URL, with its password, reaches the cluster through a secret scope only.
"""

import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import click
import dagster as dg

from claims_assets.settings import settings_from_environment
from claims_assets.sources.provider_database import load_csv
from claims_assets.sources.provider_server import provider_database
from claims_assets.synthetic import generate
from claims_assets_tests.console import claims
from claims_assets_tests.parity.compare import compare
from claims_assets_tests.workspace.server import Workspace, serving

MONTH = "2025-11"
TOKEN, SCOPE = "dapi-local", "claims"
WAITING = re.compile(r"Waiting for Databricks run (\d+)")


@dataclass
class Step:
    """One step of the launched run."""

    name: str
    databricks_run: int
    seconds: float
    """From submission to the end, as the host saw it."""
    inside: float
    """Of it, the step itself, as its own process saw it."""


@dataclass
class Month:
    """Both runs of one month."""

    folder: Path
    providers_url: str
    workspace: Workspace
    local: subprocess.CompletedProcess[str]
    launched: subprocess.CompletedProcess[str]
    seconds: float
    """Of the launched run."""
    steps: list[Step] = field(default_factory=list)

    @property
    def local_lake(self) -> Path:
        return self.folder / "local" / "lake"

    @property
    def cluster_lake(self) -> Path:
        return self.folder / "cluster" / "lake"

    @property
    def dagster_home(self) -> Path:
        return self.folder / "host" / "dagster"


def launched_environment(
    workspace: Workspace, cluster_home: Path, landing: Path, engine: str = "sail"
) -> dict[str, str]:
    """What makes a run use the workspace."""
    return {
        "CLAIMS_COMPUTE": "databricks",
        "DATABRICKS_HOST": workspace.url,
        "DATABRICKS_TOKEN": TOKEN,
        "CLAIMS_CLUSTER_HOME": str(cluster_home),
        "CLAIMS_CLUSTER_LANDING": str(landing),
        "CLAIMS_CLUSTER_ENGINE": engine,
        "CLAIMS_POLL_SECONDS": "0.1",
    }


@contextmanager
def one_month(
    folder: Path, members: int, *, warm: bool, engine: str = "sail", jars: Path | None = None
) -> Iterator[Month]:
    """Generate a month, run it locally and on a workspace; the workspace lives as long as the block."""
    landing = folder / "landing"
    generate(landing, members=members, months=1, end=MONTH, seed=7)
    months = ("run", "--from", MONTH, "--to", MONTH)
    with tempfile.TemporaryDirectory(prefix="claims-database-") as database, provider_server(Path(database)) as url:
        load_csv(url, folder / "providers.csv")
        with serving(
            folder / "workspace",
            tokens=[TOKEN],
            secrets={SCOPE: {"CLAIMS_PROVIDERS_URL": url}},
            warm=warm,
            spark_conf=None if jars is None else delta_conf(jars),
        ) as workspace:
            local = claims(folder / "local", *months, CLAIMS_LANDING=str(landing), CLAIMS_PROVIDERS_URL=url)
            environment = launched_environment(workspace, folder / "cluster", landing, engine)
            secret = {"CLAIMS_SECRET_SCOPE": SCOPE, "CLAIMS_SECRETS": "CLAIMS_PROVIDERS_URL"}
            started = time.monotonic()
            launched = claims(folder / "host", *months, **environment, **secret)
            seconds = time.monotonic() - started
            month = Month(folder, url, workspace, local, launched, seconds)
            month.steps = steps_of(month.dagster_home)
            yield month


@contextmanager
def provider_server(folder: Path) -> Iterator[str]:
    """The URL of an embedded PostgreSQL server; under root it runs as another user, who must be able to enter."""
    folder.chmod(0o755)
    with provider_database(settings_from_environment({"CLAIMS_HOME": str(folder)})) as url:
        yield url


def delta_conf(jars: Path) -> dict[str, str]:
    """What makes a classic Spark session read and write Delta, as a cluster's does."""
    return {
        "spark.jars": ",".join(sorted(str(p) for p in jars.glob("*.jar"))),
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.sql.shuffle.partitions": "2",
        "spark.databricks.delta.snapshotPartitions": "1",
    }


def steps_of(dagster_home: Path) -> list[Step]:
    """The steps of all runs of an instance, in order, with the Databricks run of each from the event log."""
    found: dict[str, Step] = {}
    with dg.DagsterInstance.from_config(str(dagster_home)) as instance:
        for run in sorted(instance.get_run_records(), key=lambda r: r.create_timestamp):
            submitted: dict[str, float] = {}
            for entry in instance.all_logs(run.dagster_run.run_id):
                event, name = entry.dagster_event, entry.step_key or ""
                waiting = WAITING.search(entry.user_message)
                if waiting and name:
                    submitted[name] = entry.timestamp
                    found[name] = Step(name, int(waiting[1]), 0.0, 0.0)
                if event and event.is_step_success and name in found:
                    found[name].seconds = entry.timestamp - submitted[name]
                    found[name].inside = event.step_success_data.duration_ms / 1000
    return list(found.values())


def differences(one: Path, other: Path) -> dict[str, int]:
    """Table -> ways in which two lakes differ in it, beside the columns that say who did something when."""
    return {compared.table: len(compared.differences) for compared in compare(one, other)}


@click.command()
@click.option("--members", default=300, show_default=True)
@click.option("--warm/--cold", default=True, help="Tasks are forked from a process with the libraries, or start anew.")
@click.option("--engine", type=click.Choice(["sail", "spark"]), default="sail", show_default=True)
@click.option("--jars", type=click.Path(path_type=Path), help="Folder of the Delta jars, for --engine spark.")
def main(members: int, warm: bool, engine: str, jars: Path | None) -> None:
    """Run one month locally and on a local Databricks workspace, and compare every table."""
    with (
        tempfile.TemporaryDirectory(prefix="claims-databricks-") as folder,
        one_month(Path(folder), members, warm=warm, engine=engine, jars=jars) as month,
    ):
        for done in (month.local, month.launched):
            if done.returncode:
                sys.exit(done.stdout[-3000:] + done.stderr[-3000:])
        for step in month.steps:
            click.echo(f"Databricks run {step.databricks_run}  {step.name:<46} {step.seconds:5.1f} s")
        overhead = sum(s.seconds - s.inside for s in month.steps) / len(month.steps)
        click.echo(f"{len(month.steps)} steps in {month.seconds:.0f} s; {overhead:.1f} s a step beside its own work")
        differing = {name: n for name, n in differences(month.local_lake, month.cluster_lake).items() if n}
        if differing:
            sys.exit(f"different: {differing}")
        click.echo(f"equal: {len(differences(month.local_lake, month.cluster_lake))} tables")


if __name__ == "__main__":
    main()
