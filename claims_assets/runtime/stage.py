"""What a staged frame holds: counts, broken rules, duplicates, fingerprints, and the stream into a table.

The stage is local Parquet, read here by DuckDB (counts) and Arrow (rows); see `runtime/lake.py` for who writes it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from claims_assets.contracts import Compiled
from claims_assets.partitions import MONTH

if TYPE_CHECKING:
    import duckdb
    import pyarrow

REASONS, WARNINGS, RAW = "_reasons", "_warnings", "_raw"
WHOLE = ""
"""Stands for the month of an unpartitioned table."""
ROWS_FOR_A_SHARE = 100
"""Below this many rows a quarantined share says nothing, so it blocks nothing."""
BATCH_ROWS = 65_536


@dataclass
class Findings:
    """What a write found, per claim month (`''` for an unpartitioned table)."""

    kept: dict[str, int] = field(default_factory=dict)
    quarantined: dict[str, int] = field(default_factory=dict)
    fingerprint: dict[str, str] = field(default_factory=dict)
    """Order-independent hash of the kept rows' content."""
    failed: dict[str, dict[str, int]] = field(default_factory=dict)
    """Month -> rule -> rows that break it."""
    duplicates: int = 0
    """Rows beyond the first of their grain."""
    rows_expected: int | None = None
    blocked: list[str] = field(default_factory=list)
    """One sentence for each reason why nothing was committed."""

    @property
    def rows_kept(self) -> int:
        return sum(self.kept.values())

    @property
    def rows_quarantined(self) -> int:
        return sum(self.quarantined.values())

    @property
    def rows_in(self) -> int:
        return self.rows_kept + self.rows_quarantined

    def failed_by_rule(self) -> dict[str, int]:
        """Rule -> rows that break it, over all months."""
        total: dict[str, int] = {}
        for rules in self.failed.values():
            for rule, n in rules.items():
                total[rule] = total.get(rule, 0) + n
        return dict(sorted(total.items()))

    def merge(self, other: "Findings") -> None:
        """Add the findings of another chunk of months of the same write."""
        for name in ("kept", "quarantined", "fingerprint", "failed"):
            getattr(self, name).update(getattr(other, name))
        self.duplicates += other.duplicates
        self.blocked += other.blocked
        if other.rows_expected is not None:
            self.rows_expected = (self.rows_expected or 0) + other.rows_expected


def write_empty_stage(folder: Path, contract: Compiled) -> None:
    """A stage of no rows: an engine may write no file at all for an empty frame."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = contract.arrow_schema()
    others = {"source_file": pa.string(), "source_line": pa.int64(), MONTH: pa.string(), RAW: pa.string()}
    others |= dict.fromkeys((REASONS, WARNINGS), pa.list_(pa.string()))
    for name, kind in others.items():
        if name not in schema.names:
            schema = schema.append(pa.field(name, kind))
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(schema.empty_table(), folder / "empty.parquet")


def examine(
    folder: Path,
    contract: Compiled,
    name: str,
    months: Sequence[str] | None,
    rows_expected: int | None,
    quarantine_limit: float,
) -> Findings:
    """Count a stage and decide whether it may be committed.

    Raises:
        ValueError: the stage holds a month nobody asked for; that is a fault of the transform, not of the data.
    """
    import duckdb

    source = f"read_parquet('{folder}/*.parquet')"
    findings = Findings(rows_expected=rows_expected)
    with duckdb.connect() as db:
        _count(db, source, contract, months, findings)
        outside = sorted({*findings.kept, *findings.quarantined} - {*(months or [WHOLE])})
        if outside:
            raise ValueError(
                f"{name}: the transform made rows of claim months nobody asked for: {', '.join(outside[:3])}."
            )
        broken = _count_rules(db, source, contract, months, findings)
        if contract.grain:
            findings.duplicates = _duplicates(db, source, contract.grain)
    findings.blocked = _blockers(findings, contract, name, broken, quarantine_limit)
    return findings


def _month_sql(months: Sequence[str] | None) -> str:
    return f"'{WHOLE}'" if months is None else f"coalesce({MONTH}, 'none')"


def _count(db: "duckdb.DuckDBPyConnection", source: str, contract: Compiled, months, findings: Findings) -> None:
    columns = ", ".join(f'"{c}"' for c in contract.columns)
    rows = db.execute(
        f"select {_month_sql(months)} as month, len({REASONS}) > 0 as bad, count(*), bit_xor(hash({columns}))"
        f" from {source} group by all order by all"
    ).fetchall()
    for month in months or [WHOLE]:
        findings.kept[month], findings.fingerprint[month] = 0, f"{0:016x}"
    for month, bad, n, content in rows:
        (findings.quarantined if bad else findings.kept)[month] = n
        if not bad:
            findings.fingerprint[month] = f"{content:016x}"


def _count_rules(db: "duckdb.DuckDBPyConnection", source: str, contract: Compiled, months, findings: Findings) -> int:
    """Fill `failed`; return the rows that break a rule of the contract (rows the transform rejected apart)."""
    severity = contract.severity_of()
    rows = db.execute(
        f"select month, rule, count(*) from (select {_month_sql(months)} as month,"
        f" unnest(list_concat({REASONS}, {WARNINGS})) as rule from {source}) group by all order by all"
    ).fetchall()
    for month, rule, n in rows:
        findings.failed.setdefault(month, {})[rule] = n
    own = [r for r, s in severity.items() if s != "warn"]
    found = db.execute(f"select count(*) from {source} where list_has_any({REASONS}, ?)", [own]).fetchone()
    return found[0] if found else 0


def _duplicates(db: "duckdb.DuckDBPyConnection", source: str, grain: Sequence[str]) -> int:
    key = ", ".join(f'"{c}"' for c in grain)
    found = db.execute(
        f"select coalesce(sum(n - 1), 0) from"
        f" (select count(*) as n from {source} where len({REASONS}) = 0 group by {key} having n > 1)"
    ).fetchone()
    return int(found[0]) if found else 0


def _blockers(findings: Findings, contract: Compiled, name: str, broken: int, limit: float) -> list[str]:
    """The statements that must hold before a commit, and don't."""
    sentences = []
    if findings.duplicates:
        sentences.append(f"{name}: {findings.duplicates} rows repeat the grain ({', '.join(contract.grain)}).")
    if findings.rows_expected is not None and findings.rows_expected != findings.rows_in:
        sentences.append(f"{name}: {findings.rows_expected} rows went in, {findings.rows_in} came out.")
    if findings.rows_in >= ROWS_FOR_A_SHARE and broken > limit * findings.rows_in:
        sentences.append(f"{name}: {broken} of {findings.rows_in} rows break the contract, more than {limit:.0%}.")
    blocking = {r.name for r in contract.rules if r.severity == "block"}
    for rule, n in findings.failed_by_rule().items():
        if rule in blocking:
            sentences.append(f"{name}: {n} rows break {rule}, which blocks the commit.")
    return sentences


def stream(folder: Path, schema: "pyarrow.Schema", *, kept: bool) -> "pyarrow.RecordBatchReader":
    """The kept (or the set-aside) rows of a stage in bounded batches, with exactly the schema given.

    The batches are rebuilt rather than cast: a cast of a reader keeps the nullability flags of its source, and Delta
    takes its NOT NULL constraints from these flags.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.dataset as ds

    reasons = pc.list_value_length(pc.field(REASONS))  # pyright: ignore[reportAttributeAccessIssue]  # made at run time
    wanted = reasons == 0 if kept else reasons > 0
    scanner = ds.dataset(folder, format="parquet").scanner(columns=schema.names, filter=wanted, batch_size=BATCH_ROWS)

    def batches() -> Iterator["pyarrow.RecordBatch"]:
        for batch in scanner.to_batches():
            if batch.num_rows:
                arrays = [batch.column(f.name).cast(f.type) for f in schema]
                yield pa.RecordBatch.from_arrays(arrays, schema=schema)

    return pa.RecordBatchReader.from_batches(schema, batches())
