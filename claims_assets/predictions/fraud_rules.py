"""The rules of thumb for suspicious claims, as the source project states them, and how serious they are together.

Here: limits, flags, severity. Elsewhere: the columns they read (`features/claim_fraud_features.py`), what can't be true
of a claim (`features/claim_combinations.py`), the scores beside them (`claim_fraud_scores.py`). The limits are of the
public project sandeshregmi/claims-autoencoder (business rules); what is not known raises no flag.
"""

from pyspark.sql import Column
from pyspark.sql import functions as F

AMOUNT_HIGH, AMOUNT_MEDIUM = 100_000, 50_000
"""USD from which on a claim's amount is high, or medium."""
MOST_CLAIMS_A_MONTH, MOST_CLAIMS_A_WEEK = 5, 2
"""Claims of a member in 30 and in 7 days above which there are too many."""
YOUNG, OLD = (0, 1), (100, 120)
"""Ages that are suspicious, in completed years, both ends included."""
LEAST_EXPERIENCE = 1
"""Years of the provider below which he is new."""
MEDIUM_FROM, HIGH_FROM = 2, 4
"""Number of flags from which on a claim is medium or high; a single one is low."""
RAPID_FROM = 10
"""Previous claims of the member (365 days) from which on the source raises a rapid alert of its own."""
SEVERITIES = ("none", "low", "medium", "high")
FLAGS = (
    "amount_high", "amount_medium", "claims_per_month", "claims_per_week", "patient_age", "provider_experience",
    "impossible_combination",
)  # fmt: skip


def rule_flags() -> Column:
    """Names of the rules that a claim trips, in the order of FLAGS."""
    amount, age = F.col("claim_amount"), F.col("patient_age")
    tripped = {
        "amount_high": amount >= AMOUNT_HIGH,
        "amount_medium": (amount >= AMOUNT_MEDIUM) & (amount < AMOUNT_HIGH),
        "claims_per_month": F.col("claims_month") > MOST_CLAIMS_A_MONTH,
        "claims_per_week": F.col("claims_week") > MOST_CLAIMS_A_WEEK,
        "patient_age": age.between(*YOUNG) | age.between(*OLD),
        "provider_experience": F.col("provider_experience_years") < LEAST_EXPERIENCE,
        "impossible_combination": F.col("impossible_count") > 0,
    }
    return F.array_compact(F.array(*[F.when(tripped[name], F.lit(name)) for name in FLAGS]))


def severity(flags: Column) -> Column:
    """One of SEVERITIES, by the number of flags."""
    count = F.size(flags)
    return (
        F.when(count >= HIGH_FROM, F.lit("high"))
        .when(count >= MEDIUM_FROM, F.lit("medium"))
        .when(count >= 1, F.lit("low"))
        .otherwise(F.lit("none"))
    )


def is_rapid() -> Column:
    """Whether the member has so many previous claims that the source raises its rapid alert."""
    return F.col("num_previous_claims") >= RAPID_FROM
