"""`compute(workspace)`: steps as runs of a Databricks workspace, through Dagster Pipes.

With CLAIMS_COMPUTE=pipes each step is one run of a Databricks workspace, serverless or on a cluster that exists.
Context and messages are files of a Unity Catalog volume, so no DBFS root is needed. Databricks' own library signs in,
by the variables or the profile that its other tools use.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import dagster as dg
from dagster._core.errors import DagsterExecutionInterruptedError

from claims_assets.runtime.libraries import requirements
from claims_assets.runtime.pipes import PipesCompute
from claims_assets.runtime.pipes_entry import VOLUMES
from claims_assets.workspaces import Pipes

if TYPE_CHECKING:
    from dagster import PipesClientCompletedInvocation
    from databricks.sdk import WorkspaceClient
    from databricks.sdk.service.jobs import SubmitTask

SERVERLESS = "4"
"""Serverless environment version with Python 3.12; Spark is part of it (docs.databricks.com: serverless environment
versions)."""
PROGRAM = "deploy/step.py"


def compute(pipes: Pipes, client: "WorkspaceClient | None" = None) -> PipesCompute:
    """Steps on this workspace.

    Args:
        client: None signs in when the first step is submitted, as Databricks' tools do.
    """

    def submit(context: dg.AssetExecutionContext, extras: dict[str, Any]) -> "PipesClientCompletedInvocation":
        with _explained():
            return _run(pipes, client or _signed_in(), context, extras)

    secrets = {name: f"{pipes.secret_scope}/{name}" for name in pipes.secrets}
    return PipesCompute(submit, pipes.variables(), secrets)


def _signed_in() -> "WorkspaceClient":
    from databricks.sdk import WorkspaceClient

    try:
        return WorkspaceClient()
    except ValueError:
        raise dg.Failure(
            "CLAIMS_COMPUTE=pipes can't sign in: set DATABRICKS_HOST and DATABRICKS_TOKEN, or run `databricks auth"
            " login`.",
            allow_retries=False,
        ) from None


@contextmanager
def _explained() -> Iterator[None]:
    """Errors of the service as one sentence; its own hold no credential."""
    from databricks.sdk.errors.base import DatabricksError

    try:
        yield
    except DatabricksError as error:
        raise dg.Failure(
            f"The Databricks workspace answered: {str(error).strip().rstrip('.')}. Check the sign-in, its"
            " permissions, CLAIMS_PIPES_VOLUME, CLAIMS_PIPES_CODE and CLAIMS_CLUSTER_ID."
        ) from None


def _stopping(kind: type[Any]) -> type[Any]:
    """A Pipes client that stops the Dagster run too when it is interrupted.

    Dagster's own cancel the workspace's run, but then go on as if it had ended by itself, with the next step.
    """

    class Stopping(kind):
        interruption: BaseException | None = None

        def run(self, **asked: Any) -> "PipesClientCompletedInvocation":
            done = super().run(**asked)
            if self.interruption:
                raise self.interruption
            return done

        def _poll_til_success(self, context: Any, run_id: int) -> None:
            try:
                super()._poll_til_success(context, run_id)
            except DagsterExecutionInterruptedError as interruption:
                self.interruption = interruption
                raise

    return Stopping


def _run(pipes: Pipes, client: "WorkspaceClient", context: dg.AssetExecutionContext, extras: dict[str, Any]):
    from dagster_databricks import PipesDatabricksClient
    from dagster_databricks.pipes import (
        PipesDatabricksServerlessClient,
        PipesUnityCatalogVolumesContextInjector,
        PipesUnityCatalogVolumesMessageReader,
    )
    from databricks.sdk.service import compute as environments
    from databricks.sdk.service import jobs

    options: dict[str, Any] = {
        "context_injector": PipesUnityCatalogVolumesContextInjector(client=client, volume_path=pipes.volume),
        "message_reader": PipesUnityCatalogVolumesMessageReader(
            client=client, volume_path=pipes.volume, interval=pipes.poll
        ),
        "poll_interval_seconds": pipes.poll,
    }
    # The service itself ends a run that nobody waits for any more, as when this process was killed.
    submit_args: dict[str, Any] = {
        "run_name": f"claims_assets {context.asset_key.to_user_string()} ({context.run_id[:8]})",
        "timeout_seconds": pipes.timeout,
    }
    task = _task(pipes)
    if pipes.existing_cluster:
        on_cluster = _stopping(PipesDatabricksClient)(client, **options)
        return on_cluster.run(context=context, extras=extras, task=task, submit_args=submit_args)
    spec = environments.Environment(environment_version=SERVERLESS, dependencies=requirements())
    submit_args["environments"] = [jobs.JobEnvironment(environment_key="claims", spec=spec)]
    serverless = _stopping(PipesDatabricksServerlessClient)(client, volume_path=pipes.volume, **options)
    return serverless.run(context=context, extras=extras, task=task, submit_args=submit_args)


def _task(pipes: Pipes) -> "SubmitTask":
    from databricks.sdk.service import compute as libraries
    from databricks.sdk.service import jobs

    program = jobs.SparkPythonTask(python_file=f"{pipes.code}/{PROGRAM}", parameters=["--code", pipes.code, VOLUMES])
    if pipes.existing_cluster:
        packages = [libraries.Library(pypi=libraries.PythonPyPiLibrary(package=line)) for line in requirements()]
        return jobs.SubmitTask(
            task_key="step", existing_cluster_id=pipes.existing_cluster, spark_python_task=program, libraries=packages
        )
    return jobs.SubmitTask(task_key="step", environment_key="claims", spark_python_task=program)
