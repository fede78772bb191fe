"""Counts of a large stage by Spark: the same findings as `stage.examine`, where one machine can't read the stage.

On a cluster the stage lies on shared storage, written by all workers. DuckDB would read it on the driver alone, all its
columns once for the fingerprints: a state's month of claims is tens of gigabytes. Here the workers count and the driver
gets a few rows a month. The commit reads the stage by Spark already (`runtime/writers.py`).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from claims_assets.contracts import Compiled
from claims_assets.partitions import MONTH
from claims_assets.runtime.stage import (
    LATE,
    LISTED,
    REASONS,
    TIMELY_MONTHS,
    WARNINGS,
    WHOLE,
    Findings,
    blockers,
    own_rules,
    refuse_other_months,
    take_broken,
    take_counts,
    take_repeats,
    what_to_count,
)

ROWS_FOR_SPARK = 20_000_000
"""Rows of a stage from which the engine's workers count it: below, one machine has done so before Spark has planned.
Far above `reading.ROWS_PER_CHUNK`, so that such a stage holds one claim month: fingerprints of both ways differ, and a
month changes the way only when its rows changed."""


def rows_staged(folder: Path) -> int:
    """Rows of a stage, from the footers of its files."""
    import pyarrow.parquet as pq

    return sum(pq.read_metadata(file).num_rows for file in folder.glob("*.parquet"))


def examine_on_spark(
    folder: Path,
    contract: Compiled,
    name: str,
    months: Sequence[str] | None,
    rows_expected: int | None,
    quarantine_limit: float,
) -> Findings:
    """`stage.examine` by the session of this process; fingerprints are of another hash than DuckDB's.

    Raises:
        ValueError: the stage holds a month nobody asked for; that is a fault of the transform, not of the data.
    """
    month = F.lit(WHOLE) if months is None else F.coalesce(MONTH, F.lit("none"))
    stage = SparkSession.active().read.parquet(str(folder)).withColumn("_month", month)
    findings = Findings(rows_expected=rows_expected)
    numbers = what_to_count(contract)
    listed = take_counts(findings, contract, months, numbers, _rows(_counted(stage, contract, numbers)))
    refuse_other_months(findings, name, months)
    if listed:
        rules = stage.select("_month", F.explode(F.concat(REASONS, WARNINGS)).alias("rule"))
        take_broken(findings, contract, _rows(rules.groupBy("_month", "rule").agg(F.count("*").alias("n"))))
    if contract.grain:
        take_repeats(findings, _repeats(stage, contract.grain))
    broken = _broken(stage, own_rules(contract)) if findings.rows_quarantined else 0
    findings.blocked = blockers(findings, contract, name, broken, quarantine_limit)
    return findings


def _rows(frame: DataFrame) -> list[tuple[Any, ...]]:
    """A handful of rows for each month."""
    return sorted(tuple(row) for row in frame.collect())


def _counted(stage: DataFrame, contract: Compiled, numbers: Sequence[Any]) -> DataFrame:
    how = {LISTED: F.sum(F.size(REASONS) + F.size(WARNINGS)), LATE: _rows_with(_late())}
    how |= {r.name: _rows_with(r.violation()) for r in contract.rules if r.is_only_counted}
    counts = [how[key] if isinstance(key, str) else _rows_with(_given(key)) for key in numbers]
    return stage.groupBy("_month", (F.size(REASONS) > 0).alias("_bad")).agg(
        F.count("*").alias("_n"),
        F.sum(_content(contract).cast("decimal(38,0)")).alias("_content"),
        *[count.alias(f"_{i}") for i, count in enumerate(counts)],
    )


def _rows_with(condition: Column) -> Column:
    return F.count(F.when(condition, 1))


def _content(contract: Compiled) -> Column:
    """Hash of a row. Spark passes over what is missing, so which columns are missing is hashed too."""
    columns = [F.col(n) for n in contract.columns]
    missing = F.concat(*[F.when(c.isNull(), F.lit("0")).otherwise(F.lit("1")) for c in columns])
    return F.xxhash64(*columns, missing)


def _given(about: Sequence[str]) -> Column:
    given = F.lit(True)
    for name in about:
        given = given & F.col(name).isNotNull()
    return given


def _late() -> Column:
    known, served = (
        F.substring(n, 1, 4).try_cast("int") * 12 + F.substring(n, 6, 2).try_cast("int") for n in ("known_from", MONTH)
    )
    return F.coalesce(known - served > TIMELY_MONTHS, F.lit(False))


def _repeats(stage: DataFrame, grain: Sequence[str]) -> dict[str, int]:
    """Month -> rows beyond the first of their grain."""
    kept = stage.where(F.size(REASONS) == 0)
    counts = kept.groupBy(*grain).agg(F.count("*").alias("_n")).where("_n > 1")
    if not _rows(counts.agg(F.count("*").alias("_n")))[0][0]:
        return {}
    of_key = kept.groupBy(*grain).agg(F.collect_list("_month").alias("_months")).where(F.size("_months") > 1)
    beyond = F.slice(F.array_sort("_months"), F.lit(2), F.size("_months"))
    by_month = of_key.select(F.explode(beyond).alias("_month")).groupBy("_month").agg(F.count("*").alias("_n"))
    return dict(_rows(by_month))


def _broken(stage: DataFrame, rules: Sequence[str]) -> int:
    """Rows that break one of these rules."""
    if not rules:
        return 0
    own = F.arrays_overlap(REASONS, F.array(*[F.lit(rule) for rule in rules]))
    return int(_rows(stage.where(own).agg(F.count("*").alias("_n")))[0][0])
