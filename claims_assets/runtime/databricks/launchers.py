"""`launchers_for(settings)`: compute sizes -> resources. A step needs the one of its layer and knows nothing more.

Locally a launcher is None and the step runs in the process of the run. With CLAIMS_COMPUTE=databricks it is a step
launcher. On the cluster the same definitions are built again, where CLAIMS_COMPUTE is unset, so there it is None too.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg

from claims_assets.runtime.databricks.clusters import SIZES, cluster
from claims_assets.runtime.databricks.libraries import libraries
from claims_assets.settings import SIGN_INS, Databricks


def launchers_for(workspace: Databricks | None) -> dict[str, dg.ResourceDefinition]:
    """`small_compute`, `medium_compute` and `large_compute`, on this workspace or (None) in the run's own process."""
    if workspace is None:
        return {f"{size}_compute": dg.ResourceDefinition.none_resource() for size in SIZES}
    return {f"{size}_compute": _launcher(workspace, size) for size in SIZES}


def _launcher(workspace: Databricks, size: str) -> dg.ResourceDefinition:
    """Credentials go in as names of environment variables: the UI and the event log show resource configuration."""
    names = SIGN_INS[workspace.sign_in]
    configuration = run_config(workspace, size)  # here, so that a wrong setting is told before any run

    @dg.resource(
        config_schema={name: dg.Field(dg.StringSource) for name in names},
        description=f"Runs steps on a {size} Databricks cluster of {workspace.host}.",
    )
    def launcher(context: dg.InitResourceContext) -> Iterator[Any]:
        from claims_assets.runtime.databricks.code import staged_in
        from claims_assets.runtime.databricks.launcher import ClusterLauncher

        with tempfile.TemporaryDirectory(prefix="claims-code-") as folder:
            code = staged_in(Path(folder))
            yield ClusterLauncher(workspace, configuration, dict(context.resource_config), str(code))

    return launcher.configured({name: {"env": name} for name in names})


def run_config(workspace: Databricks, size: str) -> dict[str, Any]:
    """What is the same for every run on a cluster of this size."""
    return {
        "cluster": cluster(workspace, size),
        "libraries": libraries(),
        # The service itself ends a run that nobody waits for any more, as when this process was killed.
        "timeout_seconds": workspace.timeout,
    }


def permissions(workspace: Databricks) -> dict[str, Any]:
    """Who beside the owner may see and cancel the runs; a cluster of the workspace keeps its own permissions."""
    if not workspace.run_managers:
        return {}
    group = [{"group_name": workspace.run_managers}]
    granted: dict[str, Any] = {"job_permissions": {"CAN_MANAGE_RUN": group}}
    if not workspace.existing_cluster:
        granted["cluster_permissions"] = {"CAN_ATTACH_TO": group}
    return granted


def environment(workspace: Databricks) -> dict[str, str]:
    """Variables of the cluster's process; readable there by anyone, so none is a secret."""
    given = {
        "CLAIMS_HOME": workspace.home,
        "CLAIMS_LANDING": workspace.landing,
        "CLAIMS_CATALOG": workspace.catalog,
        "CLAIMS_ENGINE": workspace.engine,
        "CLAIMS_START_MONTH": workspace.start_month,
        "MLFLOW_TRACKING_URI": workspace.tracking_uri,
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DAGSTER_DISABLE_TELEMETRY": "true",
    }
    return {name: value for name, value in given.items() if value}
