"""`compute(workspace)`: steps as runs of a Databricks workspace, through Dagster Pipes.

With CLAIMS_COMPUTE=pipes each step is one run of a Databricks workspace, serverless or on a cluster that exists.
Context and messages are files of a Unity Catalog volume, so no DBFS root is needed. Databricks' own library signs in,
by the variables or the profile that its other tools use.
"""

from typing import TYPE_CHECKING, Any

import dagster as dg

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
        from databricks.sdk import WorkspaceClient

        return _run(pipes, client or WorkspaceClient(), context, extras)

    secrets = {name: f"{pipes.secret_scope}/{name}" for name in pipes.secrets}
    return PipesCompute(submit, pipes.variables(), secrets)


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
        on_cluster = PipesDatabricksClient(client, **options)
        return on_cluster.run(context=context, extras=extras, task=task, submit_args=submit_args)
    spec = environments.Environment(environment_version=SERVERLESS, dependencies=requirements())
    submit_args["environments"] = [jobs.JobEnvironment(environment_key="claims", spec=spec)]
    serverless = PipesDatabricksServerlessClient(client, volume_path=pipes.volume, **options)
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
