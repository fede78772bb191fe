"""What was built of each table and month, and from which contents: one row per table and claim month.

Written by every table's own commit. Here: the table. Elsewhere: which months would come out differently now
(`staleness.py`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from claims_assets import columns as c
from claims_assets.contracts import Contract, compiled
from claims_assets.monitoring.contract_results import WHOLE
from claims_assets.monitoring.recorded import recorded
from claims_assets.partitions import MONTH, month_of_index
from claims_assets.runtime import records
from claims_assets.runtime.counting import counting
from claims_assets.runtime.delta import dataset, stored_schema
from claims_assets.runtime.stage import WHOLE as WHOLE_TABLE
from claims_assets.runtime.stage import Findings

if TYPE_CHECKING:
    import pyarrow

    from claims_assets.runtime.lake import Lake

TABLE = ("monitoring", "built_months")

Span = tuple[str, str | None]
"""Columns of an unpartitioned table with the first and the last claim month, or a day of it, of which a row speaks.

None for the last: no row ends. A row with a first month and no last one speaks of every month from the first on. When a
row ends is no content of the months before: who reads it by its spans may use the last month only to tell whether the
row still speaks of a month, so that news which ends a row touch the months from then on and no other.
"""


@dataclass(frozen=True)
class Known:
    """Columns that say when the rows of a table became known, and until when they were held to be true."""

    since: tuple[str, ...]
    """Months or days; the first that a row has. A row without any has always been known."""
    until: str | None = None
    """Month in which it became known that the row holds no longer."""
    later: tuple[str, ...] = ()
    """Further columns that only this later news fills."""


NOTHING = "-"
"""Stands for the content of a month that a table does not have."""


class BuiltMonths(Contract):
    """What was built and from what: one row per table and claim month, as of its last commit.

    An unpartitioned table has the row `all`; one whose rows speak of months also has a row for each month from which on
    they are others than in the month before.
    """

    table_name: str = c.required("Table as `schema.table`.")
    claim_month: str = c.required("Claim month, or `all` for an unpartitioned table.")
    rows_kept: c.Count = c.count("Rows of the table.")
    rows_quarantined: c.Count = c.count("Rows set aside.")
    fingerprint: str = c.required("Hash of the content of the rows, whatever their order.")
    inputs: str = c.required("Hash of the contents that were read to build it.")
    known_content: c.Words = c.optional(
        "As `month hash`: the content of the rows as it was known from that month on; NULL: the table does not tell."
    )

    class Config:
        unique = ["table_name", "claim_month"]


built_months = recorded("built_months", BuiltMonths)
"""Not a step of its own: each table's write adds its rows."""


def publish(
    lake: "Lake",
    schema: str,
    name: str,
    findings: Findings,
    inputs: Mapping[str, str],
    span: Span | None,
    known: Known | None = None,
    ends_told_by: Sequence[str] = (),
) -> None:
    """Replace what is stored for these months of this table, in one commit.

    Args:
        inputs: claim month (`all` for an unpartitioned table) -> hash of the contents that were read.
        span: of an unpartitioned table whose rows speak of months.
        known: of a table that is read as it was known.
        ends_told_by: columns that say the same as the last month of the span.
    """
    import pyarrow as pa

    row = {"table_name": f"{schema}.{name}", "known_content": None}
    told = _as_known(lake, schema, name, list(findings.kept), known) if known else {}
    rows = [
        row
        | {
            "claim_month": month or WHOLE,
            "rows_kept": findings.kept[month],
            "rows_quarantined": findings.quarantined.get(month, 0),
            "fingerprint": findings.fingerprint[month],
            "inputs": inputs[month or WHOLE],
            "known_content": told.get(month, []) if known else None,
        }
        for month in findings.kept
    ]
    if span:
        content = {"rows_quarantined": 0, "inputs": inputs[WHOLE]}
        rows += [
            row | content | {"claim_month": m, "rows_kept": n, "fingerprint": f}
            for m, n, f in _by_month(lake, schema, name, span, ends_told_by)
        ]
    content = pa.Table.from_pylist(rows, schema=compiled(BuiltMonths).arrow_schema())
    months = None if span else [r["claim_month"] for r in rows]
    records.replace(lake, lake.path(*TABLE), content, f"{schema}.{name}", months)


def _by_month(
    lake: "Lake", schema: str, name: str, span: Span, ends_told_by: Sequence[str] = ()
) -> list[tuple[str, int, str]]:
    """Month, rows and fingerprint of the rows that speak of it, for the months in which a row begins or has ended.

    Each stands for the months up to the next one. A row without months speaks of none. Content is a sum, to which a row
    is added in its first month and from which it is taken after its last, so the work does not grow with the months.
    """
    first, last = span
    ends = [last, *ends_told_by] if last and last != first else ends_told_by
    path = lake.path(schema, name)
    content = _hashed([n for n in stored_schema(path).names if n not in ends])
    begin, end = _index(first), _index(last) if last else "null"
    moves = _moves(
        lake,
        path,
        f"with told as (select {begin} as first, {end} as last, {content} as content from rows)"
        " select month, sum(n), sum(content) from ("
        " select first as month, 1 as n, content from told where last is null or last >= first"
        " union all select last + 1, -1, -content from told where last >= first)"
        " where month is not null group by month order by month",
    )
    told, held, content_held = [], 0, 0
    for month, n, moved in moves:
        held, content_held = held + int(n), (content_held + int(moved)) % 2**64
        told.append((month_of_index(int(month)), held, f"{content_held:016x}" if held else NOTHING))
    return told


def _as_known(lake: "Lake", schema: str, name: str, months: Sequence[str], known: Known) -> dict[str, list[str]]:
    """Month ('' for an unpartitioned table) -> `month hash` for each month in which something became known of it."""
    path = lake.path(schema, name)
    names, news = stored_schema(path).names, [known.until, *known.later] if known.until else []
    of = MONTH if WHOLE_TABLE not in months else f"'{WHOLE_TABLE}'"
    since = f"coalesce({', '.join(_month(n) for n in known.since)}, '')"
    said = _hashed([n for n in names if n not in news])
    parts = [f"select {of} as month, {since} as known, {said} as content from rows"]
    if known.until:
        parts.append(f"select {of}, {_month(known.until)}, {_hashed(names)} from rows where {known.until} is not null")
    moves = _moves(
        lake,
        path,
        f"select month, known, sum(content) from ({' union all '.join(parts)}) group by 1, 2 order by 1, 2",
        None if WHOLE_TABLE in months else months,
    )
    found: dict[str, list[str]] = {}
    content, before = 0, None
    for month, since_month, moved in moves:
        content = (int(moved) + (content if month == before else 0)) % 2**64
        before = month
        found.setdefault(month, []).append(f"{since_month} {content:016x}")
    return found


def _moves(lake: "Lake", path: Path, query: str, months: Sequence[str] | None = None) -> list[tuple]:
    """The rows of a query of `rows`, the table of the folder, which is read a part at a time."""
    with counting(lake.spill()) as db:
        db.register("rows", dataset(path, months=months))
        return db.execute(query).fetchall()


def _hashed(names: Sequence[str]) -> str:
    columns = ", ".join(f'"{n}"' for n in names)
    return f"hash({columns})::hugeint"


def _month(column: str) -> str:
    """The month of a month or a day."""
    return f"left(cast({column} as varchar), 7)"


def _index(column: str) -> str:
    """`partitions.month_index` of a month or a day."""
    return f"(try_cast(left({_month(column)}, 4) as int) * 12 + try_cast(right({_month(column)}, 2) as int) - 1)"


Built = Mapping[str, Mapping[str, dict]]
"""Table name -> claim month -> what is stored of it."""
_last: "dict[str, tuple[pyarrow.Table, Built]]" = {}


def built(lake: "Lake") -> Built:
    """What is stored; shared by all who ask, until something is built."""
    path = lake.path(*TABLE)
    rows = records.rows_of(path)
    if rows is None:
        return {}
    known = _last.get(str(path))
    if known is None or known[0] is not rows:
        names, found = list(compiled(BuiltMonths).columns), {}
        for row in rows.to_pylist():
            found.setdefault(row["table_name"], {})[row["claim_month"]] = {n: row.get(n) for n in names}
        known = _last[str(path)] = (rows, found)
    return known[1]


def months_built(lake: "Lake", schema: str, name: str) -> set[str]:
    """Claim months of a table that were ever built, also those that came out empty."""
    return {*lake.rows_by_month(schema, name), *built(lake).get(f"{schema}.{name}", ())}
