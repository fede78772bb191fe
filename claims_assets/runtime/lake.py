"""The lake: the only reader and the only writer of Delta tables.

A write stages the frame once as Parquet, with the broken rules of every row computed in that same pass. Counts, grain
and fingerprints are reads of the stage, by this process or, of a large stage, by Spark's workers. Good rows then
replace the asked months in one Delta commit, bad rows go to `quarantine.<schema>_<table>`. When a blocking statement
fails, nothing is committed and the old months stay.
"""

import shutil
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
import pyspark.sql.types as T
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from claims_assets.contracts import REJECTED, Compiled, Contract, compiled
from claims_assets.partitions import MONTH
from claims_assets.runtime.delta import delta_exists, rows_by_month
from claims_assets.runtime.stage import RAW, REASONS, WARNINGS, Findings, examine, write_empty_stage
from claims_assets.runtime.stage_on_spark import ROWS_FOR_SPARK, examine_on_spark, rows_staged
from claims_assets.runtime.writers import DeltaWriter, StagedRows, writer_for
from claims_assets.settings import MOST_FAILURES, Engine

if TYPE_CHECKING:
    import pyarrow

QUARANTINE = "quarantine"


class NeverWritten(FileNotFoundError):
    """A table was read before it was first materialized."""


class Lake(dg.ConfigurableResource):
    """Delta tables under one root folder, at `<root>/<schema>/<table>`."""

    root: str
    engine: Engine = "sail"
    """Decides who commits; see `runtime/writers.py`."""
    closed_before: str | None = None
    """Claim months before it are closed; see `automation/closed_months.py`."""
    memory_limit: int | None = None
    """Bytes that the process may hold; see `runtime/memory.py`."""
    most_failures: int = MOST_FAILURES
    """Critical failures of a month of a table above which nothing is built from it; see `automation/breaker.py`."""

    @property
    def writer(self) -> DeltaWriter:
        """Who commits to the tables."""
        return writer_for(self.engine)

    def path(self, schema: str, table: str) -> Path:
        """Folder of a table, written or not."""
        return Path(self.root) / schema / table

    def spill(self) -> Path:
        """Folder of the lake for what does not fit into memory, there only while something is in it."""
        return Path(self.root) / "_stage" / "_spill"

    def exists(self, schema: str, table: str) -> bool:
        return delta_exists(self.path(schema, table))

    def read(self, spark: SparkSession, schema: str, table: str, months: Sequence[str] | None = None) -> DataFrame:
        """The rows of `months`, or all rows.

        Raises:
            NeverWritten: the table has no commit yet.
        """
        if not self.exists(schema, table):
            raise NeverWritten(f"{schema}.{table} has never been written: materialize it first.")
        frame = spark.read.format("delta").load(str(self.path(schema, table)))
        return frame if months is None else frame.where(F.col(MONTH).isin(list(months)))

    def rows_by_month(self, schema: str, table: str) -> dict[str, int]:
        """Rows per claim month from the Delta log alone; an unpartitioned table has the one key ''."""
        return rows_by_month(self.path(schema, table)) if self.exists(schema, table) else {}

    def write(
        self,
        frame: DataFrame,
        schema: str,
        table: str,
        model: type[Contract],
        months: Sequence[str] | None,
        *,
        rows_expected: int | None = None,
        quarantine_limit: float = 1.0,
    ) -> Findings:
        """Replace `months` (None: the whole table) by the rows that keep the contract.

        Args:
            rows_expected: rows that must come out, kept or set aside; None when the transform may add or drop rows.
            quarantine_limit: share of rows that break the contract above which nothing is committed.

        Returns:
            What was found. `findings.blocked` is not empty when the old rows were left in place.

        Raises:
            ValueError: the frame lacks a contract column, or holds rows of a month nobody asked for.
        """
        contract, name = compiled(model), f"{schema}.{table}"
        folder = Path(self.root) / "_stage" / f"{name}-{uuid.uuid4().hex}"
        try:
            stage_frame(frame, contract, name, folder)
            if not any(folder.glob("*.parquet")):
                write_empty_stage(folder, contract)
            by_spark = self.engine == "spark" and rows_staged(folder) >= ROWS_FOR_SPARK
            look = examine_on_spark if by_spark else examine
            findings = look(folder, contract, name, months, rows_expected, quarantine_limit)
            if not findings.blocked:
                self._commit(folder, schema, table, contract, months, findings)
            return findings
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _commit(
        self,
        folder: Path,
        schema: str,
        table: str,
        contract: Compiled,
        months: Sequence[str] | None,
        findings: Findings,
    ) -> None:
        """Quarantine first: a crash between the two commits repeats rows in quarantine, it never loses one."""
        aside = self.path(QUARANTINE, f"{schema}_{table}")
        where = None if months is None else {MONTH: months}
        if findings.rows_quarantined or delta_exists(aside):
            self.writer.replace(aside, StagedRows(folder, _quarantine_schema(), kept=False), MONTH, where)
        good = StagedRows(folder, contract.arrow_schema(), kept=True)
        self.writer.replace(self.path(schema, table), good, None if months is None else MONTH, where)


def _quarantine_schema() -> "pyarrow.Schema":
    """One shape for every table: where the row came from, the row as it came (JSON), and the rules it broke."""
    import pyarrow as pa

    text = [pa.field(n, pa.string()) for n in ("source_file", MONTH, RAW)]
    return pa.schema(
        [text[0], pa.field("source_line", pa.int64()), *text[1:], pa.field(REASONS, pa.list_(pa.string()))]
    )


def stage_frame(frame: DataFrame, contract: Compiled, name: str, folder: Path) -> None:
    """One pass: columns in their types, the rules each row breaks, and the row as it came where it is set aside.

    Rules that are only counted (`Rule.is_only_counted`) are left to the reading of the stage, which sees each value of
    a column once and not once a row.
    """
    missing = [n for n in contract.columns if n not in frame.columns]
    if missing:
        raise ValueError(
            f"{name}: the transform made no column {', '.join(missing)}: add it there or take it out of the contract."
        )
    payload = [n for n in frame.columns if n not in (RAW, REJECTED)]
    given = dict(frame.dtypes)
    typed = [_as_number(n, t, given[n]).try_cast(t).alias(n) for n, t in contract.columns.items()]
    extra = [F.col(n) for n in (RAW, REJECTED) if n in frame.columns]
    origin = [
        F.col(n).cast(t).alias(n) if n in frame.columns else F.lit(None).cast(t).alias(n)
        for n, t in (("source_file", "string"), ("source_line", "bigint"), (MONTH, "string"))
        if n not in contract.columns
    ]
    staged = frame.select(*typed, *extra, *origin, F.struct(*[F.col(n) for n in payload]).alias("_in"))
    staged = staged.withColumn(REASONS, _broken(contract, frame, "quarantine", "block"))
    if REJECTED in frame.columns:
        staged = staged.withColumn(REASONS, F.concat(REASONS, F.coalesce(REJECTED, F.array().cast("array<string>"))))
    staged = staged.withColumn(WARNINGS, _broken(contract, frame, "warn"))
    # Decimals as text, because engines write 39.70 as 39.70 or as 39.7 in JSON.
    as_it_came = F.to_json(F.struct(*[_as_text(F.col(f"_in.{n}"), given[n]).alias(n) for n in payload]))
    as_it_came = F.coalesce(F.col(RAW), as_it_came) if RAW in frame.columns else as_it_came
    staged = staged.withColumn(RAW, F.when(F.size(REASONS) > 0, as_it_came)).drop("_in", REJECTED)
    staged.write.parquet(str(folder))


def _as_number(name: str, kind: T.DataType, given: str) -> Column:
    """The column; for a whole number given as text without the `.0` that tools write where a column has gaps."""
    if given == "string" and isinstance(kind, T.IntegralType):
        return F.regexp_replace(name, r"\.0*$", "")
    return F.col(name)


def _as_text(column: Column, given: str) -> Column:
    return column.cast("string") if given.startswith("decimal") else column


def _any(conditions: list[Column]) -> Column:
    """Or of all, as a balanced tree: a chain of a hundred would exceed the depth a Connect message may have."""
    if len(conditions) == 1:
        return conditions[0]
    half = len(conditions) // 2
    return _any(conditions[:half]) | _any(conditions[half:])


def _broken(contract: Compiled, frame: DataFrame, *severities: str):
    """Array of the names of the rules of these severities that a row breaks, but for those that are only counted."""
    given = dict(frame.dtypes)
    rules = [(r.name, r.violation()) for r in contract.rules if r.severity in severities and not r.is_only_counted]
    for n, t in contract.columns.items():
        if given[n] != t.simpleString() and contract.unreadable[n] in severities:
            rules.append((f"{n}_is_readable", F.col(f"_in.{n}").isNotNull() & F.col(n).isNull()))
    if not rules:
        return F.array().cast("array<string>")
    any_broken = _any([bad for _, bad in rules])
    names = F.array_compact(F.array(*[F.when(bad, F.lit(name)) for name, bad in rules]))
    return F.when(any_broken, names).otherwise(F.array().cast("array<string>"))
