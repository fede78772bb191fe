"""What counts as wrong: pure rules from facts to conditions. A condition holds as long as the rule finds it.

Here: what a condition is, and those of quality, checks, runs and of the watch itself: limits, sentences, remedies; no
clock, no storage. Elsewhere: what is late or missing (`lateness.py`), too few rows (`volume.py`), what moved
(`drift.py`), where the facts come from (`look.py`), which conditions are new (`book.py`). Sentences hold names, months
and counts only, never a value of a row.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from claims_assets.monitoring.contract_results import WHOLE
from claims_assets.monitoring.quality import BANDS

Severity = Literal["warning", "critical"]
Kind = Literal["freshness", "completeness", "quality", "write", "volume", "drift", "check", "run", "alerting"]

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
