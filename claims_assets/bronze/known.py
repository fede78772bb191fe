"""The month in which a landed claim row became known."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F


def with_known_from(landed: DataFrame) -> DataFrame:
    """Add `known_from`: the month received, else the month paid, else the claim month.

    A feed that says when its files came in is believed; for a historical load that does not, the paid date stands in,
    so that the load keeps its history instead of becoming known all at once.
    """
    paid = F.date_format(F.col("paid_date").try_cast("date"), "yyyy-MM")
    return landed.withColumn("known_from", F.coalesce("received_month", paid, "claim_month"))
