"""What a risk model sees of a member: the inputs, derived in one function for training and for scoring.

Here: the list, and how a column of `gold.member_features` becomes a number. Elsewhere: the features themselves
(`features/member_features.py`), labels (`features/outcomes.py`). No input is derived from an outcome period.
"""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

GENDER_CODES = {"M": 1.0, "F": 0.0, "U": 2.0}
"""As in the public project sechan9999/GenZ, `config/model_config.yaml`."""

INPUTS = (
    "age", "eligibility_years", "dual_eligible", "ltss_indicator", "high_risk_flag", "gender_encoded",
    "has_diabetes", "has_hypertension", "has_copd_asthma", "has_heart_failure", "has_ckd", "has_mental_health",
    "has_obesity", "has_cancer", "chronic_condition_count",
    "claim_count_12mo", "service_days_12mo", "er_visit_count_12mo", "inpatient_admit_count_12mo",
    "high_cost_claim_count", "unique_provider_count", "rx_fill_count_12mo", "unique_drug_count",
    "controlled_substance_count", "recent_claim_count_90d", "claim_count_trend_pct", "cost_trend_pct",
    "days_since_last_medical_claim", "days_since_last_er_visit", "days_since_last_rx_fill",
    "total_paid_12mo", "avg_claim_amount", "total_rx_paid_12mo", "avg_rx_cost",
)  # fmt: skip
"""The 34 inputs of that project's models, in a fixed order."""


def with_inputs(features: DataFrame, *keep: str) -> DataFrame:
    """The columns `keep` as they are, and every input as a double.

    True is 1.0. A missing value stays NULL, which a tree sends down a branch of its own: zero would say "none".
    """
    gender = F.lit(None).cast("double")
    for name, code in GENDER_CODES.items():
        gender = F.when(F.col("gender") == name, F.lit(code)).otherwise(gender)
    numbers = [F.col(n).cast("double").alias(n) for n in INPUTS if n != "gender_encoded" and n not in keep]
    return features.select(*keep, *numbers, gender.alias("gender_encoded"))
