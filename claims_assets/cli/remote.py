"""A run whose steps are launched elsewhere: the job must be one that another process can load by its module."""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
from dagster._core.definitions.reconstruct import ReconstructableRepository
from dagster._core.execution.api import execute_run

from claims_assets.automation.completeness import checks_of_steps

MODULE, NAME = "claims_assets.definitions", "defs"


def execute_launched(
    instance: dg.DagsterInstance,
    keys: Sequence[dg.AssetKey],
    tags: Mapping[str, str],
    run_id: str,
    run_config: Mapping[str, Any] | None = None,
) -> bool:
    """Run these assets, each step where its launcher puts it; whether all succeeded.

    The settings are those of this process's environment: the steps' own process reads the definitions anew.
    """
    job = ReconstructableRepository.for_module(MODULE, NAME).get_reconstructable_job("__ASSET_JOB")
    checks = checks_of_steps(job.get_definition().asset_layer.asset_graph, keys)
    chosen = job.get_subset(asset_selection=frozenset(keys), asset_check_selection=frozenset(checks))
    run = instance.create_run_for_job(
        job_def=chosen.get_definition(),
        run_id=run_id,
        run_config=dict(run_config or {}),
        tags=dict(tags),
        asset_selection=frozenset(keys),
        job_code_origin=chosen.get_python_origin(),
    )
    return execute_run(chosen, run, instance, raise_on_error=False).success
