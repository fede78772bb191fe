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
import dagster as dg

from claims_assets.automation.hooks import Hooks, Job, Metric, Outcome, hooks_for
from claims_assets.cli.errors import NotDone, mendable
from claims_assets.cli.instance import instance_for
from claims_assets.cli.run import months_to_run, run_range
from claims_assets.definitions import build, tables
from claims_assets.models.fraud_registry import detectors
from claims_assets.monitoring.flag_fairness import ATTRIBUTES, SCORES, NothingToJudge, verdicts
from claims_assets.runtime.catalog.copies import copy, target_of
from claims_assets.runtime.lake import Lake
from claims_assets.runtime.resources import lake_for, tracking_for
from claims_assets.runtime.tracking import Tracking
from claims_assets.settings import Settings
from claims_assets.workspaces import Databricks

SCORING = (
    "claim_fraud_features",
    "fraud_scores_xgboost",
    "fraud_scores_catboost",
    "claim_fraud_scores",
    "fraud_supervised_scores",
    "fraud_cases",
)
"""Tables of gold, from the claims to the cases."""
QUOTES = set("'\"`\\")
"""MLflow finds runs by a text in which names are quoted."""


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


def _train(settings: Settings, flags: Flags) -> Came:
    """The features, the model as of one month, and every claim scored again by the versions that there are now."""
    algorithm, scores = str(flags.model_type), f"fraud_scores_{flags.model_type}"
    definitions = build(settings, tracking=_tracking_of(settings, flags))
    months = months_to_run(settings)
    month = flags.month or months[-1]
    _stale(settings, _key("gold", "claim_fraud_features"))
    run_range(
        settings, month, month, _key("models", f"fraud_autoencoder_{algorithm}"), definitions=definitions, summary=False
    )
    run_range(settings, months[0], months[-1], _key("gold", scores), summary=False)
    return _trained(settings, algorithm, month)


def _trained(settings: Settings, algorithm: str, month: str) -> Came:
    """Numbers of the month's detector; without one the job has not done what it is for."""
    tracking = tracking_for(settings).process_config_and_initialize()
    found = [v for v in detectors(tracking, algorithm) if v.as_of_month == month]
    if not found:
        return Came(
            {"month": month}, f"No {algorithm} detector was trained as of {month}: {_why(settings, algorithm, month)}."
        )
    metrics, _ = tracking.results(found[-1])
    scores = {name: value for name, value in metrics.items() if name.endswith("_fraud_score")}
    return Came({"month": month, "version": found[-1].version, **scores})


def _why(settings: Settings, algorithm: str, month: str) -> str:
    """What the asset says of a month in which it trained nothing."""
    key = dg.AssetKey(["models", f"fraud_autoencoder_{algorithm}"])
    with instance_for(settings) as instance:
        wanted = dg.AssetRecordsFilter(asset_key=key, asset_partitions=[month])
        records = instance.fetch_materializations(wanted, limit=1).records
    made = records[0].asset_materialization if records else None
    told = made.metadata.get("reason") if made else None
    return str(told.value).rstrip(".") if told else "see the run in the Dagster UI (`claims ui`)"


def _tracking_of(settings: Settings, flags: Flags) -> Tracking:
    """The registry, with the experiment and the run's name that the flags give."""
    given = {"experiment": flags.experiment_name, "run_name": flags.run_name}
    given = {name: value for name, value in given.items() if value}
    if given and isinstance(settings.workspace, Databricks):
        raise NotDone(
            "--experiment-name and --run-name reach no step that is launched elsewhere: leave them out, or unset"
            " CLAIMS_COMPUTE and run the job on the cluster itself."
        )
    for flag, value in given.items():
        if QUOTES & set(value):
            raise NotDone(f"--{flag.replace('_', '-')}={value!r} has a quote or a backslash in it: leave them out.")
    return tracking_for(settings).model_copy(update=given)


def _score(settings: Settings, _: Flags) -> Came:
    _stale(settings, *[_key("gold", name) for name in SCORING])
    return Came()


def _monitor(settings: Settings, _: Flags) -> Came:
    _stale(settings, "group:monitoring")
    return Came()


def _validate(settings: Settings, flags: Flags) -> Came:
    """Bring the results up to date, then the verdict of one month: bias fails, and so does what can't be told."""
    attributes = [a.strip() for a in str(flags.protected_attributes).split(",")]
    if unknown := [a for a in attributes if a not in ATTRIBUTES]:
        raise NotDone(
            f"--protected-attributes names {', '.join(map(repr, unknown))}: give some of {', '.join(ATTRIBUTES)}, with"
            " commas between them."
        )
    _stale(settings, _key("monitoring", "fairness_results"))
    lake = lake_for(settings)
    month = flags.month or max((m for m in lake.rows_by_month(*SCORES) if m), default=months_to_run(settings)[-1])
    try:
        found = verdicts(lake, month, attributes, float(flags.threshold_percentile or 0))
    except NothingToJudge as nothing:
        raise NotDone(str(nothing)) from nothing
    metrics: dict[str, Metric] = {"month": month}
    for verdict in found:
        metrics |= {f"{verdict.attribute}_is_fair": verdict.fair, f"{verdict.attribute}_ratio": verdict.worst_ratio}
    reasons = [v.reason for v in found if not v.fair]
    failure = f"Fraud flags of {month} are not shown to be fair. {' '.join(reasons)}" if reasons else ""
    return Came(metrics, failure)


JOBS: dict[str, FraudJob] = {
    "ingest": FraudJob(lambda _: ("silver", "medical_claims"), _ingest),
    "train": FraudJob(lambda flags: ("gold", f"fraud_scores_{flags.model_type}"), _train),
    "score": FraudJob(lambda _: ("gold", "claim_fraud_scores"), _score),
    "monitor": FraudJob(lambda _: ("monitoring", "psi_results"), _monitor),
    "fairness-validate": FraudJob(lambda _: ("monitoring", "fairness_results"), _validate),
}
