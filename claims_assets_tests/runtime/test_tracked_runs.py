"""MLflow runs through dagster-mlflow: one a training, closed whatever happens, and nothing of MLflow's own is moved."""

import os
import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import dagster as dg
import dagster_mlflow.resources
import mlflow
import pytest
from dagster import DagsterExecutionInterruptedError
from mlflow import MlflowClient
from mlflow.tracking import fluent

from claims_assets.runtime import tracked_runs
from claims_assets.runtime.code_version import code_version
from claims_assets.runtime.tracking import EXPERIMENT, Tracking
from claims_assets_tests.models.registry import empty_registry

TWO_PROGRAMS = """
import sys
from claims_assets.runtime.tracking import Tracking
with Tracking(uri=sys.argv[1]).run(sys.argv[2], {"dagster_run_id": "shared"}) as run:
    print("open", flush=True)
    sys.stdin.readline()
    run.log({"program": sys.argv[2]}, {}, {})
"""
"""Opens a run, waits for a word, and writes into it."""
INTERRUPTED = """
import signal, sys
from dagster._utils.interrupts import capture_interrupts, raise_interrupts_as
from dagster import DagsterExecutionInterruptedError
from claims_assets.runtime.tracking import Tracking
with capture_interrupts(), raise_interrupts_as(DagsterExecutionInterruptedError):
    with Tracking(uri=sys.argv[1]).run("interrupted", {}) as run:
        print(run.run_id, flush=True)
        signal.pause()
"""
ENDED_AT_EXIT = """
import atexit, sys, mlflow
from mlflow.tracking import fluent
from claims_assets.runtime.tracking import Tracking
if sys.argv[3] == "asked":
    atexit.unregister(fluent._safe_end_run)
    atexit.register(mlflow.end_run)
mlflow.set_tracking_uri(sys.argv[2])
mlflow.start_run()
with Tracking(uri=sys.argv[1]).run("ours", {}):
    pass
"""
"""Leaves a run of its own to be ended when the program ends, by MLflow itself or because it asked for that."""


@pytest.fixture
def tracking(tmp_path: Path, tmp_path_factory) -> Tracking:
    return empty_registry(tmp_path / "mlflow", tmp_path_factory)


@pytest.fixture
def foreign(tmp_path: Path, tmp_path_factory, monkeypatch):
    """Somebody else's MLflow: server, experiment and run chosen for the process, the run still open."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", empty_registry(tmp_path / "foreign", tmp_path_factory).uri)
    mlflow.create_experiment("theirs", artifact_location=(tmp_path / "foreign" / "files").as_uri())
    mlflow.set_experiment("theirs")
    run = mlflow.start_run(run_name="theirs")
    yield run
    mlflow.end_run()
    fluent._active_experiment_id = None
    os.environ.pop("MLFLOW_EXPERIMENT_ID", None)


def client(tracking):
    return MlflowClient(tracking.uri, tracking.uri)


def stored(tracking):
    """Runs of the store, oldest first."""
    mlflow_client = client(tracking)
    ids = [e.experiment_id for e in mlflow_client.search_experiments()]
    return mlflow_client.search_runs(ids, order_by=["attributes.start_time ASC"])


def own_tags(run):
    return {k: v for k, v in run.data.tags.items() if not k.startswith("mlflow.")}


def state():
    """What MLflow holds for the process and this thread."""
    return {
        "uri": mlflow.get_tracking_uri(),
        "experiment": fluent._active_experiment_id,
        "active": [r.info.run_id for r in fluent._active_run_stack.get()],
        "last": fluent._last_active_run_id.get(),
        "environ": {k: v for k, v in os.environ.items() if k.startswith("MLFLOW")},
    }


def test_the_run_is_opened_and_written_by_dagster_mlflow(tracking):
    with tracking.run("one", {"dagster_run_id": "d1"}) as run:
        assert isinstance(run.resource, dagster_mlflow.resources.MlFlow)
        assert run.resource.mlflow_run_id == run.run_id
        assert run.resource.experiment_name == EXPERIMENT


def test_every_run_says_that_it_is_under_governance_who_asked_and_what_was_read(tracking):
    inputs = {"gold.risk_training_rows": 12, "gold.member_features": 0}
    with tracking.run("er 2025-06", {"dagster_run_id": "d1", "as_of_month": "2025-06"}, inputs):
        pass
    (found,) = stored(tracking)
    assert found.info.run_name == "er 2025-06"
    assert own_tags(found) == {
        "healthcare_compliance": "true",
        "code_version": code_version(),
        "dagster_run_id": "d1",
        "process": f"{socket.gethostname()}:{os.getpid()}",
        "as_of_month": "2025-06",
        "delta_version.gold.risk_training_rows": "12",
        "delta_version.gold.member_features": "0",
    }


def test_models_of_one_dagster_run_have_a_run_each(tracking):
    for model in ("er", "high_cost"):
        with tracking.run(model, {"dagster_run_id": "the same"}) as run:
            run.log({"model": model}, {"test_auc": 0.8}, {})
    found = stored(tracking)
    assert [r.data.params["model"] for r in found] == ["er", "high_cost"]
    assert [r.info.status for r in found] == ["FINISHED", "FINISHED"]
    assert {r.data.tags["dagster_run_id"] for r in found} == {"the same"}


def test_in_a_dagster_run_of_several_steps_each_step_has_a_closed_run(tracking):
    """dagster-mlflow alone would give both steps one run, and leave it open."""

    @dg.op(required_resource_keys={"tracking"})
    def train_one(context):
        with context.resources.tracking.run("one", {"dagster_run_id": context.run_id}) as run:
            run.log({"step": "one"}, {}, {})
        return 1

    @dg.op(required_resource_keys={"tracking"})
    def train_other(context, one):
        with context.resources.tracking.run("other", {"dagster_run_id": context.run_id}) as run:
            run.log({"step": "other"}, {}, {})

    @dg.job(resource_defs={"tracking": tracking})
    def both():
        train_other(train_one())

    runs = [both.execute_in_process().run_id for _ in range(2)]
    found = stored(tracking)
    assert [(r.data.params["step"], r.info.status) for r in found] == [("one", "FINISHED"), ("other", "FINISHED")] * 2
    assert [r.data.tags["dagster_run_id"] for r in found] == [runs[0], runs[0], runs[1], runs[1]]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ValueError, "FAILED"),
        (dg.Failure, "FAILED"),
        (KeyboardInterrupt, "KILLED"),
        (DagsterExecutionInterruptedError, "KILLED"),
        (SystemExit, "KILLED"),
    ],
)
def test_a_run_is_closed_whatever_ends_its_block_and_the_next_is_not_touched(tracking, error, status):
    with pytest.raises(error), tracking.run("one", {}):
        raise error("stop")
    with tracking.run("two", {}) as two:
        two.log({"seed": 2}, {"test_auc": 0.5}, {"absent.x": "why"})
    first, second = stored(tracking)
    assert (first.info.status, second.info.status) == (status, "FINISHED")
    assert first.data.params == first.data.metrics == {}
    assert "absent.x" not in first.data.tags
    assert first.info.end_time >= first.info.start_time


def test_a_run_that_could_not_be_opened_is_closed(tracking, monkeypatch):
    def broken(*_):
        raise RuntimeError("no search today")

    monkeypatch.setattr(dagster_mlflow.resources.MlFlow, "_set_all_tags", broken)
    before = state()
    with pytest.raises(RuntimeError, match="no search today"), tracking.run("one", {}):
        pytest.fail("the block must not begin")
    assert [r.info.status for r in stored(tracking)] == ["FAILED"]
    assert state() == before


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_run_whose_process_dagster_interrupts_is_killed(tracking, stop):
    command = [sys.executable, "-W", "ignore", "-c", INTERRUPTED, tracking.uri]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as program:
        run_id = program.stdout.readline().strip()
        program.send_signal(stop)
        assert "DagsterExecutionInterruptedError" in program.communicate()[1]
    assert client(tracking).get_run(run_id).info.status == "KILLED"


def test_a_run_whose_process_was_killed_outright_is_ended_by_the_next_of_its_name(tracking):
    command = [sys.executable, "-W", "ignore", "-c", TWO_PROGRAMS, tracking.uri, "er 2025-06"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout.readline() == "open\n"
        with tracking.run("er 2025-06", {}):
            assert [r.info.status for r in stored(tracking)] == ["RUNNING", "RUNNING"]
        program.kill()
    with tracking.run("high_cost 2025-06", {}):
        pass
    assert [r.info.status for r in stored(tracking)] == ["RUNNING", "FINISHED", "FINISHED"]
    with tracking.run("er 2025-06", {}):
        pass
    assert [r.info.status for r in stored(tracking)] == ["KILLED", "FINISHED", "FINISHED", "FINISHED"]


def test_nothing_of_mlflow_is_active_within_the_block(tracking):
    before = state()
    with tracking.run("one", {}) as run:
        assert state() == before
        run.log({"a": 1}, {"b": 1.0}, {"c": "1"})
        run.log_json("d.json", {})
        assert state() == before
    assert state() == before
    assert mlflow.active_run() is None


def test_a_foreign_active_run_is_neither_used_nor_ended(tracking, foreign):
    before = state()
    assert before["active"] == [foreign.info.run_id]
    with pytest.raises(ValueError), tracking.run("failing", {"dagster_run_id": "d0"}):
        raise ValueError
    with tracking.run("ours", {"dagster_run_id": "d1"}) as run:
        run.log({"seed": 1}, {"auc": 1.0}, {"t": "x"})
        assert state() == before
        mlflow.log_param("theirs", 1)
    assert state() == before
    theirs = mlflow.get_run(foreign.info.run_id)
    assert theirs.info.status == "RUNNING"
    assert (theirs.data.params, theirs.data.metrics) == ({"theirs": "1"}, {})
    assert not {"dagster_run_id", "healthcare_compliance", "t"} & theirs.data.tags.keys()
    assert [(r.info.run_name, r.info.status) for r in stored(tracking)] == [
        ("failing", "FAILED"),
        ("ours", "FINISHED"),
    ]
    assert stored(tracking)[1].data.params == {"seed": "1"}


def test_variables_that_choose_a_run_for_the_process_are_not_obeyed_and_not_lost(tracking, monkeypatch):
    monkeypatch.setenv("MLFLOW_RUN_ID", "f" * 32)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "theirs")
    before = state()
    with tracking.run("ours", {}) as run:
        assert run.run_id != "f" * 32
    assert state() == before
    assert stored(tracking)[0].info.status == "FINISHED"


@pytest.mark.parametrize("hook", ["own", "asked"])
def test_whoever_ends_a_run_at_exit_still_does(tracking, tmp_path, tmp_path_factory, hook):
    theirs = empty_registry(tmp_path / "foreign", tmp_path_factory)
    command = [sys.executable, "-W", "ignore", "-c", ENDED_AT_EXIT, tracking.uri, theirs.uri, hook]
    subprocess.run(command, check=True, cwd=tmp_path)
    assert [r.info.status for r in stored(theirs)] == ["FINISHED"]
    assert [r.info.status for r in stored(tracking)] == ["FINISHED"]


def test_more_parameters_and_tags_than_one_request_takes_are_stored(tracking):
    params, tags = {f"p{i}": i for i in range(250)}, {f"t{i}": str(i) for i in range(150)}
    metrics = {f"m{i}": float(i) for i in range(1_200)}
    with tracking.run("many", {}) as run:
        run.log(params, metrics, tags)
    (found,) = stored(tracking)
    assert found.data.params == {k: str(v) for k, v in params.items()}
    assert found.data.metrics == metrics
    assert tags.items() <= found.data.tags.items()


def test_threads_at_once_do_not_mix(tracking, foreign):
    """All runs are open before any of them is written to; one thread keeps its own MLflow run meanwhile."""
    before, together = state(), threading.Barrier(4)

    def train(name):
        with tracking.run(name, {"dagster_run_id": name}) as run:
            for i in range(3):
                together.wait()
                run.log({f"p{i}": name}, {f"m{i}": float(i)}, {f"t{i}": name})
            if name == "2":
                raise ValueError(name)
        return run.run_id

    with ThreadPoolExecutor(4) as pool:
        errors = [f.exception() for f in [pool.submit(train, str(n)) for n in range(4)]]
    assert [type(e) for e in errors] == [type(None), type(None), ValueError, type(None)]
    assert state() == before
    found = sorted(stored(tracking), key=lambda r: r.info.run_name)
    assert [r.info.status for r in found] == ["FINISHED", "FINISHED", "FAILED", "FINISHED"]
    for run in found:
        name = run.info.run_name
        assert run.data.params == {f"p{i}": name for i in range(3)}
        assert run.data.metrics == {f"m{i}": float(i) for i in range(3)}
        assert {run.data.tags[t] for t in ("t0", "t1", "t2", "dagster_run_id")} == {name}


def test_processes_at_once_do_not_mix(tracking):
    """Both make the experiment, and both runs are open before either is written to."""
    command = [sys.executable, "-W", "ignore", "-c", TWO_PROGRAMS, tracking.uri]
    programs = [
        subprocess.Popen([*command, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for name in ("one", "two")
    ]
    assert [p.stdout.readline() for p in programs] == ["open\n", "open\n"]
    assert [p.communicate("go on\n") and p.returncode for p in programs] == [0, 0]
    found = sorted(stored(tracking), key=lambda r: r.info.run_name)
    assert [(r.info.run_name, r.data.params, r.info.status) for r in found] == [
        ("one", {"program": "one"}, "FINISHED"),
        ("two", {"program": "two"}, "FINISHED"),
    ]


def test_a_new_experiment_keeps_its_files_beside_the_registry(tracking, tmp_path):
    with tracking.run("one", {}) as run:
        run.log_json("a.json", {})
    experiment = client(tracking).get_experiment_by_name(EXPERIMENT)
    assert experiment.artifact_location == (tmp_path / "mlflow" / "artifacts").as_uri()
    assert list((tmp_path / "mlflow" / "artifacts").rglob("a.json"))
    assert not Path("mlruns").exists()


def test_the_door_alone_does_not_import_mlflow():
    program = "import sys, claims_assets.runtime.tracking\nprint([m for m in sys.modules if 'mlflow' in m])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_code_is_named_by_its_commit_and_says_where_it_was_changed(tmp_path):
    package = tmp_path / "claims_assets"
    package.mkdir()
    (package / "a.py").write_text("one = 1\n")
    installed = code_version.__wrapped__(package)
    git = ["git", "-C", str(tmp_path), "-c", "user.name=t", "-c", "user.email=t@example.org"]
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "one"]):
        subprocess.run([*git, *arguments], check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    assert code_version.__wrapped__(package) == head
    (package / "a.py").write_text("one = 2\n")
    assert code_version.__wrapped__(package) == f"{head}-changed"
    assert installed not in (head, f"{head}-changed")
    assert installed


def test_mlflow_keeps_its_state_where_this_code_puts_it_back():
    """A release that renames one of these would make the state leak without any error."""
    assert {"_active_experiment_id", "_active_run_stack", "_last_active_run_id"} <= vars(fluent).keys()
    assert "_tracking_uri" in vars(mlflow.tracking._tracking_service.utils)
    assert tracked_runs.MOST_METRICS == mlflow.utils.validation.MAX_METRICS_PER_BATCH
