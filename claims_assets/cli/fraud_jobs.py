"""What each job of `claims job` does: bring some assets up to date, and say what came of it.

Here: which assets a job builds and when it fails. Elsewhere: the flags (`job_commands.py`), hooks and copies around a
job (`run_job.py`), the run itself, the same as that of `claims run` (`run.py`). A job that can't show that what it
should show is so fails: a missing result, a group that can't be judged, an attribute that nobody knows are no success.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

import dagster as dg

from claims_assets.automation.hooks import Metric
from claims_assets.cli.errors import NotDone
from claims_assets.cli.instance import instance_for
from claims_assets.cli.run import months_to_run, run_range
from claims_assets.definitions import build
from claims_assets.models.fraud_registry import detector_at, detectors
from claims_assets.models.fraud_supervised import ALGORITHM, NAME
from claims_assets.models.governance.fairness import ATTRIBUTES
from claims_assets.monitoring.flag_fairness import SCORES, NothingToJudge, verdicts
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


def _key(*path: str) -> str:
    return f'key:"{"/".join(path)}"'


def _stale(settings: Settings, *selections: str) -> None:
    """Bring these assets up to date, as `claims run --select` does."""
    run_range(settings, None, None, " or ".join(selections), summary=False)


def _ingest(settings: Settings, _: Flags) -> Came:
    _stale(settings, "group:sources", "group:bronze", "group:silver")
    return Came()


def _train(settings: Settings, flags: Flags) -> Came:
    """The features, the models as of one month, and the claims that they score."""
    algorithm, scores = str(flags.model_type), _key("gold", f"fraud_scores_{flags.model_type}")
    definitions = build(settings, tracking=_tracking_of(settings, flags))
    months = months_to_run(settings)
    month = flags.month or months[-1]
    _stale(settings, _key("gold", "claim_fraud_features"))
    learners = [f"fraud_autoencoder_{algorithm}", *([NAME] if algorithm == ALGORITHM else [])]
    selected = " or ".join(_key("models", name) for name in learners)
    run_range(settings, month, month, selected, definitions=definitions, summary=False)
    came = _trained(settings, algorithm, month)
    if not came.failure:
        _scored_again(settings, scores, _months_of(settings, algorithm, month, months))
        _stale(settings, scores)
        if algorithm == ALGORITHM:
            _scored_again(settings, _key("gold", "fraud_supervised_scores"), _open(settings, months, month))
    return came


def _scored_again(settings: Settings, selected: str, months: Sequence[str]) -> None:
    """What a new version scores comes out differently though no table that it reads has changed."""
    if months:
        run_range(settings, months[0], months[-1], selected, summary=False)


def _months_of(settings: Settings, algorithm: str, month: str, months: Sequence[str]) -> list[str]:
    """The months that the detector as of `month` scores, but for closed ones."""
    versions = detectors(_registry_of(settings), algorithm)
    own = [m for m in months if (found := detector_at(versions, m)) and found.as_of_month == month]
    return _open(settings, own, "")


def _open(settings: Settings, months: Sequence[str], first: str) -> list[str]:
    return [m for m in months if m >= max(first, settings.closed_before or "")]


def _registry_of(settings: Settings) -> Tracking:
    return tracking_for(settings).process_config_and_initialize()


def _trained(settings: Settings, algorithm: str, month: str) -> Came:
    """Numbers of the month's detector; without one the job has not done what it is for."""
    tracking = _registry_of(settings)
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
    return tracking_for(settings, **given)


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
