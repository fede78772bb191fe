"""What the tables of a lake hold, month by month, whoever built them and in which order."""

from pathlib import Path
from typing import Any

from deltalake import DeltaTable

MONTH, WHOLE = "claim_month", "all"
Content = dict[str, dict[str, list[str]]]
"""Table -> claim month (`all` for a table without) -> its rows as sorted text."""
OF_A_RUN = {"decided_at", "run_id", "recorded_at", "record_id", "sha256"}
"""Columns that say when and by which run a row was written."""


def contents(lake: Path) -> Content:
    """All tables; those that speak of other tables as one entry a table and month they speak of."""
    found: Content = {}
    for log in sorted(lake.glob("*/*/_delta_log")):
        schema, name = log.parent.parent.name, log.parent.name
        table = DeltaTable(str(log.parent)).to_pyarrow_table()
        for row in table.select(sorted(table.column_names)).to_pylist():
            owner = f"{schema}.{name}" + (f" of {row['table_name']}" if "table_name" in row else "")
            month = str(row.get(MONTH) or WHOLE)
            found.setdefault(owner, {}).setdefault(month, []).append(_text(row))
    return {t: {m: sorted(rows) for m, rows in months.items()} for t, months in found.items()}


def _text(row: dict[str, Any]) -> str:
    return repr([(n, value) for n, value in row.items() if n not in OF_A_RUN])


def differences(one: Content, other: Content, months: list[str]) -> list[str]:
    """Tables and months, of these months, in which two lakes differ."""
    found = []
    for table in sorted(one.keys() | other.keys()):
        mine, theirs = one.get(table, {}), other.get(table, {})
        for month in sorted(({*mine} | {*theirs}) & {*months, WHOLE}):
            if mine.get(month) != theirs.get(month):
                found.append(f"{table} {month}: {len(mine.get(month, []))} and {len(theirs.get(month, []))} rows")
    return found


def halves(partial: Content, complete: Content, months: list[str]) -> list[str]:
    """Tables and months that hold something else than nothing or all of it."""
    return [
        f"{table} {month}"
        for table, by_month in partial.items()
        for month, rows in by_month.items()
        if month in months and rows != complete.get(table, {}).get(month)
    ]
