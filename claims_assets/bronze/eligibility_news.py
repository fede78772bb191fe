"""From which claim month on an eligibility record says something that the records before it did not.

A feed corrects itself by sending a record again, and what has changed in it decides which months may come out
differently: a record that ends an open one speaks of the months from its end on, one that repeats another of none.
Months before `speaks_from` are the same with the record and without it. Elsewhere: which record stands
(`silver/eligibility.py`), who goes by it (`silver/member_months.py`).
"""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

ORIGIN = ("received_month", "source_file", "source_line")
"""How a record came in, not what it says."""
NOT_SAID = ("member_id", "effective_date", "term_date", *ORIGIN)
"""What is no attribute: records of one member and effective date replace each other, and the end is looked at apart."""


def with_speaks_from(landed: DataFrame, columns: Sequence[str]) -> DataFrame:
    """Adds `speaks_from`, YYYY-MM; NULL where a record repeats the one before it.

    Args:
        landed: eligibility records as text.
        columns: those of them that are of the record.
    """
    member, starts, ends, dies = (
        F.trim("member_id"),
        *[F.col(n).try_cast("date") for n in ("effective_date", "term_date", "death_date")],
    )
    in_order = Window.partitionBy("_member", "_starts").orderBy(
        F.asc_nulls_first("received_month"), F.asc("source_file"), F.col("source_line").try_cast("bigint").asc()
    )
    said = F.xxhash64(F.to_json(F.struct(*[n for n in columns if n not in NOT_SAID])))
    told = landed.withColumns({"_member": member, "_starts": starts, "_ends": ends, "_dies": dies, "_said": said})
    before = {f"{n}_before": F.lag(n).over(in_order) for n in ("_ends", "_dies", "_said")}
    first_death = F.min("_dies").over(Window.partitionBy("_member"))
    told = told.withColumns(before | {"_first_death": first_death})
    found = told.withColumn("speaks_from", F.date_format(_first_day_that_differs(), "yyyy-MM"))
    return found.select(*landed.columns, "speaks_from")


def _first_day_that_differs() -> Column:
    """The effective date; where only the end has moved the earlier end; NULL where nothing has changed."""
    is_first, says_otherwise = F.col("_said_before").isNull(), F.col("_said") != F.col("_said_before")
    moved = ~F.col("_ends").eqNullSafe(F.col("_ends_before"))
    since = F.when(is_first | says_otherwise, F.col("_starts")).when(moved, F.least("_ends", "_ends_before"))
    # Nobody is enrolled after death, on whichever record of the member it is written.
    is_of_death = F.coalesce("_dies", "_dies_before").isNotNull()
    return F.when(since.isNotNull() & is_of_death, F.least(since, F.col("_first_death"))).otherwise(since)
