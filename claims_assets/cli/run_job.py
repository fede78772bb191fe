"""One job of `claims job` from its flags to its exit: hooks are told, the job runs, its result is copied.

Elsewhere: what each job does (`fraud_jobs.py`), the flags (`job_commands.py`), copies (`runtime/catalog/copies.py`),
plug-ins (`automation/hooks.py`). A result is copied also when the job fails by what it found, so that it can be read.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click

from claims_assets.automation.hooks import Hooks, Job, Metric, Outcome, hooks_for
from claims_assets.cli.errors import NotDone, mendable
from claims_assets.cli.fraud_jobs import JOBS, Flags
from claims_assets.definitions import tables
from claims_assets.runtime.catalog.copies import copy, target_of
from claims_assets.runtime.lake import Lake
from claims_assets.runtime.resources import lake_for
from claims_assets.settings import Settings


def run_job(settings: Settings, name: str, flags: Flags) -> None:
    """Run a job with its hooks, and copy its result where the flags say.

    Raises:
        NotDone: it failed, or what it found must stop what comes after it.
        SettingError: a flag can't be used; nothing was run.
    """
    _refuse_other_environment(settings, flags)
    job = JOBS[name]
    source = job.result(flags)
    target = target_of(settings, source, flags.catalog, flags.schema, flags.output_table)
    hooks = hooks_for(settings.hooks, _tell)
    told = Job(name, settings.environment, flags.given())
    hooks.before(told)
    metrics: dict[str, Metric] = {}
    with _told_of_failure(hooks, told, metrics):
        came = job.run(settings, flags)
        metrics |= {**_size_of(lake_for(settings), source), **came.metrics}
        if target and (lake_for(settings).exists(*source) or not came.failure):
            where = copy(settings, lake_for(settings), _contract_of(source), source, target)
            click.echo(f"{'.'.join(source)} copied to {where}.")
        if came.failure:
            raise NotDone(came.failure)
    hooks.after(told, Outcome(True, metrics))
    click.echo(f"Job {name} succeeded: " + ", ".join(f"{k} {_shown(v)}" for k, v in metrics.items()) + ".")


@contextmanager
def _told_of_failure(hooks: Hooks, job: Job, metrics: Mapping[str, Metric]) -> Iterator[None]:
    """Tells the hooks why the block failed, and lets the error go on."""
    try:
        yield
    except BaseException as error:
        # Only sentences that are meant for people: any other text might hold a value.
        said = str(error) if isinstance(error, mendable()) else type(error).__name__
        hooks.after(job, Outcome(False, metrics, said))
        raise


def _tell(sentence: str) -> None:
    click.echo(sentence, err=True)


def _shown(value: Metric) -> str:
    return f"{value:,.6g}" if isinstance(value, float) else f"{value:,}" if type(value) is int else str(value)


def _refuse_other_environment(settings: Settings, flags: Flags) -> None:
    if flags.environment and flags.environment != settings.environment:
        raise NotDone(
            f"--environment asks for {flags.environment}, and CLAIMS_ENV is {settings.environment}: set"
            f" CLAIMS_ENV={flags.environment}, or leave the flag out."
        )


def _size_of(lake: Lake, source: tuple[str, str]) -> dict[str, Metric]:
    """Rows of the table, and its months."""
    by_month = lake.rows_by_month(*source)
    months = sorted(m for m in by_month if m)
    return {"rows": sum(by_month.values())} | ({"months": len(months), "newest_month": months[-1]} if months else {})


def _contract_of(source: tuple[str, str]) -> Any:
    return next(t.contract for t in tables() if (t.schema, t.name) == source)
