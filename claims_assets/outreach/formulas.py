"""Scores, tiers, channels and costs of the outreach program, with the constants they rest on.

All constants: the immunization targeting notebook of the public project sechan9999/GenZ
(`notebooks/05_immunization_targeting.py`), whose list this one replaces. They are program assumptions, not findings.
"""

from pyspark.sql import Column
from pyspark.sql import functions as F

from claims_assets.numbers import rounded

TIER_POINTS = {"High": 80, "Medium": 60, "Low": 40}
OTHER_TIER_POINTS = 20
SENIOR_AGE, SENIOR_POINTS = 65, 15
MANY_CONDITIONS, MANY_CONDITIONS_POINTS = 3, 5
MAXIMUM_PRIORITY = 100

WEIGHTS = {
    "immunization_priority_score": 0.4,
    "high_risk_score": 30.0,
    "er_utilization_risk_score": 20.0,
    "high_cost_risk_score": 10.0,
}
"""Weights of the outreach score; the three risk scores are probabilities, so their weights carry the factor 100."""

TIERS = (
    (80, "Tier 1 - Immediate", "Phone Call + Letter"),
    (60, "Tier 2 - High Priority", "Phone Call"),
    (40, "Tier 3 - Standard", "Letter"),
    (float("-inf"), "Tier 4 - Routine", "Email/Portal Message"),
)
"""(least outreach score, tier, recommended channel), highest first."""

OFTEN_IN_EMERGENCY, FLU_ADMISSION_COST = 2, 3_500
MULTIMORBID, PNEUMONIA_ADMISSION_COST = 2, 5_000
OTHER_PREVENTABLE_COST = 1_500


def priority_score() -> Column:
    """0-100 from risk tier, age and number of chronic conditions."""
    tier = F.lit(OTHER_TIER_POINTS)
    for name, points in TIER_POINTS.items():
        tier = F.when(F.col("risk_tier") == name, points).otherwise(tier)
    senior = F.when(F.col("age") >= SENIOR_AGE, SENIOR_POINTS).otherwise(0)
    many = F.when(F.col("chronic_condition_count") >= MANY_CONDITIONS, MANY_CONDITIONS_POINTS).otherwise(0)
    return F.least(tier + senior + many, F.lit(MAXIMUM_PRIORITY)).cast("double")


def outreach_score() -> Column:
    """0-100: the priority score blended with the three risk scores."""
    parts = [F.col(name) * F.lit(weight) for name, weight in WEIGHTS.items()]
    return rounded(sum(parts[1:], parts[0]), 4)


def by_tier(position: int) -> Column:
    """The tier (1) or the recommended channel (2) of the row's outreach score."""
    chosen = F.lit(TIERS[-1][position])
    for tier in reversed(TIERS[:-1]):
        chosen = F.when(F.col("outreach_priority_score") >= tier[0], F.lit(tier[position])).otherwise(chosen)
    return chosen


def tier_of(score: float) -> str:
    """The tier of one outreach score."""
    return next(tier for least, tier, _ in TIERS if score >= least)


def preventable_cost() -> Column:
    """USD that a prevented admission would save: the first case that holds."""
    flu_risk = (F.col("age") >= SENIOR_AGE) | (F.col("chronic_condition_count") >= 1)
    lungs_or_heart = F.col("has_diabetes") | F.col("has_copd_asthma") | F.col("has_heart_failure")
    pneumonia_risk = (F.col("age") >= SENIOR_AGE) | lungs_or_heart
    return (
        F.when(flu_risk & (F.col("er_visit_count_12mo") >= OFTEN_IN_EMERGENCY), FLU_ADMISSION_COST)
        .when(pneumonia_risk & (F.col("chronic_condition_count") >= MULTIMORBID), PNEUMONIA_ADMISSION_COST)
        .otherwise(OTHER_PREVENTABLE_COST)
        .cast("decimal(12,2)")
    )
