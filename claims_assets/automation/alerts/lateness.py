"""What is late or missing: assets that were not built for too long, and claim months that a table lacks.

Here: pure rules from facts to conditions. Elsewhere: what a condition is (`conditions.py`), how old each layer may
become (`freshness.py` of the package), which months are missing (`automation/completeness.py`), the facts (`look.py`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from claims_assets.automation.alerts.conditions import Condition, asset_of, page_of, stamp
from claims_assets.automation.completeness import Completeness, in_words


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
