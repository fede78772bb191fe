"""What investigators had decided on claims by the end of a month: the latest decision that was known then.

Here: the decision that holds. Elsewhere: decisions as they came (`bronze/fraud_labels.py`), what is made of them
(`fraud_cases.py`, `models/fraud_supervised.py`). A decision taken back later does not reach an earlier month.
"""

from collections.abc import Sequence

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from claims_assets.silver.codes import normal_id

CONFIRMED, CLEARED = "confirmed", "cleared"


def latest_labels(fraud_labels: DataFrame, months: Sequence[str]) -> DataFrame:
    """`claim_id`, `as_of_month`, `label`, `decided_at`: one row per claim and each of `months` that knew a decision.

    Of two decisions at one time the one that came later in the files holds.

    Args:
        fraud_labels: `bronze.fraud_labels`.
        months: as-of months, YYYY-MM.
    """
    asked = fraud_labels.sparkSession.createDataFrame([(m,) for m in months], "as_of_month string")
    newest = Window.partitionBy("claim_id", "as_of_month").orderBy(
        F.desc("decided_at"), F.desc("source_file"), F.desc("source_line")
    )
    decided = fraud_labels.withColumns(
        {"claim_id": normal_id(F.col("claim_id")), "label": F.lower(F.trim("label"))}
    ).where(F.col("label").isin(CONFIRMED, CLEARED))
    return (
        decided.join(asked, F.col("known_from") <= F.col("as_of_month"))
        .withColumn("_nth", F.row_number().over(newest))
        .where("_nth = 1")
        .select("claim_id", "as_of_month", "label", "decided_at")
    )
