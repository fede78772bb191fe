"""`computes_for(workspace)`: where steps run. The graph does not change with it.

A step needs the compute of its layer's size. It is None where steps run in the process of the run, a step launcher of
Dagster's, which takes the step away before its body starts, or a `PipesCompute`, to which the body hands over.
"""

import dagster as dg

from claims_assets.layers import LAYERS
from claims_assets.workspaces import Databricks, Pipes

SIZES = sorted({layer.launcher for layer in LAYERS.values()})


def computes_for(workspace: Databricks | Pipes | None) -> dict[str, object]:
    """`small_compute`, `medium_compute` and `large_compute`, in this workspace or (None) in the run's own process."""
    if isinstance(workspace, Databricks):
        from claims_assets.runtime.databricks.launchers import launchers_for

        return dict(launchers_for(workspace))
    if isinstance(workspace, Pipes):
        from claims_assets.runtime.pipes_workspace import compute

        return dict.fromkeys(SIZES, compute(workspace))  # serverless compute sizes itself
    return {size: dg.ResourceDefinition.none_resource() for size in SIZES}
