"""What happened to members in the twelve months up to a month: the labels of the risk models.

Here: outcomes of a period, with everything that became known up to `run_out` months after it. Elsewhere: features,
which know nothing after their own month (`member_features.py`); which member and month is an index (`models/`).
"""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from claims_assets.features.conditions import chronic_conditions
from claims_assets.features.scores import with_risk_tier
from claims_assets.features.utilization import emergency_visits, lines, stays, with_utilization

RUN_OUT_MONTHS = 3
"""Months after the period in which late claims and voids still count; three or more are usual for incurred claims."""


def outcomes(
    claim_versions: DataFrame, months: list[str], *, members: DataFrame, run_out: int = RUN_OUT_MONTHS
) -> DataFrame:
    """Outcomes of the twelve service months O-11..O for each asked month O: one row per row of `members`.

    For an index month M (features end at M) ask for O = M + 12, and give the members of M with `claim_month` set to O.

    Args:
        claim_versions: `silver.claim_versions` of the months O-11..O, with all that is known of them today.
        months: outcome months O, YYYY-MM.
        members: member_id, claim_month (an outcome month O) and age (completed years that the age score uses).
        run_out: a version counts when it was known, and not yet cancelled, in month O + run_out.

    Returns:
        member_id, claim_month, er_visit_count, inpatient_admit_count, chronic_condition_count (bigint), medical_paid,
        rx_paid, total_paid (double, USD), composite_risk_score (int, 1-12), risk_tier. Never NULL; members without
        claims have zeros.
    """
    people = members.select("member_id", "claim_month", "age").where(F.col("claim_month").isin(months))
    parts = (lines, emergency_visits, stays, chronic_conditions)
    used = with_utilization(people, claim_versions, months, run_out=run_out, parts=parts)
    medical, rx = F.col("total_paid_12mo").cast("double"), F.col("total_rx_paid_12mo").cast("double")
    return used.transform(with_risk_tier).select(
        "member_id",
        "claim_month",
        F.col("er_visit_count_12mo").alias("er_visit_count"),
        F.col("inpatient_admit_count_12mo").alias("inpatient_admit_count"),
        medical.alias("medical_paid"),
        rx.alias("rx_paid"),
        (F.col("total_paid_12mo") + F.col("total_rx_paid_12mo")).cast("double").alias("total_paid"),
        "chronic_condition_count",
        "composite_risk_score",
        "risk_tier",
    )
