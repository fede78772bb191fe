"""One MLflow run a training, opened and closed through dagster-mlflow: `tracked(client, ...)`.

dagster-mlflow keeps its run in MLflow's global state: the run stays RUNNING after the Dagster run has ended, a second
run in the same process writes into the first, and all models of a Dagster run share one. So here its resource is given
a run of its own, the global state is its only while a call lasts, under a lock, and is then as it was before. Between
the calls nothing is active: not for another thread, not for a library that logs by itself.
Elsewhere: the registry (`tracking.py`).
"""

import atexit
import importlib
import json
import os
import socket
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import dagster as dg
from dagster import DagsterExecutionInterruptedError, DagsterLogManager, DagsterResourceFunctionError, DagsterRun

from claims_assets.runtime.run_launcher import lives

if TYPE_CHECKING:
    from mlflow import MlflowClient

DAGSTER_RUN_ID = "dagster_run_id"
"""Tag that dagster-mlflow sets."""
BY_HAND = "none"
"""Its value where no Dagster run asks, as in a notebook."""
PROCESS = "process"
"""Tag: machine and process that a run lives and dies with."""
INTERRUPTS = (KeyboardInterrupt, SystemExit, GeneratorExit, DagsterExecutionInterruptedError)
"""Whoever raises these ends the run from outside: KILLED, not FAILED."""
MOST_METRICS = 1_000
"""Of one request to a tracking server; MLflow's REST API, log-batch."""
CHOICES = {"MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID", "MLFLOW_EXPERIMENT_NAME", "MLFLOW_TRACKING_URI"}
"""Variables by which somebody chose a run, an experiment or a server for the process; ours are stated."""
NO_LINKS = "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"
"""MLflow prints the address of every run that ends, on a server."""
_ONE_AT_A_TIME = threading.RLock()
"""MLflow's tracking URI and experiment are those of the process, not of the thread."""


@dataclass
class TrackedRun:
    """An open run; `Tracking.run` closes it."""

    run_id: str
    artifact_uri: str
    client: "MlflowClient" = field(repr=False)
    resource: Any = field(repr=False)
    """dagster-mlflow's `MlFlow`."""
    uri: str = field(repr=False)
    active: list[Any] = field(default_factory=list, repr=False)
    """MLflow's stack of active runs as it is while this run is at work."""

    def log(self, params: Mapping[str, Any], metrics: Mapping[str, float], tags: Mapping[str, str]) -> None:
        """Store all of these, in as many requests as the server's limits ask for."""
        from mlflow.entities import Metric, RunTag

        with _global_state_of(self):
            self.resource.log_params({k: str(v) for k, v in params.items()})
        for some in self.resource.chunks(dict(metrics), MOST_METRICS):
            self.client.log_batch(self.run_id, metrics=[Metric(k, float(v), 0, 0) for k, v in some.items()])
        for some in self.resource.chunks(dict(tags)):
            self.client.log_batch(self.run_id, tags=[RunTag(k, v) for k, v in some.items()])

    def log_json(self, name: str, content: Any) -> None:
        """Store a small document."""
        self.client.log_text(self.run_id, json.dumps(content, indent=1), name)

    def log_text(self, name: str, content: str) -> None:
        """Store a small text."""
        self.client.log_text(self.run_id, content, name)


@contextmanager
def tracked(
    client: "MlflowClient", uri: str, experiment_id: str, name: str, tags: Mapping[str, str]
) -> Iterator[TrackedRun]:
    """A run that ends with the block: FINISHED, FAILED when it raises, KILLED when it is interrupted.

    A process that is killed outright can't end its run; the next run of that name does, on the same machine.
    """
    _end_lost(client, experiment_id, name)
    own = {PROCESS: f"{socket.gethostname()}:{os.getpid()}", **tags}
    created = client.create_run(experiment_id, run_name=name, tags=own)
    run = TrackedRun(created.info.run_id, created.info.artifact_uri or "", client, None, uri)
    experiment = client.get_experiment(experiment_id).name
    status = "FAILED"
    held = ExitStack()
    try:
        with _global_state_of(run):
            run.resource = held.enter_context(_resource(run, experiment, name, tags))
        yield run
        status = "FINISHED"
    except INTERRUPTS:
        status = "KILLED"
        raise
    finally:
        if run.resource is None:
            client.set_terminated(run.run_id, status)
        else:
            # dagster-mlflow's own clean-up follows, and finds nothing active that it could end.
            with _global_state_of(run), held:
                run.resource.end_run(status)


def _end_lost(client: "MlflowClient", experiment_id: str, name: str) -> None:
    """End the runs of this name whose process is gone."""
    wanted = f"attributes.status = 'RUNNING' and tags.`mlflow.runName` = '{name}'"
    for run in client.search_runs([experiment_id], wanted):
        machine, _, process = run.data.tags.get(PROCESS, "").partition(":")
        if machine == socket.gethostname() and process and not lives(int(process), run.info.start_time / 1000):
            client.set_terminated(run.info.run_id, "KILLED")


@contextmanager
def without_warnings(*categories: type[Warning]) -> Iterator[None]:
    """None of these within the block. Filters are those of the process, so blocks follow one another."""
    with _ONE_AT_A_TIME, warnings.catch_warnings():
        for category in categories:
            warnings.simplefilter("ignore", category)
        yield


@contextmanager
def _resource(run: TrackedRun, experiment: str, name: str, tags: Mapping[str, str]) -> Iterator[Any]:
    """dagster-mlflow's resource on a run that exists, so that it looks for none by the Dagster run's id."""
    config = {"experiment_name": experiment, "mlflow_tracking_uri": run.uri, "mlflow_run_id": run.run_id}
    config |= {"env": {}, "extra_tags": dict(tags)}
    with ExitStack() as held:
        # It is beta and uses what is deprecated: it is pinned, and what it does is tested.
        with without_warnings(dg.BetaWarning, DeprecationWarning):
            from dagster_mlflow import mlflow_tracking

            building = dg.build_resources(
                {"mlflow": mlflow_tracking},
                resource_config={"mlflow": {"config": config}},
                dagster_run=DagsterRun(job_name=name, run_id=tags.get(DAGSTER_RUN_ID, BY_HAND)),
                log_manager=DagsterLogManager.create(loggers=[]),
            )
            try:
                built = held.enter_context(building)
            except DagsterResourceFunctionError as error:
                raise error.user_exception from error
        yield built.mlflow


@contextmanager
def _global_state_of(run: TrackedRun) -> Iterator[None]:
    """MLflow's global state is this run's within the block, and what it was before after it.

    Attributes without public names are set: MLflow's setters write the environment and restart its tracing.
    """
    fluent: Any = importlib.import_module("mlflow.tracking.fluent")
    service: Any = importlib.import_module("mlflow.tracking._tracking_service.utils")
    with _ONE_AT_A_TIME:
        uri, experiment = service._tracking_uri, fluent._active_experiment_id
        stack, last = fluent._active_run_stack.get(), fluent._last_active_run_id.get()
        environ = _mlflow_variables()
        at_exit = _times_at_exit(fluent.end_run)
        for name in environ.keys() & CHOICES:
            del os.environ[name]
        os.environ[NO_LINKS] = "true"
        service._tracking_uri = run.uri
        fluent._active_run_stack.set(run.active)
        try:
            yield
        finally:
            service._tracking_uri, fluent._active_experiment_id = uri, experiment
            fluent._active_run_stack.set(stack)
            fluent._last_active_run_id.set(last)
            for name in _mlflow_variables().keys() - environ.keys():
                del os.environ[name]
            os.environ.update(environ)
            # dagster-mlflow takes away every `mlflow.end_run` that is called at exit, whoever asked for it.
            for _ in range(at_exit - _times_at_exit(fluent.end_run)):
                atexit.register(fluent.end_run)


def _times_at_exit(function: Callable[..., Any]) -> int:
    """How often it is registered with atexit, which has no list: taking away nothing compares with each one there."""
    found: list[bool] = []

    class Counter:
        def __eq__(self, other: object) -> bool:
            found.append(other == function)
            return False

    atexit.unregister(Counter())  # pyright: ignore[reportArgumentType]
    return sum(found)


def _mlflow_variables() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith("MLFLOW_")}
