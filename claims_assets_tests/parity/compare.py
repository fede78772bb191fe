"""Compare two lakes table by table: columns with their types, and every row, both ways, counted by DuckDB."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
from deltalake import DeltaTable

ACCEPTED: Mapping[tuple[str, str], str] = {
    ("monitoring.model_decisions", "decided_at"): "says when the gate decided",
    ("monitoring.model_decisions", "run_id"): "says in which run",
    **{
        ("monitoring.audit_log", column): "says who exported when, in which run, and what the file hashes to"
        for column in ("record_id", "recorded_at", "actor", "run_id", "sha256")
    },
}
"""(table, column) -> why the engines may differ there; nothing else may differ, floats included."""


@dataclass(frozen=True)
class Compared:
    """One table of both lakes."""

    table: str
    rows: int
    """Rows of the first lake."""
    differences: tuple[str, ...]
    """One sentence each; no value of a row."""


def compare(first: Path, second: Path, accepted: Mapping[tuple[str, str], str] = ACCEPTED) -> Iterator[Compared]:
    """Every table that either lake holds, in alphabetical order."""
    logs = [log for lake in (first, second) for log in lake.glob("*/*/_delta_log")]
    for name in sorted({"/".join(log.parent.parts[-2:]) for log in logs}):
        ignored = {column for table, column in accepted if table == name.replace("/", ".")}
        yield _compared(name, first / name, second / name, ignored)


def _compared(name: str, first: Path, second: Path, ignored: set[str]) -> Compared:
    table = name.replace("/", ".")
    missing = [path for path in (first, second) if not (path / "_delta_log").is_dir()]
    if missing:
        return Compared(table, 0, (f"{table} does not exist in {missing[0].parents[1]}.",))
    tables = DeltaTable(str(first)), DeltaTable(str(second))
    stated = [[(f.name, str(f.type), f.nullable) for f in t.schema().fields] for t in tables]
    if stated[0] != stated[1]:
        changed = sorted({name for name, *_ in {*stated[0]} ^ {*stated[1]}}) or ["their order"]
        return Compared(table, 0, (f"{table} has other columns: {', '.join(changed)}.",))
    with duckdb.connect() as db:
        for alias, stored in zip("ab", tables, strict=True):
            db.register(alias, stored.to_pyarrow_table())
        columns = [f'"{n}"' for n, *_ in stated[0] if n not in ignored]
        rows = _count(db, "select * from a")
        return Compared(table, rows, tuple(_differing_rows(db, table, columns)))


def _differing_rows(db: duckdb.DuckDBPyConnection, table: str, columns: list[str]) -> Iterator[str]:
    only = [_only(db, ", ".join(columns), *sides) for sides in ("ab", "ba")]
    if any(only):
        culprits = [c.strip('"') for c in columns if _only(db, c, "a", "b") or _only(db, c, "b", "a")]
        where = ", ".join(culprits) or "no single column"
        yield f"{table}: {only[0]} rows only in the first, {only[1]} only in the second; differing: {where}."


def _only(db: duckdb.DuckDBPyConnection, columns: str, one: str, other: str) -> int:
    return _count(db, f"select {columns} from {one} except all select {columns} from {other}")


def _count(db: duckdb.DuckDBPyConnection, query: str) -> int:
    found = db.execute(f"select count(*) from ({query})").fetchone()
    assert found is not None
    return found[0]
