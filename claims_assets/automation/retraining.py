"""The sensor for models that need training: it asks for the training of the newest complete month, once.

Here: reading `monitoring.model_performance` and `monitoring.drift`, and the request. Elsewhere: what counts as a
reason (`monitoring/model_performance.py`, `monitoring/drift_rules.py`), the monthly training (`schedules.py`), whether
what was trained is let in (`models/promotion`). A complete month has ended, its feed has had its time, and its training
rows are built.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import dagster as dg

from claims_assets.automation.completeness import FEED_DAYS, expected_month
from claims_assets.automation.jobs import TRAINING
from claims_assets.automation.stale_runs import BY, unfinished
from claims_assets.monitoring.built_months import months_built
from claims_assets.monitoring.drift_rules import COMPOSITE, FROM_TRAINING, MAE, PREDICTION_SHIFT, TOLD
from claims_assets.partitions import MONTH, add_months
from claims_assets.runtime.delta import read_arrow
from claims_assets.runtime.lake import Lake
from claims_assets.runtime.tracking import Tracking
from claims_assets.settings import Settings

NAME = "retraining"
SECONDS = 3_600
"""Between two ticks: the table that it reads changes once a month."""
PERFORMANCE, TRAINING_ROWS = ("monitoring", "model_performance"), ("gold", "risk_training_rows")
DRIFT = ("monitoring", "drift")
ASK = (COMPOSITE, FROM_TRAINING, PREDICTION_SHIFT, MAE)
"""Conditions of a model that ask for its training; too few predictions, or a mean out of range, ask for people."""


def retraining_sensor(
    settings: Settings, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> dg.SensorDefinition:
    """The sensor; it runs by itself in production only.

    Args:
        clock: says when it is.
    """
    running = settings.environment == "production"

    @dg.sensor(
        name=NAME,
        job=TRAINING.definition,
        minimum_interval_seconds=SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING if running else dg.DefaultSensorStatus.STOPPED,
        description="Asks for a training when a model fell short, is too old, or its members or predictions drift.",
    )
    def tick(context: dg.SensorEvaluationContext, lake: Lake, tracking: Tracking) -> dg.RunRequest | dg.SkipReason:
        busy = unfinished(context.instance)
        if busy:
            return dg.SkipReason(busy)
        month = newest_complete_month(lake, clock().date())
        if month is None:
            return dg.SkipReason("No complete claim month has training rows yet.")
        wanted = reasons(lake, tracking, month)
        if not wanted:
            return dg.SkipReason(f"No model needs training, as far as is known at the end of {month}.")
        left = {name: why for name, why in wanted.items() if not trained(tracking, name, month)}
        if not left:
            return dg.SkipReason(f"{', '.join(wanted)}: trained as of {month} already.")
        return dg.RunRequest(run_key=_key(month, left), partition_key=month, tags={BY: NAME})

    return tick


def newest_complete_month(lake: Lake, today: date) -> str | None:
    """The newest month that has ended, whose feed has had its time, and whose training rows are built."""
    last = expected_month(today, FEED_DAYS)
    return max((m for m in months_built(lake, *TRAINING_ROWS) if m <= last), default=None)


def reasons(lake: Lake, tracking: Tracking, month: str) -> dict[str, Sequence[str]]:
    """Model -> why it needs training, as far as is known at the end of `month`; those without a reason are left out."""
    found: dict[str, list[str]] = {}
    for name, why in (*_performance(lake, month), *_drift(lake, tracking, month)):
        found.setdefault(name, []).append(why)
    return {name: sorted(why) for name, why in found.items()}


def _performance(lake: Lake, month: str) -> Iterator[tuple[str, str]]:
    """What the newest month says whose outcome year is judged."""
    rows = _rows(lake, PERFORMANCE, ["model_name", MONTH, "reasons"], month)
    newest = max((row[MONTH] for row in rows), default=None)
    yield from ((row["model_name"], why) for row in rows if row[MONTH] == newest for why in row["reasons"])


def _drift(lake: Lake, tracking: Tracking, month: str) -> Iterator[tuple[str, str]]:
    """What the newest month says of a model, unless a version was trained since it began.

    A year's outcome is known fifteen months later, so a new version may have learnt nothing yet of what moved: asking
    again each month would bring nothing but versions.
    """
    rows = _rows(lake, DRIFT, ["subject", "condition", MONTH, "verdict"], month)
    newest = max((row[MONTH] for row in rows), default="")
    bad = {(r["subject"], r["condition"], r[MONTH]) for r in rows if r["verdict"] in TOLD and r["condition"] in ASK}
    for subject, condition, last in sorted(bad):
        if last == newest:
            since = last
            while (subject, condition, add_months(since, -1)) in bad:
                since = add_months(since, -1)
            if not any(since <= v.as_of_month < month for v in tracking.versions(subject)):
                yield subject, condition


def _rows(lake: Lake, table: tuple[str, str], columns: list[str], month: str) -> list[dict[str, Any]]:
    """Rows of the months up to `month`; none of a table that was never built."""
    if not lake.exists(*table):
        return []
    return [r for r in read_arrow(lake.path(*table), columns).to_pylist() if r[MONTH] <= month]


def trained(tracking: Tracking, name: str, month: str) -> bool:
    """A version as of the month is registered; whether the gate let it in is another matter."""
    return any(v.as_of_month == month for v in tracking.versions(name))


def _key(month: str, wanted: Mapping[str, Sequence[str]]) -> str:
    """The same run is not asked for twice, also when it failed."""
    told = [f"{name}: {', '.join(sorted(why))}" for name, why in sorted(wanted.items())]
    return f"{month} {'; '.join(told)}"
