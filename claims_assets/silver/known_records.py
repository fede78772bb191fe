"""Eligibility records as they were known at the end of each asked month, all months in one pass.

A record is known from the month in which it was received, without one from the month of its effective date. What a
month shows of a member changes with what was asked only where something was received in hindsight: a record for days
before the month of its receipt, or a death. So each member's asked months fall into few spans, in each of which the
records known at its end say of every month what those known in that month said; most members have one span. Elsewhere:
which records stand today (`silver/eligibility.py`), the tables (`silver/member_months_as_known.py`,
`silver/enrolment_as_known.py`).
"""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from claims_assets.partitions import month_index
from claims_assets.silver.codes import normal_id
from claims_assets.silver.eligibility import MEMBER_AS_KNOWN, with_days_in_force

RECORD = ("member_id", "effective_date")
ORIGIN = ("received_month", "source_file", "source_line", "speaks_from")
"""How a record came in and what was new in it, not what it says."""


def records_as_known(eligibility: DataFrame, months: list[str]) -> DataFrame:
    """`standing_records` as they were known in each asked month: one row per MEMBER_AS_KNOWN and effective date.

    For each month, the rows whose span holds it give the days and attributes up to the month's end that the records
    known by then give alone. Of later days they may say more, so read no day after the month.

    Args:
        eligibility: `bronze.member_eligibility`, all of it.
        months: the asked ones, YYYY-MM.
    """
    asked = [month_index(m) for m in months]
    known = F.col("known") <= F.col("known_last")
    stands = F.col("known_until").isNull() | (F.col("known_until") > F.col("known_last"))
    return (
        _versions(eligibility)
        .transform(lambda v: _by_span(v, min(asked), max(asked)))
        .where(known & stands)
        .drop("known", "known_until", "in_hindsight")
        .transform(lambda r: with_days_in_force(r, MEMBER_AS_KNOWN))
    )


def _versions(eligibility: DataFrame) -> DataFrame:
    """Records with `known` and `known_until` (month numbers; the second not included, NULL: stands), repeats left out.

    `in_hindsight`: from the month `known` on, the record may say something else of earlier months.
    """
    received, effective = _number(F.col("received_month")), _number(F.col("effective_date"))
    in_order = Window.partitionBy(*RECORD).orderBy(
        F.asc_nulls_first("received_month"), F.asc("source_file"), F.asc("source_line")
    )
    later = in_order.rowsBetween(1, Window.unboundedFollowing)
    content = [F.coalesce(F.col(n).cast("string"), F.lit("")) for n in eligibility.columns if n not in ORIGIN]
    dies = F.max("death_date").over(Window.partitionBy(*RECORD)).isNotNull()
    return (
        eligibility.withColumn("member_id", normal_id(F.col("member_id")))
        .withColumn("known", F.coalesce(received, effective))
        # A record without a month of receipt counts as the oldest, whatever its effective date.
        .withColumn("_until", F.min("known").over(later))
        .where("_until is null or known < _until")
        .withColumn("_content", F.xxhash64(*content))
        # A feed that sends all records again each month says nothing new by it.
        .withColumn("_before", F.lag("_content").over(in_order))
        .where("_before is null or _before <> _content")
        .withColumn("known_until", F.lead("known").over(in_order))
        .withColumn("in_hindsight", (F.col("known") > effective) | dies)
        .drop("_until", "_content", "_before")
    )


def _by_span(versions: DataFrame, first: int, last: int) -> DataFrame:
    """Each record for every span of its member's months; together they are `first`..`last`.

    A span begins where something became known in hindsight, and ends before the next one does.
    """
    begins = F.when(F.col("in_hindsight") & F.col("known").between(first + 1, last), F.col("known"))
    collected = F.collect_set(begins).over(Window.partitionBy("member_id"))
    # Where nothing begins, Spark collects no values and the embedded engine a missing array.
    later = F.array_sort(F.coalesce(collected, F.array().cast("array<int>")))
    return (
        versions.withColumn("_later", later)
        .select("*", F.posexplode(F.concat(F.array(F.lit(first)), "_later")).alias("_position", "known_first"))
        .withColumn("known_last", F.coalesce(F.get("_later", "_position") - 1, F.lit(last)))
        .drop("_later", "_position")
    )


def _number(month: Column) -> Column:
    """The number of a month given as text or as a day (`partitions.month_index`)."""
    text = month.cast("string")
    return F.substring(text, 1, 4).cast("int") * 12 + F.substring(text, 6, 2).cast("int") - 1
