"""What was built of each table and month, and from which contents: one row per table and claim month.

Written by every table's own commit. Here: the table. Elsewhere: which months would come out differently now
(`staleness.py`).
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from claims_assets import columns as c
from claims_assets.contracts import Contract, compiled
from claims_assets.monitoring.contract_results import WHOLE
from claims_assets.monitoring.recorded import recorded
from claims_assets.partitions import MONTH, month_of_index
from claims_assets.runtime.counting import counting
from claims_assets.runtime.delta import delta_exists, read_arrow, stored_files
from claims_assets.runtime.stage import Findings

if TYPE_CHECKING:
    from claims_assets.runtime.lake import Lake

TABLE = ("monitoring", "built_months")

Span = tuple[str, str | None]
"""Columns of an unpartitioned table that hold the first and the last claim month that a row speaks of.

None for the last: no row ends. A row with a first month and no last one speaks of every month from the first on.
"""
NOTHING = "-"
"""Stands for the content of a month that a table does not have."""


class BuiltMonths(Contract):
    """What was built and from what: one row per table and claim month, as of its last commit.

    An unpartitioned table has the row `all`; one whose rows speak of months also has a row for each month.
    """

    table_name: str = c.required("Table as `schema.table`.")
    claim_month: str = c.required("Claim month, or `all` for an unpartitioned table.")
    rows_kept: c.Count = c.count("Rows of the table.")
    rows_quarantined: c.Count = c.count("Rows set aside.")
    fingerprint: str = c.required("Hash of the content of the rows, whatever their order.")
    inputs: str = c.required("Hash of the contents that were read to build it.")

    class Config:
        unique = ["table_name", "claim_month"]


built_months = recorded("built_months", BuiltMonths)
"""Not a step of its own: each table's write adds its rows."""


def publish(
    lake: "Lake", schema: str, name: str, findings: Findings, inputs: Mapping[str, str], span: Span | None
) -> None:
    """Replace what is stored for these months of this table, in one commit.

    Args:
        inputs: claim month (`all` for an unpartitioned table) -> hash of the contents that were read.
        span: of an unpartitioned table whose rows speak of months.
    """
    import pyarrow as pa

    row = {"table_name": f"{schema}.{name}"}
    rows = [
        row
        | {
            "claim_month": month or WHOLE,
            "rows_kept": findings.kept[month],
            "rows_quarantined": findings.quarantined.get(month, 0),
            "fingerprint": findings.fingerprint[month],
            "inputs": inputs[month or WHOLE],
        }
        for month in findings.kept
    ]
    if span:
        content = {"rows_quarantined": 0, "inputs": inputs[WHOLE]}
        rows += [
            row | content | {"claim_month": m, "rows_kept": n, "fingerprint": f}
            for m, n, f in _by_month(lake, schema, name, span)
        ]
    where = {"table_name": [f"{schema}.{name}"]}
    if not span:
        where[MONTH] = [r["claim_month"] for r in rows]
    content = pa.Table.from_pylist(rows, schema=compiled(BuiltMonths).arrow_schema())
    lake.writer.replace(lake.path(*TABLE), content, "table_name", where)


def _by_month(lake: "Lake", schema: str, name: str, span: Span) -> list[tuple[str, int, str]]:
    """Month, rows and fingerprint of the rows that speak of it; a row without months speaks of none.

    Up to the month from which on nothing begins or ends: the last one stands for all later months, also without rows.
    """
    files = stored_files(lake.path(schema, name))
    if not files:
        return []
    rows = f"read_parquet({files}) as rows"
    index = "cast(left({0}, 4) as int) * 12 + cast(right({0}, 2) as int) - 1"
    first, last = (index.format(column) if column else "null" for column in span)
    with counting(lake.spill()) as db:
        found = db.execute(
            f"select max(coalesce({last} + 1, {first})) from {rows} where {first} is not null"
        ).fetchall()
        steady = found[0][0]
        if steady is None:
            return []
        months = f"unnest(range({first}, coalesce({last}, {steady}) + 1))"
        found = db.execute(
            f"select month, count(*), sum(content) % {2**64} from"
            f" (select {months} as month, hash(rows)::hugeint as content from {rows}) group by month order by month"
        ).fetchall()
    told = [(month_of_index(int(month)), n, f"{int(content):016x}") for month, n, content in found]
    return told if found and found[-1][0] == steady else [*told, (month_of_index(int(steady)), 0, NOTHING)]


def built(lake: "Lake") -> dict[str, dict[str, dict]]:
    """Table name -> claim month -> what is stored of it."""
    path = lake.path(*TABLE)
    if not delta_exists(path):
        return {}
    found: dict[str, dict[str, dict]] = {}
    for row in read_arrow(path, list(compiled(BuiltMonths).columns)).to_pylist():
        found.setdefault(row["table_name"], {})[row["claim_month"]] = row
    return found


def months_built(lake: "Lake", schema: str, name: str) -> set[str]:
    """Claim months of a table that were ever built, also those that came out empty."""
    path = lake.path(*TABLE)
    held = set(lake.rows_by_month(schema, name))
    if not delta_exists(path):
        return held
    return held | set(read_arrow(path, ["claim_month"], ("table_name", f"{schema}.{name}"))["claim_month"].to_pylist())
