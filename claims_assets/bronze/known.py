"""The month in which a landed row became known."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F


def with_known_from(landed: DataFrame) -> DataFrame:
    """Add `known_from` to claims: the month received, else the month paid, else the claim month."""
    paid = F.col("paid_date").try_cast("date")
    return landed.withColumn("known_from", known_from(paid, "claim_month"))


def known_from(day: Column, *else_months: str) -> Column:
    """The month received, else the month of a day or time of the row, else the first of the given columns with one.

    A feed that says when its files came in is believed; for a historical load that does not, the day stands in, so that
    the load keeps its history instead of becoming known all at once.
    """
    return F.coalesce("received_month", F.date_format(day, "yyyy-MM"), *else_months)
