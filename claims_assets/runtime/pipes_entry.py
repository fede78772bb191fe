"""The program of a step that runs elsewhere through Dagster Pipes: `python -m claims_assets.runtime.pipes_entry`.

One program for every asset. It builds definitions and resources from its own environment, runs the asked asset for the
asked claim months in a Dagster run of its own, and sends what that run recorded: metadata of each month, check results,
log lines, or the sentence with which it failed. With `--volumes` messages are files of a Unity Catalog volume. A failed
step still ends the program with 0: only then does Dagster take in what it found.
"""

import os
import sys
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from dagster_pipes import (
    PipesCliArgsParamsLoader,
    PipesContext,
    PipesDefaultMessageWriter,
    PipesEnvVarParamsLoader,
    PipesUnityCatalogVolumesMessageWriter,
    open_dagster_pipes,
)

from claims_assets.runtime.pipes import (
    ASSET,
    CONFIG,
    ENVIRONMENT,
    FAILURE,
    METADATA,
    MONTH,
    MONTHS,
    SECRETS,
    TAGS,
    told,
)

VOLUMES = "--volumes"
RANGE = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")
QUIET = {"console": {"config": {"log_level": "CRITICAL"}}}
"""The lines go to the run that asked."""


def main() -> None:
    """Run the step that Dagster asks for."""
    by_arguments = PipesCliArgsParamsLoader()
    with open_dagster_pipes(
        params_loader=by_arguments if by_arguments.is_dagster_pipes_process() else PipesEnvVarParamsLoader(),
        message_writer=PipesUnityCatalogVolumesMessageWriter() if VOLUMES in sys.argv else PipesDefaultMessageWriter(),
    ) as pipes:
        # Before any import of the definitions: the first claim month is read there.
        os.environ.update(environment(pipes.extras, secret=_of_the_workspace))
        os.environ.pop("CLAIMS_COMPUTE", None)
        run(pipes)


def environment(extras: Mapping[str, Any], secret: Any) -> dict[str, str]:
    """The variables that were sent, and the values of the secrets that were named."""
    found = dict(extras[ENVIRONMENT])
    for name, place in extras[SECRETS].items():
        scope, _, key = place.partition("/")
        found[name] = secret(scope, key)
    return found


def _of_the_workspace(scope: str, key: str) -> str:
    from databricks.sdk.runtime import dbutils

    return dbutils.secrets.get(scope, key)


def run(pipes: PipesContext) -> None:
    """Run the asked asset in a run of its own and report it."""
    import dagster as dg

    from claims_assets.automation.completeness import checks_of_steps
    from claims_assets.definitions import defs

    key = dg.AssetKey.from_user_string(pipes.get_extra(ASSET))
    months, config = pipes.get_extra(MONTHS), pipes.get_extra(CONFIG)
    tags: dict[str, str] = dict(pipes.get_extra(TAGS))
    if months:
        tags |= {RANGE[0]: months[0], RANGE[1]: months[-1]}
    run_config: dict[str, Any] = {"loggers": QUIET}
    if config:
        run_config["ops"] = {defs.resolve_assets_def(key).op.name: {"config": config}}
    run_id = str(uuid.uuid4())
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_event_listener(run_id, lambda entry: _log(pipes, entry))
        checks = checks_of_steps(defs.resolve_asset_graph(), [key])
        job = defs.resolve_implicit_global_asset_job_def().get_subset(
            asset_selection={key}, asset_check_selection=checks
        )
        result = job.execute_in_process(
            instance=instance, tags=tags, run_id=run_id, run_config=run_config, raise_on_error=False
        )
        _report(pipes, result.all_events)


def _log(pipes: PipesContext, entry: Any) -> None:
    """Lines of the step itself; Dagster's own events are told by the run that asked."""
    if entry.dagster_event is None:
        pipes.log.log(entry.level, entry.user_message)


def _report(pipes: PipesContext, events: Iterable[Any]) -> None:
    failures = []
    for event in events:
        if event.event_type_value == "ASSET_CHECK_EVALUATION":
            check = event.asset_check_evaluation_data
            pipes.report_asset_check(check.check_name, check.passed, check.severity.value, told(check.metadata))
        elif event.is_step_materialization:
            made = event.step_materialization_data.materialization
            pipes.report_custom_message({MONTH: made.partition, METADATA: told(made.metadata)})
        elif event.is_step_failure:
            failures.append(_sentence(event.step_failure_data))
            if not event.step_failure_data.user_failure_data:
                pipes.log.error(event.step_failure_data.error_display_string)
    if failures:
        pipes.report_custom_message({FAILURE: failures[0]})
    else:
        pipes.report_asset_materialization()


def _sentence(failure: Any) -> str:
    """What a failed step says: its own sentence, or the error at the bottom."""
    if failure.user_failure_data:
        return failure.user_failure_data.description or ""
    error = failure.error
    while error.cause:
        error = error.cause
    return error.message.strip()


if __name__ == "__main__":
    main()
