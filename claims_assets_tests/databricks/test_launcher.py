"""Steps on the local workspace, with the real launcher: what arrives, what is tried again, what is a clear failure."""

import os
import pickle
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import dagster as dg
import pytest

from claims_assets.runtime.databricks.clusters import RUNTIME_VERSION
from claims_assets.runtime.databricks.launcher import STAGING
from claims_assets_tests.databricks.conftest import until, without_settings
from claims_assets_tests.workspace.runs import Runs

STEP = "landing/member_contacts"
"""A step that needs one file and no engine."""
FAILING = "bronze/immunizations"
"""A step whose input is never built here."""


def new_runs(runs: Runs, known: set[int]):
    return [run for number, run in sorted(runs.all.items()) if number not in known]


@pytest.fixture
def since(workspace):
    """The runs that were submitted since the test began."""
    known = set(workspace.runs.all)
    yield lambda: new_runs(workspace.runs, known)
    workspace.faults.api.clear()
    workspace.faults.runs.clear()
    workspace.denied.clear()


def versions(host, table: str) -> int:
    """Commits of a table of the cluster's lake."""
    return len(list((host.home / "cluster" / "lake" / table / "_delta_log").glob("*.json")))


def test_a_step_runs_on_the_workspace_and_its_events_come_back(host, contacts, since):
    contacts(3)
    done = host.run(STEP)
    assert done.success, done.log
    [run] = since()
    assert run.result == "SUCCESS"
    assert f"Waiting for Databricks run {run.run_id}" in done.log
    [event] = done.of_type(dg.DagsterEventType.ASSET_MATERIALIZATION)
    assert event.materialization.metadata["dagster/row_count"].value == 3
    [check] = done.of_type(dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    assert check.asset_check_evaluation_data.passed
    assert versions(host, "landing/member_contacts") > 0


@pytest.mark.full
def test_the_submission_names_the_step_its_cluster_and_its_libraries(host, since):
    host.run(STEP)
    [run] = since()
    assert "landing__member_contacts" in run.asked["run_name"]
    assert run.asked["timeout_seconds"] == 14_400
    assert run.task["new_cluster"]["spark_version"] == RUNTIME_VERSION
    wanted = {x["pypi"]["package"].partition("==")[0] for x in run.task["libraries"]}
    assert {"dagster", "dagster-databricks", "pandera", "deltalake"} <= wanted
    assert not wanted & {"pyspark", "pysail", "delta-spark"}


@pytest.mark.full
def test_nothing_stays_on_dbfs(host, workspace, since):
    host.run(STEP)
    host.run(FAILING)
    assert len(since()) == 2
    assert list((workspace.dbfs.root / STAGING.lstrip("/")).iterdir()) == []


@pytest.mark.full
@pytest.mark.requirement("R35")
def test_what_is_sent_holds_no_credential(host, workspace, since, monkeypatch):
    sent: dict[str, bytes] = {}
    submit = workspace.runs.submit

    def keep(body):
        for path in (workspace.dbfs.root / STAGING.lstrip("/")).rglob("*"):
            if path.is_file():
                sent[path.name] = path.read_bytes()
        return submit(body)

    monkeypatch.setitem(workspace._answers, ("POST", "jobs/runs/submit"), keep)
    host.run(STEP)
    assert {"code.zip", "config.pkl", "step_run_ref.pkl"} <= sent.keys()
    assert not any(host.environment["DATABRICKS_TOKEN"].encode() in content for content in sent.values())
    config = pickle.loads(sent["config.pkl"])
    assert "CLAIMS_COMPUTE" not in config.env_variables
    kept = host.home / "code.zip"
    kept.write_bytes(sent["code.zip"])
    with zipfile.ZipFile(kept) as archive:
        assert all(n.startswith("claims_assets/") and not n.endswith((".pyc", ".env")) for n in archive.namelist())


@pytest.mark.full
def test_a_failing_step_says_on_the_host_what_it_said_there(host, since):
    done = host.run(FAILING)
    assert not done.success
    [told] = done.failures
    assert "landing.immunizations has never been written: materialize it first." in told
    assert "claims_assets/table.py" in told, "the trace names the file and line of the uploaded code"
    [run] = since()
    assert run.result == "SUCCESS", "the service sees a run that did its work; the step's event tells how it ended"


@pytest.mark.full
def test_a_step_whose_cluster_is_lost_is_tried_again(host, workspace, since):
    workspace.faults.add({"kind": "death", "seconds": 0.3})
    done = host.run(STEP)
    assert done.success, done.failures
    assert [run.result for run in since()] == ["FAILED", "SUCCESS"]
    assert len(done.of_type(dg.DagsterEventType.STEP_UP_FOR_RETRY)) == 1


@pytest.mark.full
def test_a_cluster_lost_again_is_one_clear_failure_and_the_table_stays(host, workspace, contacts, since):
    contacts(4)
    host.run(STEP)
    before = versions(host, "landing/member_contacts")
    contacts(5)
    workspace.faults.add({"kind": "death", "seconds": 0.3, "times": 2})
    done = host.run(STEP)
    assert [run.result for run in since()] == ["SUCCESS", "FAILED", "FAILED"]
    [sentence] = done.failures
    assert sentence.startswith("landing__member_contacts lost its cluster in 2 attempts, the last in Databricks run")
    assert "materialize the step again, or raise CLAIMS_CLUSTER_RETRIES" in sentence
    assert versions(host, "landing/member_contacts") == before


@pytest.mark.full
def test_a_run_whose_events_are_lost_is_a_clear_failure(host, workspace, since):
    # The events are read while the step runs, too; a service that is slow to show them loses them all at the end.
    workspace.faults.add({"kind": "no_events"})
    workspace.faults.add({"path": "dbfs/read", "status": 404, "code": "RESOURCE_DOES_NOT_EXIST", "times": 10_000})
    done = host.run(STEP)
    [sentence] = done.failures
    assert "succeeded, but its events are not on DBFS under /dagster_staging" in sentence
    assert len(since()) == 1, "the step has done its work: it is not run again by itself"


@pytest.mark.full
def test_libraries_that_cannot_be_installed_fail_at_once(host, workspace, since, monkeypatch):
    submit = workspace.runs.submit

    def spoil(body):
        body["tasks"][0]["libraries"].append({"pypi": {"package": "no-such-library==1.0"}})
        return submit(body)

    monkeypatch.setitem(workspace._answers, ("POST", "jobs/runs/submit"), spoil)
    done = host.run(STEP)
    [sentence] = done.failures
    assert "failed: Library installation failed" in sentence and "no-such-library==1.0" in sentence
    assert len(since()) == 1


@pytest.mark.full
@pytest.mark.parametrize(
    "fault",
    [
        {"path": "jobs/runs/get", "status": 500},
        {"path": "dbfs/read", "status": 500},
        {"path": "dbfs/add-block", "status": 500},
        {"path": "jobs/runs/get", "status": 429, "code": "REQUEST_LIMIT_EXCEEDED", "message": "Too many requests."},
        {"path": "jobs/runs/get", "seconds": 1.0},
    ],
    ids=lambda f: f"{f['path']}-{f.get('status', 'late')}",
)
def test_a_service_that_stumbles_stops_no_step(host, workspace, since, fault):
    workspace.faults.add({**fault, "times": 2})
    done = host.run(STEP)
    assert done.success, done.failures
    assert len(since()) == 1


@pytest.mark.full
def test_a_submission_whose_answer_is_lost_makes_one_run(host, workspace, since):
    workspace.faults.add({"path": "jobs/runs/submit", "status": 500, "after": True})
    assert host.run(STEP).success
    assert len(since()) == 1


@pytest.mark.full
def test_a_refused_submission_is_one_sentence(host, workspace, since):
    workspace.denied["jobs/runs/submit"] = "You are not authorized to create clusters."
    done = host.run(STEP)
    [sentence] = done.failures
    assert "does not permit this to the user signed in by DATABRICKS_TOKEN (You are not authorized" in sentence
    assert not since()


@pytest.mark.full
def test_a_sign_in_that_expires_during_the_step_is_one_sentence(host, workspace, since):
    workspace.faults.add(
        {"path": "jobs/runs/get", "status": 403, "code": "403", "message": "JWT has expired", "times": 50}
    )
    done = host.run(STEP)
    [sentence] = done.failures
    assert "refused to sign in: the token has expired; renew DATABRICKS_TOKEN and start the run again" in sentence
    until(lambda: since()[0].done.is_set())


@pytest.mark.full
def test_ending_the_dagster_run_ends_the_run_on_the_workspace(host, workspace, since):
    command = [Path(sys.executable).with_name("claims"), "run", "--select", 'key:"landing/member_contacts"']
    environment = without_settings() | host.environment | {"CLAIMS_HOME": str(host.home / "ended")}
    workspace.runs.start_seconds = 30
    try:
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as ours:
            until(since)
            ours.send_signal(signal.SIGINT)
            ours.communicate(timeout=60)
        [run] = since()
        until(run.done.is_set)
        assert run.result == "CANCELED"
        assert ours.returncode != 0
    finally:
        workspace.runs.start_seconds = 0


@pytest.mark.full
def test_cancelling_kills_the_process_of_the_task(host, workspace, since):
    command = [Path(sys.executable).with_name("claims"), "run", "--select", 'key:"landing/member_contacts"']
    environment = without_settings() | host.environment | {"CLAIMS_HOME": str(host.home / "killed")}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as ours:
        until(lambda: since() and since()[0].process and since()[0].process.began.is_set())
        ours.send_signal(signal.SIGINT)
        ours.communicate(timeout=60)
    [run] = since()
    until(run.done.is_set)
    with pytest.raises(ProcessLookupError):
        os.killpg(run.process.pid, 0)


@pytest.mark.full
def test_known_loss_the_cluster_sees_no_history(host, contacts):
    """Provenance of a launched step is unknown, so Dagster can't call a table stale; docs/databricks.md tells it."""
    contacts(3)
    host.run(STEP)
    done = host.run("bronze/member_contacts")
    assert done.success, done.failures
    [event] = done.of_type(dg.DagsterEventType.ASSET_MATERIALIZATION)
    tags = event.materialization.tags or {}
    assert tags["dagster/input_event_pointer/landing/member_contacts"] == "NULL"
