"""What enrolment spans say about a month: its days one by one, and the gaps of the year up to its end.

Elsewhere: which records stand and the spans they add up to (`silver/eligibility.py`), the table
(`silver/member_months.py`).

A gap is a run of days without enrolment in the twelve months that end with the month. Days before the first enrolment
are one too, so a newborn or newcomer is not continuously enrolled before most of a year is over, and nobody is in the
first months of a feed that brings no earlier spans. Days after the last one up to the month's end are one as well.
"""

from calendar import monthrange
from collections.abc import Sequence
from datetime import date

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from claims_assets.partitions import month_index
from claims_assets.silver.eligibility import MEMBER

MONTHS_LOOKED_BACK = 12
"""Months of the window with its own, as HEDIS measures and T-MSIS data quality measures judge enrolment by the year."""
ALLOWED_GAPS = 1
LONGEST_ALLOWED_GAP_DAYS = 45
"""NCQA, HEDIS: "no more than one gap in enrollment of up to 45 days during each year of continuous enrollment"
(ncqa.org, HEDIS FAQ 000003081). Plans that verify enrolment by the month may have one month without: of whole months
one is never longer than 31 days and two are never shorter than 59, so that this limit says the same (to verify)."""
DAYS_OF_YEAR = {"min_value": 0, "max_value": 366}
DAY_DIGITS = r"^[01]{28,31}$"


def enrolled_on(day: Column) -> Column:
    """Whether the member is enrolled on a day of the month, by `enrolment_by_day`; false where either is missing."""
    # A day number past the end for a missing day: the embedded engine takes a missing position for the first one.
    number = F.coalesce(F.dayofmonth(day), F.lit(32))
    return F.coalesce(F.substring(F.col("enrolment_by_day"), number, F.lit(1)) == "1", F.lit(False))


def enrolment_by_month(spans: DataFrame, months: list[str], of: Sequence[str] = MEMBER) -> DataFrame:
    """One row per member and asked month with an enrolled day, with the enrolment columns of `silver.member_months`.

    Args:
        spans: `enrolment_spans`, up to the last day of the asked months.
        months: the asked ones.
        of: whose spans are read together.
    """
    in_order = Window.partitionBy(*of).orderBy("span_start")
    seen = spans.withColumn("free_from", F.date_add(F.lag("span_end").over(in_order), 1))
    last_seen_by = F.add_months("span_end", MONTHS_LOOKED_BACK - 1)
    return (
        by_month(seen, F.col("span_start"), last_seen_by, months, of)
        .transform(lambda s: _within_window(s, of))
        .groupBy(*of, "claim_month")
        .agg(
            F.sum("days_of_month").cast("int").alias("enrolled_days"),
            F.max("span_start").alias("enrolled_since"),
            F.sum("digits").alias("digits"),
            F.sum("days_of_year").cast("int").alias("enrolled_days_12mo"),
            F.sum(F.when(F.col("gap_before") > 0, 1).otherwise(0)).alias("gaps_before"),
            F.max("gap_before").alias("longest_before"),
            F.max("end").alias("end"),
        )
        .where("enrolled_days > 0")
        .transform(lambda rows: _with_gaps(rows, of))
    )


def _within_window(spans: DataFrame, of: Sequence[str]) -> DataFrame:
    """Each span of a month's window: its days there, and the free days before it."""
    first = F.to_date(F.concat("claim_month", F.lit("-01")))
    opens, closes = F.add_months(first, 1 - MONTHS_LOOKED_BACK), F.last_day(first)
    start, end = F.greatest("span_start", opens), F.least("span_end", closes)
    first_of_month = F.greatest("span_start", first)
    days_of_month = F.greatest(F.datediff(end, first_of_month) + 1, F.lit(0))
    return spans.select(
        *of,
        "claim_month",
        "span_start",
        end.alias("end"),
        days_of_month.alias("days_of_month"),
        (F.datediff(end, start) + 1).alias("days_of_year"),
        F.datediff(start, F.greatest(opens, "free_from")).alias("gap_before"),
        # Spans do not overlap, so that the sum of their binary digits has each day's once.
        F.when(days_of_month > 0, _two_to(F.dayofmonth(end)) - _two_to(F.dayofmonth(first_of_month) - 1)).alias(
            "digits"
        ),
    )


def _with_gaps(rows: DataFrame, of: Sequence[str]) -> DataFrame:
    """The days as text, and the gaps with the one after the last span."""
    closes = F.last_day(F.concat("claim_month", F.lit("-01")))
    gap_after = F.datediff(closes, "end")
    gaps = (F.col("gaps_before") + F.when(gap_after > 0, 1).otherwise(0)).cast("int")
    longest = F.greatest("longest_before", gap_after).cast("int")
    continuous = (gaps <= ALLOWED_GAPS) & (longest <= LONGEST_ALLOWED_GAP_DAYS)
    return rows.select(
        *(*of, "claim_month", "enrolled_days", "enrolled_since", "enrolled_days_12mo"),
        F.reverse(F.lpad(F.bin("digits"), F.dayofmonth(closes), F.lit("0"))).alias("enrolment_by_day"),
        gaps.alias("gap_count_12mo"),
        longest.alias("longest_gap_days_12mo"),
        continuous.alias("continuously_enrolled_12mo"),
    )


def by_month(frame: DataFrame, start: Column, end: Column, months: list[str], of: Sequence[str] = MEMBER) -> DataFrame:
    """Repeat each row for every asked month that its days `start`..`end` touch; adds `claim_month`.

    Of records as they were known (`MEMBER_AS_KNOWN`), for the months in which they were.
    """
    asked = [month_index(m) for m in months]
    bounds = [F.col(n) for n in of[1:]] or [F.lit(min(asked)), F.lit(max(asked))]
    first, last = F.greatest(_month_index(start), bounds[0]), F.least(_month_index(end), bounds[1])
    year, number = F.floor(F.col("_month") / 12).cast("int"), F.col("_month") % 12 + 1
    month = F.format_string("%04d-%02d", year, number)
    return (
        frame.withColumns({"_first": first, "_last": last})
        .where("_first <= _last")  # sequence counts down otherwise
        .withColumn("_month", F.explode(F.sequence("_first", "_last")))
        .where(F.col("_month").isin(asked))
        .withColumn("claim_month", month)
        .drop("_first", "_last", "_month")
    )


def last_day(month: str) -> date:
    """Last day of a claim month."""
    year, number = int(month[:4]), int(month[5:7])
    return date(year, number, monthrange(year, number)[1])


def _month_index(day: Column) -> Column:
    return F.year(day) * 12 + F.month(day) - 1


def _two_to(power: Column) -> Column:
    return F.pow(F.lit(2), power).cast("bigint")
