"""What each job of `claims job` does: bring some assets up to date, say what came of it, copy the result, tell hooks.

Here: which assets a job builds and when it fails. Elsewhere: the flags (`job_commands.py`), the run itself, the same as
that of `claims run` (`run.py`), copies (`runtime/catalog/copies.py`), plug-ins (`automation/hooks.py`). A job that
can't show that what it should show is so fails: a missing result, a group that can't be judged, an attribute that
nobody knows are no success.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import click

from claims_assets.automation.hooks import Hooks, Job, Metric, Outcome, hooks_for
from claims_assets.cli.errors import NotDone, mendable
from claims_assets.cli.run import run_range
from claims_assets.definitions import tables
from claims_assets.runtime.catalog.copies import copy, target_of
from claims_assets.runtime.lake import Lake
from claims_assets.runtime.resources import lake_for
from claims_assets.settings import Settings

SCORES = ("gold", "claim_fraud_scores")


@dataclass(frozen=True)
class Flags:
    """What was asked for; None: not given."""

    environment: str | None = None
    catalog: str | None = None
    schema: str | None = None
    output_table: str | None = None
    month: str | None = None
    model_type: str | None = None
    experiment_name: str | None = None
    run_name: str | None = None
    protected_attributes: str | None = None
    threshold_percentile: float | None = None

    def given(self) -> dict[str, str]:
        """The flags that were given, as text."""
        return {name: str(value) for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True)
class Came:
    """What came of a job."""

    metrics: Mapping[str, Metric] = field(default_factory=dict)
    failure: str = ""
    """Why the job fails although everything ran, in one sentence."""


@dataclass(frozen=True)
class FraudJob:
    """One job."""

    result: Callable[[Flags], tuple[str, str]]
    """Schema and name of the table that it is there for."""
    run: Callable[[Settings, Flags], Came]


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
    with _told_of_failure(hooks, told) as failing:
        came = job.run(settings, flags)
        metrics = {**_size_of(lake_for(settings), source), **came.metrics}
        failing.metrics = metrics
        if target:
            where = copy(settings, lake_for(settings), _contract_of(source), source, target)
            click.echo(f"{'.'.join(source)} copied to {where}.")
        if came.failure:
            raise NotDone(came.failure)
    hooks.after(told, Outcome(True, metrics))
    click.echo(f"Job {name} succeeded: " + ", ".join(f"{k} {_shown(v)}" for k, v in metrics.items()) + ".")


class _told_of_failure:
    """Tells the hooks why the block failed, and lets the error go on."""

    def __init__(self, hooks: Hooks, job: Job) -> None:
        self.hooks, self.job = hooks, job
        self.metrics: Mapping[str, Metric] = {}

    def __enter__(self) -> "_told_of_failure":
        return self

    def __exit__(self, _: Any, error: BaseException | None, __: Any) -> None:
        if error is not None:
            # Only sentences that are meant for people: any other text might hold a value.
            said = str(error) if isinstance(error, mendable()) else type(error).__name__
            self.hooks.after(self.job, Outcome(False, self.metrics, said))


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


def _key(*path: str) -> str:
    return f'key:"{"/".join(path)}"'


def _stale(settings: Settings, *selections: str) -> None:
    """Bring these assets up to date, as `claims run --select` does."""
    run_range(settings, None, None, " or ".join(selections), summary=False)


def _ingest(settings: Settings, _: Flags) -> Came:
    _stale(settings, "group:sources", "group:bronze", "group:silver")
    return Came()


def _monitor(settings: Settings, _: Flags) -> Came:
    _stale(settings, "group:monitoring")
    return Came()


JOBS: dict[str, FraudJob] = {
    "ingest": FraudJob(lambda _: ("silver", "medical_claims"), _ingest),
    "monitor": FraudJob(lambda _: ("monitoring", "psi_results"), _monitor),
}
