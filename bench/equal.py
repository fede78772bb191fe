"""Two lakes hold the same rows: counted, summed to the cent and compared row by row, month after month, by DuckDB."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
from deltalake import DeltaTable

from bench.wanted import TABLES, Wanted

MONTH = "claim_month"
ROWS_AT_ONCE = 300_000
DIGITS = 9
"""Decimals to which numbers that are no amounts are compared: Polars divides by a constant with its inverse, and is off
by the last bit."""


class NotEqual(AssertionError):
    """Two ways made different rows."""


def assert_equal(one: Path, other: Path, wanted: Wanted, names: Sequence[str] = TABLES) -> int:
    """Compare all tables of two lakes; the number of rows of the first.

    Raises:
        NotEqual: they differ; a sentence for each table, without a value of a row.
    """
    with duckdb.connect() as db:
        db.execute("set enable_progress_bar = false")
        found = [s for name in names for s in differences(db, one, other, name, wanted)]
        if found:
            raise NotEqual("\n".join(found))
        return sum(DeltaTable(str(one / name.replace("_", "/", 1))).count() for name in names)


def differences(db: duckdb.DuckDBPyConnection, one: Path, other: Path, name: str, wanted: Wanted) -> Iterator[str]:
    """Sentences on what differs in one table."""
    kinds = wanted.duckdb[name]
    for alias, lake in (("a", one), ("b", other)):
        files = ", ".join(f"'{uri}'" for uri in DeltaTable(str(lake / name.replace("_", "/", 1))).file_uris())
        db.execute(
            f"create or replace view {alias} as from read_parquet([{files}], hive_partitioning = true,"
            f" hive_types = {{'{MONTH}': varchar}})"
        )
    columns = {alias: set(db.view(alias).columns) for alias in "ab"}
    if columns["a"] != columns["b"] or columns["a"] != set(kinds):
        yield f"{name}: other columns: {', '.join(sorted(columns['a'] ^ columns['b'] | columns['a'] ^ set(kinds)))}."
        return
    money = [n for n, kind in kinds.items() if kind.startswith("decimal")]
    sums = ", ".join(["count(*)", *(f'sum("{n}")' for n in money)])
    by_month = [dict(_rows(db, f"select {MONTH}, [{sums}] from {a} group by all")) for a in "ab"]
    unlike = sorted(m for m in {*by_month[0], *by_month[1]} if by_month[0].get(m) != by_month[1].get(m))
    if unlike:
        yield f"{name}: rows or sums of money differ in {len(unlike)} months, first {unlike[0]}."
    all_columns = ", ".join(_compared(n, kind) for n, kind in kinds.items())
    rows = {m: by_month[0].get(m, (0,))[0] for m in sorted({*by_month[0], *by_month[1]})}
    for months in _batches(rows):
        some = ", ".join(f"'{m}'" for m in months)
        parts = [f"(select {all_columns} from {a} where {MONTH} in ({some}))" for a in "ab"]
        missing = _count(db, " except all ".join(parts))
        # Of as many rows as the first has, none can be in the second alone.
        if missing or unlike:
            extra = _count(db, " except all ".join(reversed(parts)))
            if not missing + extra:
                continue
            culprits = [n for n in kinds if _count(db, " except all ".join(f"select {n} from {p}" for p in parts))]
            yield (
                f"{name} of {months[0]} to {months[-1]}: {missing} rows only in the first, {extra} only in the"
                f" second; differing: {', '.join(culprits) or 'no single column'}."
            )
            return


def _batches(rows: Mapping[str, Any]) -> Iterator[list[str]]:
    """The months in parts of a bounded number of rows: they are held in memory while they are compared."""
    batch: list[str] = []
    for month, n in rows.items():
        if batch and sum(rows[m] for m in batch) + n > ROWS_AT_ONCE:
            yield batch
            batch = []
        batch.append(month)
    if batch:
        yield batch


def _compared(name: str, kind: str) -> str:
    return f'round("{name}", {DIGITS}) as "{name}"' if kind == "double" else f'cast("{name}" as {kind}) as "{name}"'


def _rows(db: duckdb.DuckDBPyConnection, query: str) -> list[tuple]:
    return [(month, tuple(sums)) for month, sums in db.execute(query).fetchall()]


def _count(db: duckdb.DuckDBPyConnection, query: str) -> int:
    found = db.execute(f"select count(*) from ({query})").fetchone()
    return found[0] if found else 0
