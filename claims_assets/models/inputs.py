"""What a risk model sees of a member: columns of `gold.member_features`, in a fixed order, as they are.

Here: the list, the codes of words, and which way a risk may only move. Elsewhere: how a column becomes a number
(`risk_artifact.py`, the same for training and scoring), the features themselves (`features/member_features.py`),
labels (`features/risk_training_rows.py`). No input is derived from an outcome period.
"""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from claims_assets.features.scores import BMI_CATEGORIES

SOURCE_INPUTS = (
    "age", "eligibility_years", "dual_eligible", "ltss_indicator", "high_risk_flag", "gender",
    "has_diabetes", "has_hypertension", "has_copd_asthma", "has_heart_failure", "has_ckd", "has_mental_health",
    "has_obesity", "has_cancer", "chronic_condition_count",
    "claim_count_12mo", "service_days_12mo", "er_visit_count_12mo", "inpatient_admit_count_12mo",
    "high_cost_claim_count", "unique_provider_count", "rx_fill_count_12mo", "unique_drug_count",
    "controlled_substance_count", "recent_claim_count_90d", "claim_count_trend_pct", "cost_trend_pct",
    "days_since_last_medical_claim", "days_since_last_er_visit", "days_since_last_rx_fill",
    "total_paid_12mo", "avg_claim_amount", "total_rx_paid_12mo", "avg_rx_cost",
)  # fmt: skip
"""The 34 inputs of the public project sechan9999/GenZ (`config/model_config.yaml`), in its order."""

ADDED = (
    "actuarial_age_risk", "smoking_factor", "bmi_category", "has_substance_use", "charlson_index", "elixhauser_index",
    "max_claim_amount", "avg_length_of_stay", "total_inpatient_days",
    "unique_therapy_class_count", "avg_days_supply", "generic_fill_count", "high_cost_rx_count",
    "prior_claim_count_275d", "recent_paid_90d", "prior_paid_275d", "recent_er_visits_90d", "prior_er_visits_275d",
    "days_since_last_admission",
)  # fmt: skip
"""Further features that were known at the index."""

INPUTS = (*SOURCE_INPUTS, *ADDED)

CATEGORIES = {
    "gender": {"F": 0, "M": 1, "U": 2},
    "bmi_category": {name: code for code, name in enumerate(BMI_CATEGORIES)},
}
"""Input that is a word -> word -> code. Genders as that project codes them; BMI classes from thin to obese."""

MONOTONE = dict.fromkeys(
    (
        "er_visit_count_12mo", "recent_er_visits_90d", "prior_er_visits_275d", "inpatient_admit_count_12mo",
        "total_inpatient_days", "total_paid_12mo", "total_rx_paid_12mo", "chronic_condition_count", "charlson_index",
    ),
    1,
) | dict.fromkeys(("days_since_last_er_visit", "days_since_last_admission"), -1)  # fmt: skip
"""Input -> 1: more of it never lowers a risk, all else equal; -1: never raises it. More use, cost and illness last year
are held to be no sign of less next year, so that no reviewer meets the opposite. Only where sense is plain: neither of
age (newborns), nor of the Elixhauser index (van Walraven's weights are negative for some diseases)."""


def with_inputs(features: DataFrame, *keep: str) -> DataFrame:
    """The columns `keep` as they are, and every input as a double; a word is its code."""
    return features.select(*keep, *[_number(n) for n in INPUTS if n not in keep])


def _number(name: str):
    value = F.lit(None).cast("double")
    for word, code in CATEGORIES.get(name, {}).items():
        value = F.when(F.col(name) == word, F.lit(float(code))).otherwise(value)
    return (value if name in CATEGORIES else F.col(name).cast("double")).alias(name)
