"""Eligibility records that stand, today or as they were known in a month, and the enrolment they add up to.

A record says: from `effective_date` to `term_date` (both included, no `term_date`: open) the member is enrolled, with
these attributes. Feeds repeat, correct and overlap records; nothing here depends on the order of the rows. Elsewhere:
what spans say about single months (`silver/enrolment.py`), when a record becomes known (`silver/known_records.py`).
"""

from collections.abc import Sequence
from datetime import date

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from claims_assets.silver.codes import normal_id

OPEN_END = date(2100, 1, 1)
"""A term date from here on is a feed's way to write that there is none (9999-12-31, 2299-12-31, ...)."""

MEMBER = ("member_id",)
"""Whose records are read together: all that stand today."""
MEMBER_AS_KNOWN = ("member_id", "known_first", "known_last")
"""Whose records are read together: those known in these asked months (numbers, both included), a member's spans of
months follow each other without gap or overlap (`known_records.py`)."""


def standing_records(eligibility: DataFrame) -> DataFrame:
    """The newest record for each member and effective date, with the days it is in force: `effective_date`..`ends_on`.

    A record that arrives later for the same effective date replaces the earlier one: that is how a feed ends a span in
    hindsight. One that then ends before it starts was taken back and goes. Nobody is enrolled after death, on whichever
    record the death is written. `ends_on` is NULL for an open record, `died_on` is the member's on every record.
    """
    newest = Window.partitionBy("member_id", "effective_date").orderBy(
        F.desc_nulls_last("received_month"), F.desc("source_file"), F.desc("source_line")
    )
    return (
        eligibility.withColumn("member_id", normal_id(F.col("member_id")))
        .withColumn("_newest", F.row_number().over(newest))
        .where("_newest = 1")
        .drop("_newest")
        .transform(with_days_in_force)
    )


def with_days_in_force(records: DataFrame, of: Sequence[str] = MEMBER) -> DataFrame:
    """Adds `died_on` and `ends_on`, and drops what was taken back; one record for each of `of` and effective date."""
    lifetime = (
        Window.partitionBy(*of)
        .orderBy("effective_date")
        .rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)
    )
    ends = F.when(F.col("term_date") < F.lit(OPEN_END), F.col("term_date"))
    return (
        records.withColumn("died_on", F.last("death_date", ignorenulls=True).over(lifetime))
        .withColumn("ends_on", F.least(ends, "died_on"))
        .where("ends_on is null or effective_date <= ends_on")
    )


def enrolment_spans(records: DataFrame, until: date, of: Sequence[str] = MEMBER) -> DataFrame:
    """Enrolment without overlaps: one row per member and span of days up to `until`, both ends included.

    Args:
        records: `standing_records`.
        until: open spans end here, and what starts later is left out.
        of: whose records are read together.

    Returns:
        `of`, `span_start`, `span_end`. Spans that overlap or follow each other without a free day are one.
    """
    days = records.where(F.col("effective_date") <= F.lit(until)).select(
        *of,
        F.col("effective_date").alias("start"),
        F.least(F.coalesce("ends_on", F.lit(until)), F.lit(until)).alias("end"),
    )
    by_start = Window.partitionBy(*of).orderBy("start")
    before = F.max("end").over(by_start.rowsBetween(Window.unboundedPreceding, -1))
    opens = before.isNull() | (F.col("start") > F.date_add(before, 1))
    # Starts ascend, so the newest opening is the largest one so far.
    span_start = F.max("opening").over(by_start.rowsBetween(Window.unboundedPreceding, Window.currentRow))
    return (
        days.withColumn("opening", F.when(opens, F.col("start")))
        .withColumn("span_start", span_start)
        .groupBy(*of, "span_start")
        .agg(F.max("end").alias("span_end"))
    )
