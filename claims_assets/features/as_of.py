"""When a claim line counts: the as-of months in which its service was recent enough, known, and not yet cancelled.

A version served in month s, known from k and cancelled in x counts in the as-of months max(s, k) .. min(s + 11, x - 1).
That is one interval a version, so a late claim never appears, and a late void never disappears, before it was known. A
rolling window over monthly sums can't say this. Months are numbers here (`partitions.month_index`), so that
differences are months. Elsewhere: what is counted (`utilization.py`, `conditions.py`).
"""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from claims_assets.partitions import MONTH, month_index
from claims_assets.silver.codes import counts_as_cost

WINDOW_MONTHS = 12
"""Look-back of a feature, the as-of month included (365 days in the source system)."""
RECENT_MONTHS = 3
"""The recent part of the window (90 days in the source system); the other nine months are the prior part."""

BLOCK = 60
"""Months whose bits one number holds; powers of two are exact up to there."""
BITS = ("block", "first", "last", "bits")
"""Block of months, first and last bit that is set, and the bits, the block's first month the lowest."""
SPAN = ("span_start", "span_end")
"""First and last as-of month of a row, both included."""


def counting(claim_versions: DataFrame, months: Sequence[str], run_out: int = 0) -> DataFrame:
    """Paid versions that count in any of `months`, with their service month `served` and the SPAN in which they count.

    Args:
        claim_versions: `silver.claim_versions`.
        months: as-of months, YYYY-MM.
        run_out: what is known is judged this many months after the as-of month; 0 for features, more for outcomes.
    """
    asked = [month_index(m) for m in months]
    served, known = _number(F.col(MONTH)), _number(F.col("known_from")) - run_out
    cancelled = _number(F.col("cancelled_on")) - run_out
    first = F.greatest(served, known, F.lit(min(asked)))
    last = F.least(served + WINDOW_MONTHS - 1, cancelled - 1, F.lit(max(asked)))
    paid = claim_versions.where(counts_as_cost())
    return paid.withColumns({"served": served, "span_start": first, "span_end": last}).where("span_start <= span_end")


def is_recent() -> Column:
    """The row's service month lies in the recent part of the window of its `as_of` month."""
    return F.col("as_of") - F.col("served") < RECENT_MONTHS


def disjoint(spans: DataFrame, event: Sequence[str]) -> DataFrame:
    """The same months of every `event`, each month in one span only, so that spans may be counted instead of events."""
    earlier = Window.partitionBy(*event).orderBy(*SPAN).rowsBetween(Window.unboundedPreceding, -1)
    uncovered = F.greatest(F.col("span_start"), F.max("span_end").over(earlier) + 1)
    return spans.select(*event, *SPAN).distinct().withColumn("span_start", uncovered).where("span_start <= span_end")


def spread(spans: DataFrame) -> DataFrame:
    """One row for each month of every span, as `as_of`."""
    return spans.withColumn("as_of", F.explode(F.sequence(*SPAN))).drop(*SPAN)


def joined(spans: DataFrame, event: Sequence[str]) -> DataFrame:
    """One row for every `event` and BLOCK of months, with its months of any span as the bits of one number.

    So an event counts once a month without a sort, and events of the same months are counted before they are spread.

    Returns:
        `event` and the columns of BITS, which `spread_bits` reads.
    """
    blocks = F.sequence(
        F.floor(F.col("span_start") / BLOCK).cast("int"), F.floor(F.col("span_end") / BLOCK).cast("int")
    )
    inside = spans.select(*event, *SPAN, F.explode(blocks).alias("block"))
    first = F.greatest(F.col("span_start") - F.col("block") * BLOCK, F.lit(0))
    last = F.least(F.col("span_end") - F.col("block") * BLOCK, F.lit(BLOCK - 1))
    return inside.groupBy(*event, "block").agg(
        F.min(first).alias("first"),
        F.max(last).alias("last"),
        F.bit_or(_two_to(last + 1) - _two_to(first)).alias("bits"),
    )


def spread_bits(rows: DataFrame) -> DataFrame:
    """One row for each month that the BITS of a row hold, as `as_of`."""
    each = rows.withColumn("_bit", F.explode(F.sequence("first", "last")))
    held = each.where(F.col("bits").bitwiseAND(_two_to(F.col("_bit"))) != 0)
    return held.withColumn("as_of", F.col("block") * BLOCK + F.col("_bit")).drop("_bit", *BITS)


def as_of_number() -> Column:
    """The number of the row's `claim_month`; joins what `spread` made."""
    return _number(F.col(MONTH))


def _number(month: Column) -> Column:
    return F.substring(month, 1, 4).cast("int") * 12 + F.substring(month, 6, 2).cast("int") - 1


def _two_to(power: Column) -> Column:
    return F.pow(F.lit(2), power).cast("bigint")
