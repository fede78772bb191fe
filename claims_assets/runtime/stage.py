"""What a staged frame holds: counts, broken rules, duplicates, fingerprints, and the stream into a table.

The stage is local Parquet, read here by DuckDB (counts) and Arrow (rows); see `runtime/lake.py` for who writes it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from claims_assets.contracts import GRAIN_IS_UNIQUE, Compiled
from claims_assets.partitions import MONTH
from claims_assets.runtime.counting import counting

if TYPE_CHECKING:
    import duckdb
    import pyarrow

REASONS, WARNINGS, RAW = "_reasons", "_warnings", "_raw"
LISTED, LATE = "listed", "late"
"""Entries of the rows' lists of broken rules; rows that were known late."""
WHOLE = ""
"""Stands for the month of an unpartitioned table."""
ROWS_FOR_A_SHARE = 100
"""Below this many rows a quarantined share says nothing, so it blocks nothing."""
BATCH_ROWS = 65_536
TIMELY_MONTHS = 3
"""A row is known in time up to so many months after its claim month: a plan must pay 99 % of clean claims within 90
days (42 CFR 447.45(d)(3))."""


@dataclass
class Findings:
    """What a write found, per claim month (`''` for an unpartitioned table)."""

    kept: dict[str, int] = field(default_factory=dict)
    quarantined: dict[str, int] = field(default_factory=dict)
    fingerprint: dict[str, str] = field(default_factory=dict)
    """Order-independent hash of the kept rows' content."""
    failed: dict[str, dict[str, int]] = field(default_factory=dict)
    """Month -> rule -> rows that break it, of the rules found broken row by row."""
    measured: dict[str, dict[str, int]] = field(default_factory=dict)
    """The same of rules that are only counted: expected values, grain, time."""
    applicable: dict[str, dict[str, int]] = field(default_factory=dict)
    """Month -> rule -> rows to which it applies."""
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

    def rows_of(self, month: str) -> int:
        """Rows of a month, kept or set aside."""
        return self.kept.get(month, 0) + self.quarantined.get(month, 0)

    @property
    def rows_in(self) -> int:
        return self.rows_kept + self.rows_quarantined

    def failed_by_rule(self) -> dict[str, int]:
        """Rule -> rows that break it, over all months."""
        return _by_rule(self.failed)

    def measured_by_rule(self) -> dict[str, int]:
        """Rule that is only counted -> rows that break it, over all months."""
        return _by_rule(self.measured)

    def applicable_by_rule(self) -> dict[str, int]:
        """Rule -> rows to which it applies, over all months."""
        return _by_rule(self.applicable)

    def merge(self, other: "Findings") -> None:
        """Add the findings of another chunk of months of the same write."""
        for name in ("kept", "quarantined", "fingerprint", "failed", "measured", "applicable"):
            getattr(self, name).update(getattr(other, name))
        self.duplicates += other.duplicates
        self.blocked += other.blocked
        if other.rows_expected is not None:
            self.rows_expected = (self.rows_expected or 0) + other.rows_expected


def _by_rule(months: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for rules in months.values():
        for rule, n in rules.items():
            total[rule] = total.get(rule, 0) + n
    return dict(sorted(total.items()))


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
    source = f"read_parquet('{folder}/*.parquet')"
    findings = Findings(rows_expected=rows_expected)
    with counting(folder.parent / "_spill") as db:
        listed = _count(db, source, contract, months, findings)
        refuse_other_months(findings, name, months)
        broken = _count_rules(db, source, contract, months, findings) if listed else 0
        if contract.grain:
            _count_repeats(db, source, contract.grain, months, findings)
    findings.blocked = blockers(findings, contract, name, broken, quarantine_limit)
    return findings


def refuse_other_months(findings: Findings, name: str, months: Sequence[str] | None) -> None:
    """Raise a ValueError where the transform made rows of a month nobody asked for."""
    outside = sorted({*findings.kept, *findings.quarantined} - {*(months or [WHOLE])})
    if outside:
        raise ValueError(f"{name}: the transform made rows of claim months nobody asked for: {', '.join(outside[:3])}.")


def _month_sql(months: Sequence[str] | None) -> str:
    return f"'{WHOLE}'" if months is None else f"coalesce({MONTH}, 'none')"


def _count(db: "duckdb.DuckDBPyConnection", source: str, contract: Compiled, months, findings: Findings) -> int:
    """Fill rows, fingerprints, and all that one read of the columns tells of the rules.

    Returns:
        How many broken rules the rows name, each in its own list.
    """
    columns = ", ".join(f'"{c}"' for c in contract.columns)
    numbers = _numbers(contract)
    rows = db.execute(
        f"select {_month_sql(months)} as month, len({REASONS}) > 0 as bad, count(*),"
        # A sum, because two equal rows must not cancel each other out as they do in an exclusive or.
        f" sum(hash({columns})), {', '.join(numbers.values())} from {source} group by all order by 1, 2"
    ).fetchall()
    return take_counts(findings, contract, months, list(numbers), rows)


def take_counts(
    findings: Findings, contract: Compiled, months: Sequence[str] | None, numbers: Sequence[Any], rows: Sequence[Any]
) -> int:
    """Fill all that one read of the columns tells, whoever counted.

    Args:
        numbers: the keys of `what_to_count`.
        rows: month, whether set aside, number of rows, sum of their contents' hashes, and one count for each of
            `numbers`.

    Returns:
        How many broken rules the rows name, each in its own list.
    """
    for month in months or [WHOLE]:
        findings.kept[month], findings.fingerprint[month] = 0, _fingerprint(0, 0)
    found: dict[str, dict[Any, int]] = {}
    for month, bad, n, content, *counts in rows:
        (findings.quarantined if bad else findings.kept)[month] = n
        if not bad:
            findings.fingerprint[month] = _fingerprint(n, int(content))
        total = found.setdefault(month, dict.fromkeys(numbers, 0))
        for key, part in zip(numbers, counts, strict=True):
            total[key] += int(part)
    for month, total in found.items():
        findings.applicable[month] = {r.name: total[r.about] for r in (*contract.counted, *contract.rules)}
        findings.measured[month] = _measured(contract, total)
        if failed := {r.name: total[r.name] for r in contract.rules if r.is_only_counted and total[r.name]}:
            findings.failed[month] = failed
    return sum(total[LISTED] for total in found.values())


def _fingerprint(rows: int, content: int) -> str:
    """The number of rows counts too: the hash of a row may be zero."""
    return f"{(content + rows) % 2**64:016x}"


def what_to_count(contract: Compiled) -> list[Any]:
    """What is counted in one read: for each tuple of columns the rows that hold all of them, LISTED, the names of the
    rules that are only counted, and LATE."""
    present = {r.about for r in (*contract.counted, *contract.rules)}
    present |= {(str(r.column),) for r in contract.counted if r.check == "present"}
    counted = [r.name for r in contract.rules if r.is_only_counted]
    timely = any(r.check == "timely" for r in contract.counted)
    return [*sorted(present | {()}), LISTED, *counted, *([LATE] if timely else [])]


def _numbers(contract: Compiled) -> dict[Any, str]:
    """`what_to_count` -> how DuckDB counts it."""
    late = f"{_month_number('known_from')} - {_month_number(MONTH)} > {TIMELY_MONTHS}"
    how = {LISTED: f"sum(len({REASONS}) + len({WARNINGS}))", LATE: f"count(*) filter (where {late})"}
    how |= {r.name: f"count(*) filter (where {r.violation_sql()})" for r in contract.rules if r.is_only_counted}
    return {key: how[key] if isinstance(key, str) else _given(key) for key in what_to_count(contract)}


def _given(about: Sequence[str]) -> str:
    """Rows that hold all of these columns. A plain count of one column is five times as fast as one with a filter."""
    if len(about) < 2:
        return f'count("{about[0]}")' if about else "count(*)"
    given = " and ".join(f'"{c}" is not null' for c in about)
    return f"count(*) filter (where {given})"


def _month_number(column: str) -> str:
    """Months since year 0; NULL for a text that is no month, which breaks a rule of its own."""
    return f"(try_cast({column}[1:4] as int) * 12 + try_cast({column}[6:7] as int))"


def _measured(contract: Compiled, total: Mapping[Any, int]) -> dict[str, int]:
    measured = {r.name: total[()] - total[(r.column,)] for r in contract.counted if r.check == "present"}
    return measured | {r.name: total[LATE] for r in contract.counted if r.check == "timely"}


def _count_rules(db: "duckdb.DuckDBPyConnection", source: str, contract: Compiled, months, findings: Findings) -> int:
    """Fill `failed` from the rows' lists; return the rows that break a rule of the contract (rejected ones apart)."""
    rows = db.execute(
        f"select month, rule, count(*) from (select {_month_sql(months)} as month,"
        f" unnest(list_concat({REASONS}, {WARNINGS})) as rule from {source}) group by all order by all"
    ).fetchall()
    take_broken(findings, contract, rows)
    if not findings.rows_quarantined:
        return 0
    found = db.execute(f"select count(*) from {source} where list_has_any({REASONS}, ?)", [own_rules(contract)])
    return (found.fetchone() or (0,))[0]


def take_broken(findings: Findings, contract: Compiled, rows: Sequence[Any]) -> None:
    """Fill `failed` from (month, rule, rows) of the rows' lists, whoever counted; after `take_counts`."""
    unreadable = {r.name for r in contract.counted if r.check == "readable"}
    for month, rule, n in rows:
        findings.failed.setdefault(month, {})[rule] = n
        applicable = findings.applicable[month]
        if rule in unreadable:
            # What could not be read is NULL in the stage, but it was given.
            applicable[rule] += n
        applicable[rule] = max(applicable.get(rule, findings.rows_of(month)), n)


def own_rules(contract: Compiled) -> list[str]:
    """Rules of the contract that set a row aside; what the transform rejected is not the contract's doing."""
    statements = (*contract.counted, *contract.rules)
    return [r.name for r in statements if r.severity != "warn" and r.check != "rejected"]


def _count_repeats(db: "duckdb.DuckDBPyConnection", source: str, grain: Sequence[str], months, findings) -> None:
    """Fill `duplicates` and, by month, `measured`: the rows beyond the first of their grain, each in its own month."""
    key = ", ".join(f'"{c}"' for c in grain)
    kept = f"from {source} where len({REASONS}) = 0" if findings.rows_quarantined else f"from {source}"
    # Hashes take a third of the memory of the values. Equal ones may be of two values, so they are looked at again.
    found = db.execute(f"select count(distinct hash({key})) {kept}").fetchone()
    by_month: dict[str, int] = {}
    if found and found[0] < findings.rows_kept:
        counted = db.execute(
            f"select month, count(*) from (select unnest(list_sort(list({_month_sql(months)}))[2:]) as month {kept}"
            f" group by {key} having count(*) > 1) group by all order by all"
        ).fetchall()
        by_month = dict(counted)
    take_repeats(findings, by_month)


def take_repeats(findings: Findings, by_month: Mapping[str, int]) -> None:
    """Fill `duplicates` from month -> rows beyond the first of their grain, whoever counted; after `take_counts`."""
    findings.duplicates = sum(by_month.values())
    for month, measured in findings.measured.items():
        measured[GRAIN_IS_UNIQUE] = by_month.get(month, 0)


def blockers(findings: Findings, contract: Compiled, name: str, broken: int, limit: float) -> list[str]:
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
    """The kept (or the set-aside) rows of a stage, one bounded batch at a time, with exactly the schema given.

    The batches are rebuilt rather than cast: a cast of a reader keeps the nullability flags of its source, and Delta
    takes its NOT NULL constraints from these flags. Files are read one after another: Arrow's own scanner reads so far
    ahead that it holds a whole commit.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    def batches() -> Iterator["pyarrow.RecordBatch"]:
        for path in sorted(folder.glob("*.parquet")):
            with pq.ParquetFile(path) as file:
                for batch in file.iter_batches(BATCH_ROWS, columns=sorted({*schema.names, REASONS})):
                    is_bad = pc.greater(pc.list_value_length(batch.column(REASONS)), 0)  # pyright: ignore[reportAttributeAccessIssue]  # made at run time
                    bad = is_bad.true_count
                    if bad and bad < batch.num_rows:
                        batch = batch.filter(pc.invert(is_bad) if kept else is_bad)  # pyright: ignore[reportAttributeAccessIssue]
                    elif kept is bool(bad):
                        continue
                    if batch.num_rows:
                        arrays = [batch.column(f.name).cast(f.type) for f in schema]
                        yield pa.RecordBatch.from_arrays(arrays, schema=schema)

    return pa.RecordBatchReader.from_batches(schema, batches())
