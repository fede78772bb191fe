"""Whether a table holds every claim month it should by now, as a rule and as the check `claim_months_are_complete`.

Dagster's freshness asks when a table was last built, whatever months that build was of: a rebuild of an old month hides
that the newest is missing. Here months are counted. The check looks at what was built and runs no table, so it has a
job of its own. Elsewhere: who is told (`alerts/`).
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

import dagster as dg

from claims_assets.monitoring.built_months import built
from claims_assets.monitoring.contract_results import WHOLE
from claims_assets.partitions import add_months, months_between
from claims_assets.setting_values import MONTH_PATTERN
from claims_assets.settings import Settings

if TYPE_CHECKING:
    from claims_assets.runtime.lake import Lake
    from claims_assets.table import Table

CHECK = "claim_months_are_complete"
DESCRIPTION = "Every claim month from the first to the newest that is due was built."
State = Literal["complete", "gap", "late", "never built"]

FEED_DAYS = 5
"""Days after its end in which a claim month must have landed: half of the ten days that monthly feeds of health plans
commonly get, because claims of an open month land all along. A choice of this project; change it to your feed's."""
GRACE_DAYS = {
    "bronze": FEED_DAYS,
    "silver": FEED_DAYS + 1,
    "features": FEED_DAYS + 8,
    "predictions": FEED_DAYS + 9,
    "outreach": FEED_DAYS + 9,
    "monitoring": FEED_DAYS + 10,
}
"""Folder of a layer -> days after the end of a claim month in which its tables must hold it: those of the feed plus the
cadence of each layer on the way (daily, daily, weekly, daily, daily: the refresh times of the public project
rdmurugan/agenticdataengineering, `scripts/create_jobs.py`)."""
AFTER_SCORING = "0 5 * * *"
"""One hour after the daily scoring at 04:00 of the same source."""
TIME_ZONE = "America/New_York"


@dataclass(frozen=True)
class Completeness:
    """The claim months of one table as of a day."""

    state: State
    expected: str
    """The newest claim month that it must hold."""
    first: str | None = None
    newest: str | None = None
    missing: tuple[str, ...] = ()
    """Months between the first and the newest one that were never built."""
    late: tuple[str, ...] = ()
    """Months after the newest one, up to the expected."""


def expected_month(as_of: date, grace_days: int) -> str:
    """The newest claim month that ended at least `grace_days` before `as_of`."""
    return add_months((as_of - timedelta(days=grace_days)).strftime("%Y-%m"), -1)


def completeness(months: Collection[str], expected: str) -> Completeness:
    """Which claim months are missing of a table that holds `months`; a gap says more than being late."""
    if not months:
        return Completeness("never built", expected)
    first, newest = min(months), max(months)
    missing = tuple(m for m in months_between(first, newest) if m not in months)
    late = tuple(months_between(add_months(newest, 1), expected))
    state: State = "gap" if missing else "late" if late else "complete"
    return Completeness(state, expected, first, newest, missing, late)


def of_tables(tables: Sequence["Table"], lake: "Lake", as_of: date) -> dict[str, Completeness]:
    """Full name of each partitioned table -> its claim months as of a day."""
    stored = built(lake)
    found = {}
    for table in tables:
        if table.partitioned:
            held = {m for m in (*stored.get(table.full_name, ()), *_written(lake, table)) if m != WHOLE}
            found[table.full_name] = completeness(held, expected_month(as_of, GRACE_DAYS[table.layer.folder]))
    return found


def _written(lake: "Lake", table: "Table") -> list[str]:
    """Months with rows: of a table that was written before `monitoring.built_months` existed they are all there is."""
    return [m for m in lake.rows_by_month(table.schema, table.name) if MONTH_PATTERN.match(m)]


def in_words(months: Sequence[str]) -> str:
    """The months, the middle of a long list left out."""
    return ", ".join(months) if len(months) <= 6 else f"{', '.join(months[:3])} ... {months[-1]} ({len(months)} months)"


def checks_for(tables: Sequence["Table"]) -> dg.AssetChecksDefinition:
    """One check for each partitioned table, all in one step that reads what was built and builds nothing."""
    names = {t.asset.key: t.full_name for t in tables if t.partitioned}

    @dg.multi_asset_check(
        name=CHECK,
        specs=[
            dg.AssetCheckSpec(
                CHECK, asset=k, description="Every claim month from the first to the newest due is built."
            )
            for k in names
        ],
        can_subset=True,
        required_resource_keys={"lake"},
    )
    def claim_months_are_complete(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        asked = {key.asset_key for key in context.selected_asset_check_keys}
        found = of_tables(tables, context.resources.lake, _started(context))
        for key in names:
            if key in asked:
                yield _result(key, found[names[key]])

    return claim_months_are_complete


def checks_of_steps(graph: Any, keys: Collection[dg.AssetKey]) -> set[dg.AssetCheckKey]:
    """Checks that the steps of these assets make themselves: that of claim months is a step and a job of its own."""
    return {k for k in graph.asset_check_keys if k.asset_key in keys and k.name != CHECK}


def _started(context: dg.AssetCheckExecutionContext) -> date:
    """The day on which the run was created: a rerun judges by its own day."""
    run_id = context.run.run_id
    record = context.instance.get_run_record_by_id(run_id)
    if record is None:
        raise dg.Failure(f"Run {run_id} is not in the instance's storage, so its day is unknown: run it again.")
    return datetime.fromtimestamp(record.create_timestamp.timestamp(), UTC).date()


def _result(key: dg.AssetKey, found: Completeness) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=CHECK,
        passed=found.state == "complete",
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "state": found.state,
            "newest expected month": found.expected,
            "first month": found.first or "none",
            "newest month": found.newest or "none",
            "missing months": in_words(found.missing) or "none",
            "late months": in_words(found.late) or "none",
        },
    )


def schedule_for(checks: dg.AssetChecksDefinition, settings: Settings) -> dg.ScheduleDefinition:
    """A run of the checks alone, every morning after scoring; switched on from the start in production."""
    production = settings.environment == "production"
    return dg.ScheduleDefinition(
        name="daily_claim_month_check",
        job=dg.define_asset_job("check_claim_months", selection=dg.AssetSelection.checks(checks)),
        cron_schedule=AFTER_SCORING,
        execution_timezone=TIME_ZONE,
        default_status=dg.DefaultScheduleStatus.RUNNING if production else dg.DefaultScheduleStatus.STOPPED,
    )
