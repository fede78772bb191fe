"""Rule-based scores and classes of a member: age, chronic conditions, utilization, cost, risk tier, BMI, smoking.

Bands of the risk tier: feature notebook of the public project sechan9999/GenZ (`notebooks/03_gold_features.py`), on a
scale of 0-12. Actuarial age risk and smoking factor: governance notebook of the public project
juanlamadrid20/insurance-mlops. Elsewhere: what goes in (`utilization.py`), learned scores (`models/`).
"""

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

HIGHEST_COMPOSITE = 12
RISK_TIERS = {"High": 9, "Medium": 6, "Low": 3, "Very Low": 0}
"""Tier -> least composite score."""
COST_BANDS = {3: 50_000, 2: 25_000, 1: 10_000}
"""Score -> least medical cost in twelve months, USD."""
CHRONIC_BANDS = {3: 3, 2: 2, 1: 1}
"""Score -> least number of chronic conditions."""
ACTUARIAL_AGE_BANDS = {5: 65, 4: 50, 3: 35, 2: 25, 1: 0}
"""Score -> least age."""

BMI_CATEGORIES = ("underweight", "normal", "overweight", "obese")
BMI_LIMITS = (18.5, 25.0, 30.0)
"""kg/m2, the upper limits of all categories but the last (WHO; CDC uses the same for adults)."""
BMI_ADULT_AGE = 20
"""CDC: below this age a BMI is read against percentiles of age and sex, which the limits above are not."""
SMOKING_FACTOR = 2.5
"""Weight of the age of smokers."""


def with_risk_tier(members: DataFrame) -> DataFrame:
    """Adds the four component scores, `composite_risk_score` and `risk_tier`.

    Needs age (NULL scores as an ordinary adult), chronic_condition_count, er_visit_count_12mo,
    inpatient_admit_count_12mo and total_paid_12mo (medical).
    """
    scores = {
        "age_risk_score": _age_risk(F.col("age")),
        "chronic_condition_risk_score": _band(F.col("chronic_condition_count"), CHRONIC_BANDS, 0),
        "utilization_risk_score": _utilization_risk(F.col("er_visit_count_12mo"), F.col("inpatient_admit_count_12mo")),
        "cost_risk_score": _band(F.col("total_paid_12mo"), COST_BANDS, 0),
    }
    composite = sum([F.col(n) for n in scores], F.lit(0)).cast("int")
    return members.withColumns(scores).withColumn("composite_risk_score", composite).withColumn("risk_tier", _tier())


def actuarial_age_risk(age: Column) -> Column:
    """1-5 by age; NULL for an unknown age."""
    return F.when(age.isNotNull(), _band(age, ACTUARIAL_AGE_BANDS, 1))


def smoking_factor(age: Column, smoker: Column) -> Column:
    """Age, times 2.5 for smokers; not reported counts as no smoker; NULL for an unknown age."""
    return age.cast("double") * F.when(smoker, F.lit(SMOKING_FACTOR)).otherwise(F.lit(1.0))


def bmi_category(bmi: Column, age: Column) -> Column:
    """One of BMI_CATEGORIES for adults; NULL below 20 years, and where BMI or age is unknown."""
    category = F.lit(BMI_CATEGORIES[-1])
    for name, limit in reversed(list(zip(BMI_CATEGORIES, BMI_LIMITS, strict=False))):
        category = F.when(bmi < limit, F.lit(name)).otherwise(category)
    return F.when(bmi.isNotNull() & (age >= BMI_ADULT_AGE), category)


def _age_risk(age: Column) -> Column:
    return F.when(age < 1, 3).when(age < 5, 2).when(age >= 75, 3).when(age >= 65, 2).otherwise(1)


def _utilization_risk(visits: Column, stays: Column) -> Column:
    return (
        F.when((visits >= 4) | (stays >= 2), 3).when((visits >= 2) | (stays >= 1), 2).when(visits >= 1, 1).otherwise(0)
    )


def _band(value: Column, least: Mapping[int, int], below: int) -> Column:
    """The first score of `least` (highest first) whose limit the value reaches."""
    score = F.lit(below)
    for points, limit in reversed(list(least.items())):
        score = F.when(value >= limit, points).otherwise(score)
    return score


def _tier() -> Column:
    tier = F.lit(list(RISK_TIERS)[-1])
    for name, least in reversed(list(RISK_TIERS.items())[:-1]):
        tier = F.when(F.col("composite_risk_score") >= least, F.lit(name)).otherwise(tier)
    return tier
