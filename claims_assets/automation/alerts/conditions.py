"""What counts as wrong: pure rules from facts to conditions. A condition holds as long as the rule finds it.

Here: limits, sentences, remedies; no clock, no storage. Elsewhere: where the facts come from (`look.py`), which
conditions are new (`book.py`). Sentences hold names, months and counts only, never a value of a row.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import Any, Literal

from claims_assets.automation.completeness import Completeness, in_words
from claims_assets.monitoring.contract_results import WHOLE
from claims_assets.monitoring.quality import BANDS
from claims_assets.partitions import add_months, month_index

Severity = Literal["warning", "critical"]
Kind = Literal["freshness", "completeness", "quality", "write", "volume", "check", "run", "alerting"]

LOW_VOLUME = 0.5
"""Share of the median of the months before below which a month holds too few rows. Seasons move the claims of a plan by
far less than half; a lost file of one of two large senders does not. A choice of this project."""
MONTHS_BEFORE, LEAST_MONTHS_BEFORE = 12, 6
"""A year, so that every season is in the median; at least half of it."""
RUN_OUT_DAYS = 30
"""Days after its end from which a month is judged: 90% of clean claims must be paid within 30 days (42 CFR
447.45(d)(2)), so a month below half is not merely young."""
LEAST_MEDIAN = 30
"""Rows a month below which chance alone makes half a month: counts of a Poisson process with mean 30 fall below 15
about once in a thousand months."""
LEAST_ROWS = {"gold.member_risk_predictions": 50}
"""Rows below which the newest month of a table is hardly all: limit of the monitoring guide that goes with the public
project juanlamadrid20/insurance-mlops (daily predictions below 50; the project's own view says 10)."""
FAILURES_TOLD = 3
"""Failed rounds in a row that are told: what one or two could not deliver went out minutes later."""
MEND_RUN = "See the step that failed in the run, mend its cause, and run the same months again."


def stamp(moment: datetime) -> str:
    """A moment as it is stored and shown."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment_of(seconds: float) -> datetime:
    """A Unix time as a moment."""
    return datetime.fromtimestamp(seconds, UTC)


@dataclass(frozen=True)
class Condition:
    """Something that is wrong now."""

    kind: Kind
    subject: str
    severity: Severity
    what: str
    remedy: str
    page: str
    asset: str | None = None
    claim_month: str | None = None
    since: datetime | None = None
    """None where it can't be known."""

    @property
    def key(self) -> tuple[str, str, str | None]:
        return self.kind, self.subject, self.claim_month


def asset_of(table_name: str) -> str:
    """`schema.table` as an asset key."""
    return table_name.replace(".", "/", 1)


def page_of(asset: str, view: str = "", month: str | None = None) -> str:
    """Page of an asset in the UI."""
    asked = [f"view={view}"] * bool(view) + [f"partition={month}"] * bool(month and month != WHOLE)
    return f"assets/{asset}" + ("?" + "&".join(asked) if asked else "")


@dataclass(frozen=True)
class Freshness:
    """When an asset with a freshness policy was last built, and how old it may become."""

    asset: str
    last_built: datetime | None
    warn_after: timedelta | None
    fail_after: timedelta | None
    """None where the policy is no window of time; then `stored_state` counts."""
    stored_state: str | None = None
    confirmed: datetime | None = None
    """When it was last found to need no build: what it was built from had not changed."""

    @property
    def as_of(self) -> datetime | None:
        """The last moment at which it was as it should be."""
        return max(filter(None, (self.last_built, self.confirmed)), default=None) if self.last_built else None


def freshness_state(fact: Freshness, now: datetime) -> str:
    """PASS, WARN, FAIL or NEVER BUILT, by the rule of Dagster's own daemon but at a given moment.

    Two differences. Dagster leaves an asset that was never built at UNKNOWN for ever; here that is a state to be told.
    And a table that needs no build is not late: no month of it would come out differently.
    """
    if fact.as_of is None:
        return "NEVER BUILT"
    if fact.fail_after is None:
        return fact.stored_state or "UNKNOWN"
    age = now - fact.as_of
    if age >= fact.fail_after:
        return "FAIL"
    return "WARN" if fact.warn_after and age >= fact.warn_after else "PASS"


def freshness(facts: Iterable[Freshness], now: datetime) -> list[Condition]:
    """Assets that were never built, or not for too long."""
    return [c for fact in facts if (c := _freshness(fact, freshness_state(fact, now)))]


def _freshness(fact: Freshness, state: str) -> Condition | None:
    if state not in ("NEVER BUILT", "WARN", "FAIL"):
        return None
    then, window = fact.as_of, fact.warn_after if state == "WARN" else fact.fail_after
    what = f"{fact.asset} was never built."
    if then:
        did = "built" if then == fact.last_built else "found up to date"
        allowed = f" and may be {window.total_seconds() / 3600:.0f} hours old" if window else ""
        what = f"{fact.asset} was last {did} at {stamp(then)}{allowed}."
    return Condition(
        "freshness",
        fact.asset,
        "critical" if state == "FAIL" else "warning",
        what,
        "Run `claims run`, or materialize the asset; see whether its schedule is on and its last run failed.",
        page_of(fact.asset),
        asset=fact.asset,
        since=then + window if then and window else None,
    )


def completeness(found: Mapping[str, Completeness]) -> list[Condition]:
    """Tables without a claim month they should hold. One that was never built is told by its freshness."""
    return [c for name, f in found.items() if (c := _completeness(asset_of(name), f))]


def _completeness(asset: str, found: Completeness) -> Condition | None:
    if found.state == "gap":
        what, severity = f"{asset} lacks claim months {in_words(found.missing)}", "critical"
        what += f" between its first, {found.first}, and its newest, {found.newest}."
    elif found.state == "late":
        what, severity = f"{asset} ends at {found.newest}; {found.expected} was due.", "warning"
    else:
        return None
    first = (found.missing or found.late)[0]
    last = (found.missing or found.late)[-1]
    return Condition(
        "completeness",
        asset,
        severity,
        what,
        f"See that the files of these months have landed, then run `claims run --from {first} --to {last}`.",
        page_of(asset, "partitions"),
        asset=asset,
    )


def quality(scores: Iterable[Mapping[str, Any]]) -> list[Condition]:
    """Months whose quality score is low, and months whose last write was stopped.

    Args:
        scores: rows of `monitoring.data_quality_scores`.
    """
    found = []
    for row in scores:
        asset, month = asset_of(row["table_name"]), row["claim_month"]
        place = f"{asset} {'' if month == WHOLE else month}".strip()
        page = page_of(asset, "checks")
        if row["band"] in LOW_BANDS:
            limit = LOW_BANDS[row["band"]]
            what = f"The quality score of {place} is {row['score']:.1f} of 100, below {limit:.0f}."
            remedy = "See which rules are broken in monitoring.contract_results (docs/quality.md), and ask the sender."
            found.append(Condition("quality", asset, row["band"], what, remedy, page, asset, month))
        if not row["committed"]:
            what = f"The last write of {place} was stopped by a blocking check; what was there before stays."
            remedy = "See the failed checks of the asset, mend the feed or the contract, and run the month again."
            found.append(Condition("write", asset, "critical", what, remedy, page, asset, month))
    return found


LOW_BANDS = {name: limit for limit, name in BANDS.items() if name in ("critical", "warning")}
"""Bands that are alerts, with the score below which they begin."""


def low_volume(rows: Mapping[str, Mapping[str, int]], as_of: date) -> list[Condition]:
    """Months that hold far fewer rows than those before them.

    Args:
        rows: table name -> claim month -> rows.
    """
    newest = add_months((as_of - timedelta(days=RUN_OUT_DAYS)).strftime("%Y-%m"), -1)
    return [
        c
        for name, by_month in rows.items()
        for month in sorted(by_month)
        if month <= newest and (c := _low(asset_of(name), month, by_month))
    ]


def _low(asset: str, month: str, by_month: Mapping[str, int]) -> Condition | None:
    index = month_index(month)
    before = [n for m, n in by_month.items() if 0 < index - month_index(m) <= MONTHS_BEFORE]
    if len(before) < LEAST_MONTHS_BEFORE:
        return None
    usual = median(before)
    if usual < LEAST_MEDIAN or by_month[month] >= LOW_VOLUME * usual:
        return None
    return Condition(
        "volume",
        asset,
        "warning",
        f"{asset} {month} holds {by_month[month]:,} rows; the months before it usually hold {usual:,.0f}.",
        "See whether a file of this month is missing in the landing folder, and whether rows were quarantined.",
        page_of(asset, "partitions", month),
        asset=asset,
        claim_month=month,
    )


def few_rows(rows: Mapping[str, Mapping[str, int]]) -> list[Condition]:
    """Tables whose newest month holds fewer rows than there must be, whatever is usual.

    Args:
        rows: table name -> claim month -> rows.
    """
    newest = {name: max(by_month) for name, by_month in rows.items() if name in LEAST_ROWS and by_month}
    return [
        Condition(
            "volume",
            asset_of(name),
            "warning",
            f"{asset_of(name)} {month} holds {rows[name][month]:,} rows, fewer than {LEAST_ROWS[name]}.",
            "See whether the members' features of this month were built, and whether rows were quarantined.",
            page_of(asset_of(name), "partitions", month),
            asset=asset_of(name),
            claim_month=month,
        )
        for name, month in newest.items()
        if rows[name][month] < LEAST_ROWS[name]
    ]


@dataclass(frozen=True)
class CheckState:
    """The last word of one asset check."""

    asset: str
    check: str
    state: Literal["passed", "failed", "raised", "nothing to look at"]
    blocking: bool
    """Whether its failure is an error, not a warning."""
    at: datetime | None


def checks(states: Iterable[CheckState], stopped: Iterable[str] = ()) -> list[Condition]:
    """Checks that are not healthy: those that failed, raised an error, or had nothing to look at.

    Args:
        stopped: assets whose stopped months are told by `quality`, month by month; a failed blocking check of theirs
            would tell the same again and forget it with the next month that is well.
    """
    told = set(stopped)
    return [
        _check(s)
        for s in states
        if s.state != "passed" and not (s.state == "failed" and s.blocking and s.asset in told)
    ]


def _check(state: CheckState) -> Condition:
    said = {
        "failed": f"The check {state.check} of {state.asset} failed.",
        "raised": f"The check {state.check} of {state.asset} could not be made: its step raised an error.",
        "nothing to look at": f"The check {state.check} of {state.asset} had nothing to look at.",
        "passed": "",
    }
    severe = state.state == "raised" or (state.state == "failed" and state.blocking)
    return Condition(
        "check",
        f"{state.asset}: {state.check}",
        "critical" if severe else "warning",
        said[state.state],
        "See what the check found in the UI; rows that were set aside are in the quarantine schema.",
        page_of(state.asset, "checks"),
        asset=state.asset,
        since=state.at,
    )


@dataclass(frozen=True)
class FailedRun:
    """A run that failed and whose work was not done since."""

    run_id: str
    job: str
    steps: tuple[str, ...]
    """Assets or steps that failed."""
    months: tuple[str, ...]
    """First and last claim month asked for, if any."""
    at: datetime


def failed_runs(runs: Iterable[FailedRun]) -> list[Condition]:
    """Failed runs. What a step said is not repeated: an exception may hold anything."""
    return [_failed_run(run) for run in runs]


def _failed_run(run: FailedRun) -> Condition:
    where = f" at {', '.join(run.steps[:3])}" if run.steps else ""
    months = f" for {' to '.join(dict.fromkeys(run.months))}" if run.months else ""
    return Condition(
        "run",
        run.run_id,
        "warning",
        f"Run {run.run_id[:8]} of {run.job}{months} failed{where}.",
        MEND_RUN,
        f"runs/{run.run_id}",
        asset=run.steps[0] if len(run.steps) == 1 else None,
        since=run.at,
    )


def blind(watched: str, error: str) -> Condition:
    """A part of the watch that raised an error, or found nothing where there must be something, is itself unhealthy."""
    return Condition(
        "alerting",
        f"watch of {watched}",
        "critical",
        f"The watch of {watched} saw nothing: {error}.",
        "See the log of the sensor on_health_change; until it is mended these alerts neither open nor recover.",
        "locations",
    )


def own_health(failing_since: str | None, failures: int, said: str | None, silent_from: str | None) -> list[Condition]:
    """The sensor's own failed or missing ticks, told by the next one that works."""
    if failures >= FAILURES_TOLD:
        what = f"{failures} ticks of the alert sensor in a row failed, the first at {failing_since}: {said}"
    elif silent_from:
        what = f"The alert sensor did not tick after {silent_from}: in that time nothing was watched."
    else:
        return []
    return [
        Condition(
            "alerting",
            "alert sensor",
            "critical",
            what,
            "See the ticks of the sensor on_health_change and the log of the daemon, and run `claims alerts test`.",
            "locations",
        )
    ]
