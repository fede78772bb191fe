"""The breaker: nothing is built from a month that is too bad to be believed.

A month of a table is judged by what its own committed write found (`monitoring`). The tables that read it stand still:
their steps refuse it (`guard`), and plans leave it out and go on with the other months (`Standstill`). A run with the
tag `claims/accept_quality` builds from it all the same; that is kept in `monitoring.waivers` by content, so the same
content is not asked about again. Landing files are judged by the bronze table that reads them. Every number here is on
the scale of `monitoring/quality.py`, 0 to 100, or a share.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import dagster as dg

from claims_assets.inputs import Input
from claims_assets.monitoring.built_months import built
from claims_assets.monitoring.contract_results import WHOLE
from claims_assets.monitoring.waivers import QUALITY_ACCEPTED, record, waived
from claims_assets.partitions import spoken
from claims_assets.runtime import records
from claims_assets.sources.feeds import LANDING
from claims_assets.staleness import Contents

if TYPE_CHECKING:
    import pyarrow.compute

    from claims_assets.runtime.lake import Lake
    from claims_assets.table import Table

ACCEPT = "claims/accept_quality"
"""Run tag: the reason for which months that trip the breaker are believed."""
LOWEST_SCORE = 60.0
MOST_ASIDE = 0.05
"""Incident triggers of the public project rdmurugan/agenticdataengineering (its operations guide): quality below 60 %,
processing errors above 5 %, and more than 1,000 critical validation failures (`settings.MOST_FAILURES`). A processing
error: a row set aside. A critical failure: a broken rule that quarantines or blocks."""
JUDGED_FROM = 100
"""Ours: fewer rows say nothing of a month; a single bad row of ten would be 10 %. The same source judges anomalies from
100 rows on."""
LEARNED_FROM = ("gold.risk_training_rows", "gold.claim_fraud_features")
"""What models read."""


@dataclass(frozen=True)
class Quality:
    """What the committed write of one month found."""

    rows: int
    """Kept and set aside."""
    aside: int
    failures: int
    """Broken rules that quarantine or block; a row may break several."""
    score: float | None


@dataclass(frozen=True)
class Bad:
    """A month of a table that trips the breaker."""

    name: str
    month: str
    why: str
    content: str
    """What a waiver accepts: the kept rows, and how many were set aside."""

    def sentence(self, more: int = 0) -> str:
        """What is wrong and how to go on."""
        others = f" (and {more} more)" if more else ""
        return (
            f"{self.name} of {self.month} {self.why}{others}. Correct what was landed, or accept it with"
            f' `claims run --accept-quality "<reason>"` (run tag {ACCEPT}).'
        )


def trigger(found: Quality, most_failures: int) -> str | None:
    """Why a month is not to be believed, as the end of a sentence that begins with it; None: it is fine."""
    if found.rows < JUDGED_FROM:
        return None
    share = found.aside / found.rows
    if found.score is not None and found.score < LOWEST_SCORE:
        return f"has a quality score of {found.score:.1f}, below {LOWEST_SCORE:.0f}"
    if share > MOST_ASIDE:
        return f"has {share:.1%} of its rows in quarantine, above {MOST_ASIDE:.0%}"
    if found.failures > most_failures:
        return f"has {found.failures:,} critical failures, above {most_failures:,}"
    return None


def bad_months(lake: "Lake", names: Collection[str]) -> list[Bad]:
    """The months of these tables that trip the breaker and that nobody has accepted, in their order."""
    scores = {_at(r): r["score"] for r in _committed(lake, "data_quality_scores", names, _low)}
    failures: Counter[tuple[str, str]] = Counter()
    allowed: dict[tuple[str, str], float] = {}
    for r in _committed(lake, "contract_results", names, _broken):
        failures[_at(r)] += r["failed"]
        allowed[_at(r)] = min(r["rows"] * MOST_ASIDE, lake.most_failures)
    # Every row that was set aside broke a rule, so below these a month can't trip; usually all are.
    suspected = scores.keys() | {at for at, n in failures.items() if n > allowed[at]}
    if not suspected:
        return []
    stored = built(lake)
    known = {(name, month): row for name in names for month, row in stored.get(name, {}).items()}
    found = []
    for at in sorted(suspected & known.keys()):
        aside = known[at]["rows_quarantined"]
        quality = Quality(known[at]["rows_kept"] + aside, aside, failures[at], scores.get(at))
        if why := trigger(quality, lake.most_failures):
            found.append(Bad(*at, why, f"{known[at]['fingerprint']}+{aside}"))
    accepted = waived(lake, QUALITY_ACCEPTED) if found else set()
    return [b for b in found if (b.name, b.month, b.content) not in accepted]


def guard(
    lake: "Lake", run: dg.DagsterRun, full_name: str, inputs: Sequence[Input], months: Sequence[str] | None
) -> None:
    """Let a table's step go on, and record what it accepts.

    Raises:
        dg.Failure: an input's month that the table reads trips the breaker, and nobody has accepted it.
    """
    sources = {f"{i.schema}.{i.name}": i for i in inputs if i.schema != LANDING}
    bad = [b for b in bad_months(lake, sources) if _reads(sources[b.name], b.month, months)]
    if not bad:
        return
    reason = run.tags.get(ACCEPT, "").strip()
    if not reason:
        raise dg.Failure(f"{full_name} was not built: {bad[0].sentence(len(bad) - 1)}", allow_retries=False)
    record(lake, QUALITY_ACCEPTED, run, reason, [(b.name, b.month, b.content) for b in bad])


def _reads(source: Input, month: str, asked: Sequence[str] | None) -> bool:
    """Whether the asked months read this one of the input."""
    if month == WHOLE or asked is None:
        return True
    reach = source.window.reach(asked)
    return reach is None or month in reach


class Standstill:
    """What is not to be asked for while bad months are neither corrected nor accepted; a picture of the moment.

    A table stands still in a month when it would read a bad one, or one that was never built because it stands still
    itself. A month that was built before keeps what it holds, and the tables behind it go on with that.
    """

    def __init__(self, lake: "Lake", tables: Iterable["Table"], universe: Sequence[str]) -> None:
        self._tables = {t.full_name: t for t in tables}
        self._lake, self._universe = lake, universe
        self.bad = bad_months(lake, self._tables)
        self._bad = {(b.name, b.month) for b in self.bad}
        self._built: Mapping[str, Collection[str]] = built(lake) if self.bad else {}
        self._found: dict[str, set[str]] = {}

    def months(self, table: "Table") -> set[str]:
        """The months in which a table stands still; `all` for an unpartitioned one."""
        if not self.bad:
            return set()
        name = table.full_name
        if name not in self._found:
            asked = self._universe if table.partitioned else [WHOLE]
            self._found[name] = {m for m in asked if any(self._stops(i, m) for i in table.inputs)}
        return self._found[name]

    def months_of_model(self) -> set[str]:
        """A model learns from all months before its own, so it waits from the first one on that was never built."""
        learned = [self._tables[name] for name in self._behind(LEARNED_FROM)]
        missing = [m for t in learned for m in self.months(t) if not self._is_built(t.full_name, m)]
        return {m for m in self._universe if missing and (WHOLE in missing or m >= min(missing))}

    def _behind(self, names: Iterable[str]) -> set[str]:
        """These tables and all that they are made of."""
        found, left = set(), {name for name in names if name in self._tables}
        while left:
            found |= left
            read = {f"{i.schema}.{i.name}" for name in left for i in self._tables[name].inputs}
            left = read & self._tables.keys() - found
        return found

    def still(self) -> dict[str, list[str]]:
        """Table -> months that it would build now if it did not stand still."""
        contents, found = Contents(self._lake) if self.bad else None, {}
        for name, t in self._tables.items():
            months = sorted(self.months(t))
            asked = None if months == [WHOLE] else months
            if contents and months and (m := contents.stale(t.schema, t.name, t.inputs, asked, t.code_version)):
                found[name] = m
        return found

    def causes(self, still: Mapping[str, Sequence[str]]) -> list[Bad]:
        """The bad months that these tables read in these months."""
        read = [
            (f"{i.schema}.{i.name}", i, None if months == [WHOLE] else months)
            for name, months in still.items()
            for i in self._tables[name].inputs
        ]
        return [b for b in self.bad if any(b.name == name and _reads(i, b.month, m) for name, i, m in read)]

    def sentence(self, of: Collection[str] | None = None) -> str:
        """What of these tables (None: of all) stands still, why, and how to go on; empty when nothing does."""
        still = self.still()
        names = [n if m == [WHOLE] else f"{n} of {spoken(m)}" for n, m in still.items() if of is None or n in of]
        if not names:
            return ""
        first, *more = self.causes(still)
        others = f" and {len(names) - 1} more tables" if len(names) > 1 else ""
        return f"{first.sentence(len(more))} Until then stands still: {names[0]}{others}."

    def _stops(self, source: Input, month: str) -> bool:
        since = self._stopped_by(source, month)
        earlier = since is not None and month != WHOLE and month < since
        return since is not None and not (source.window.by_span and earlier)

    def _stopped_by(self, source: Input, month: str) -> str | None:
        """The first month of an input that stops a month which reads it; empty: nobody knows which; None: none does.

        A row knows nothing of later months, so of a table read by its spans no month before it is concerned.
        """
        name = f"{source.schema}.{source.name}"
        table = self._tables.get(name)
        if table is None:
            return None
        if not table.partitioned:
            if (name, WHOLE) in self._bad:
                return ""
            stands = WHOLE in self.months(table) and not self._is_built(name, WHOLE)
            found = [since for i in table.inputs if (since := self._stopped_by(i, WHOLE)) is not None]
            return min(found) if stands else None
        reach = None if month == WHOLE else source.window.reach([month])
        read = self._universe if reach is None else reach
        stopped = (
            m for m in read if (name, m) in self._bad or (m in self.months(table) and not self._is_built(name, m))
        )
        return min(stopped, default=None)

    def _is_built(self, name: str, month: str) -> bool:
        return month in self._built.get(name, ())


def _at(row: Mapping) -> tuple[str, str]:
    return row["table_name"], row["claim_month"]


def _low() -> "pyarrow.compute.Expression":
    import pyarrow.compute as pc

    return pc.field("score") < LOWEST_SCORE


def _broken() -> "pyarrow.compute.Expression":
    import pyarrow.compute as pc

    return (pc.field("failed") > 0) & (pc.field("severity") != "warn")


def _committed(
    lake: "Lake", table: str, names: Collection[str], which: "Callable[[], pyarrow.compute.Expression]"
) -> list[dict]:
    """What committed writes found: a refused one left the months as they were, and they are what is read."""
    import pyarrow.compute as pc

    rows = records.rows_of(lake.path("monitoring", table))
    if rows is None or not names:
        return []
    return rows.filter(pc.field("table_name").isin(sorted(names)) & pc.field("committed") & which()).to_pylist()
