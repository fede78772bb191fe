"""`launchers_for(workspace)`: compute sizes -> step launchers, as resources.

On the cluster the same definitions are built again, where CLAIMS_COMPUTE is unset, so there the step runs in place.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg

from claims_assets.runtime.databricks.clusters import SIZES, cluster
from claims_assets.runtime.libraries import requirements
from claims_assets.workspaces import SIGN_INS, Databricks


def launchers_for(workspace: Databricks) -> dict[str, dg.ResourceDefinition]:
    """`small_compute`, `medium_compute` and `large_compute`, each launching on a cluster of its size."""
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
        "libraries": [{"pypi": {"package": package}} for package in requirements()],
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
