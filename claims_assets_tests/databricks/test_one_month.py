"""One month of the whole graph on a local workspace: the same tables as a local run, and nothing secret left behind."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import dagster as dg
import pytest

from claims_assets.definitions import assets
from claims_assets_tests.databricks.conftest import until, without_settings
from claims_assets_tests.databricks.one_month import (
    MONTH,
    TOKEN,
    Month,
    differences,
    launched_environment,
    one_month,
)

pytestmark = pytest.mark.full
MEMBERS = 60


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Month]:
    with one_month(tmp_path_factory.mktemp("month"), MEMBERS, warm=True) as month:
        assert month.local.returncode == 0, month.local.stdout[-3000:] + month.local.stderr[-3000:]
        assert month.launched.returncode == 0, month.launched.stdout[-3000:] + month.launched.stderr[-3000:]
        yield month


@pytest.mark.timeout(600)
def test_every_table_equals_the_local_one(month):
    found = differences(month.local_lake, month.cluster_lake)
    assert len(found) > len([a for a in assets() if a.key.path[0] == "silver"])
    assert {name: n for name, n in found.items() if n} == {}


def test_every_step_ran_as_a_databricks_run_of_its_own(month):
    executable = [a for a in assets() if isinstance(a, dg.AssetsDefinition) and a.is_executable]
    assert len(month.steps) == len(executable)
    assert len({step.databricks_run for step in month.steps}) == len(month.steps)
    assert {month.workspace.runs.all[step.databricks_run].result for step in month.steps} == {"SUCCESS"}


def test_each_layer_ran_on_its_size(month):
    sizes = {}
    for step in month.steps:
        run = month.workspace.runs.all[step.databricks_run]
        schema = step.name.partition("__")[0]
        sizes.setdefault(schema, set()).add(run.task["new_cluster"]["custom_tags"]["compute"])
    assert sizes["bronze"] == sizes["silver"] == {"small"}
    assert sizes["models"] == {"large"}


@pytest.mark.requirement("R35")
def test_no_secret_is_kept_by_dagster_or_printed(month):
    """The token of the host, and the password of the provider database that only the cluster was given."""
    secrets = [TOKEN.encode(), (urlsplit(month.providers_url).password or "").encode()]
    assert all(secrets)
    kept = {p: p.read_bytes() for p in month.dagster_home.rglob("*") if p.is_file()}
    assert any(p.suffix == ".db" for p in kept)
    kept[Path("printed")] = (month.launched.stdout + month.launched.stderr).encode()
    kept |= {p: p.read_bytes() for p in (month.folder / "workspace" / "runs").rglob("output")}
    assert [p.name for p, content in kept.items() if any(s in content for s in secrets)] == []


def test_the_log_says_which_run_a_step_was(month):
    logged = b"".join(p.read_bytes() for p in month.dagster_home.rglob("*.db"))
    for step in month.steps:
        assert f"Waiting for Databricks run {step.databricks_run} to complete".encode() in logged
    assert f"{month.workspace.url}/?o=0#job/".encode() in logged


@pytest.mark.timeout(300)
def test_a_cluster_killed_while_it_writes_leaves_the_month_as_it_was(month):
    table = month.cluster_lake / "silver" / "medical_claims" / "_delta_log"
    before = sorted(p.name for p in table.iterdir())
    stage = month.cluster_lake / "_stage"
    known = set(month.workspace.runs.all)
    environment = without_settings() | launched_environment(
        month.workspace, month.folder / "cluster", month.folder / "landing"
    )
    command = [Path(sys.executable).with_name("claims"), "run", "--from", MONTH, "--to", MONTH]
    command += ["--select", 'key:"silver/medical_claims"']

    def kill_twice() -> None:
        for attempt in (1, 2):
            kept = set(stage.iterdir()) if stage.exists() else set()
            until(lambda kept=kept: stage.exists() and set(stage.iterdir()) - kept)
            month.workspace.runs.kill_clusters()
            until(lambda attempt=attempt: len(set(month.workspace.runs.all) - known) > attempt or attempt == 2)

    killer = threading.Thread(target=kill_twice)
    killer.start()
    done = subprocess.run(
        command,
        env=environment | {"CLAIMS_HOME": str(month.folder / "killed")},
        capture_output=True,
        text=True,
        check=False,
    )
    killer.join()
    assert done.returncode != 0
    assert "silver__medical_claims lost its cluster in 2 attempts" in done.stdout + done.stderr
    assert sorted(p.name for p in table.iterdir()) == before
    assert differences(month.local_lake, month.cluster_lake)["silver.medical_claims"] == 0
