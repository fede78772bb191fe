"""The breaker: no table is built from months that are too bad to be believed.

Before a table builds, the months that it reads are judged by what their own writes found (`monitoring`). A run with the
tag `claims/accept_quality` builds from them all the same; that is kept in `monitoring.waivers` by content, so the same
content is not asked about again. Landing files are judged by the bronze table that reads them. Every number here is on
the scale of `monitoring/quality.py`, 0 to 100, or a share.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import dagster as dg

from claims_assets.inputs import Input
from claims_assets.monitoring.built_months import built
from claims_assets.monitoring.contract_results import WHOLE
from claims_assets.monitoring.waivers import QUALITY_ACCEPTED, record, waived
from claims_assets.runtime.delta import delta_exists, read_arrow

if TYPE_CHECKING:
    from claims_assets.runtime.lake import Lake

ACCEPT = "claims/accept_quality"
"""Run tag: the reason for which months that trip the breaker are believed."""
LOWEST_SCORE = 60.0
MOST_FAILURES = 1_000
MOST_ASIDE = 0.05
"""Incident triggers of the public project rdmurugan/agenticdataengineering (its operations guide): quality below 60 %,
more than 1,000 critical validation failures, processing errors above 5 %. Critical: a rule that quarantines or blocks;
a processing error: a row set aside."""
FAILURES_COUNT_FROM = 0.01
"""Ours: a thousand failures count from this share of the rows on. Below it they are the usual dirt of a large feed (the
synthetic population has up to half a percent), and every large plan would stand still."""
JUDGED_FROM = 100
"""Ours: fewer rows say nothing of a month; a single bad row of ten would be 10 %. The same source judges anomalies from
100 rows on."""


@dataclass(frozen=True)
class Quality:
    """What the committed write of one month found."""

    rows: int
    """Kept and set aside."""
    aside: int
    failures: int
    """Broken rules that quarantine or block; a row may break several."""
    score: float | None


def trigger(found: Quality) -> str | None:
    """Why a month is not to be believed, as the end of a sentence that begins with it; None: it is fine."""
    if found.rows < JUDGED_FROM:
        return None
    share = found.aside / found.rows
    if found.score is not None and found.score < LOWEST_SCORE:
        return f"has a quality score of {found.score:.1f}, below {LOWEST_SCORE:.0f}"
    if share > MOST_ASIDE:
        return f"has {share:.1%} of its rows in quarantine, above {MOST_ASIDE:.0%}"
    if found.failures > MOST_FAILURES and found.failures / found.rows >= FAILURES_COUNT_FROM:
        return f"has {found.failures:,} critical failures, above {MOST_FAILURES:,}"
    return None


def guard(
    lake: "Lake", run: dg.DagsterRun, full_name: str, inputs: Sequence[Input], months: Sequence[str] | None
) -> None:
    """Let a table's step go on, and record what it accepts.

    Raises:
        dg.Failure: an input's month that the table reads trips the breaker, and nobody has accepted it.
    """
    known = built(lake)
    read = [(f"{i.schema}.{i.name}", m) for i in inputs for m in _read(i, known, months)]
    bad = [(name, m, known[name][m]["fingerprint"], why) for name, m, why in _tripped(lake, known, read)]
    accepted = waived(lake, QUALITY_ACCEPTED) if bad else set()
    bad = [found for found in bad if found[:3] not in accepted]
    if not bad:
        return
    reason = run.tags.get(ACCEPT, "").strip()
    if not reason:
        name, month, _, why = bad[0]
        more = f" (and {len(bad) - 1} more)" if len(bad) > 1 else ""
        raise dg.Failure(
            f"{full_name} was not built: {name} of {month} {why}{more}. Correct what was landed, or accept it with"
            f' `claims run --accept-quality "<reason>"` (run tag {ACCEPT}).',
            allow_retries=False,
        )
    record(lake, QUALITY_ACCEPTED, run.run_id, reason, [found[:3] for found in bad])


def _read(source: Input, known: Mapping[str, Mapping[str, dict]], months: Sequence[str] | None) -> list[str]:
    """The months of an input that the asked ones read, of those that it has built."""
    held = known.get(f"{source.schema}.{source.name}", {})
    if WHOLE in held:
        return [WHOLE]
    reach = source.window.reach(months) if months else None
    return sorted(held if reach is None else held.keys() & set(reach))


def _tripped(
    lake: "Lake", known: Mapping[str, Mapping[str, dict]], read: Sequence[tuple[str, str]]
) -> Iterator[tuple[str, str, str]]:
    """Table, month and trigger of those that trip."""
    for name in dict.fromkeys(name for name, _ in read):
        months = sorted({m for n, m in read if n == name})
        scores = {r["claim_month"]: r["score"] for r in _rows(lake, "data_quality_scores", name, "score")}
        aside = {m: known[name][m]["rows_quarantined"] for m in months}
        failures = _failures(lake, name) if any(aside.values()) else Counter()
        for month in months:
            rows = known[name][month]["rows_kept"] + aside[month]
            why = trigger(Quality(rows, aside[month], failures[month], scores.get(month)))
            if why:
                yield name, month, why


def _failures(lake: "Lake", name: str) -> Counter[str]:
    """Claim month -> broken rules that quarantine or block."""
    counted: Counter[str] = Counter()
    for row in _rows(lake, "contract_results", name, "severity", "failed"):
        if row["severity"] != "warn":
            counted[row["claim_month"]] += row["failed"]
    return counted


def _rows(lake: "Lake", table: str, name: str, *columns: str) -> list[dict]:
    """What committed writes found of a table: a refused one left the months as they were, and they are what is read."""
    path = lake.path("monitoring", table)
    if not delta_exists(path):
        return []
    found = read_arrow(path, ["claim_month", "committed", *columns], ("table_name", name)).to_pylist()
    return [row for row in found if row["committed"]]
