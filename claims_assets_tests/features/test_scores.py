"""Scores and classes at their band limits."""

import pytest

from claims_assets.features import scores

TIERS = {1: "Very Low", 2: "Very Low", 3: "Low", 5: "Low", 6: "Medium", 8: "Medium", 9: "High", 12: "High"}


def test_components_change_at_their_limits(spark):
    cases = {
        # age, conditions, visits, stays, paid: the four scores
        (None, 0, 0, 0, 0): (1, 0, 0, 0),
        (0, 1, 1, 0, 9_999.99): (3, 1, 1, 0),
        (1, 2, 2, 0, 10_000): (2, 2, 2, 1),
        (4, 3, 0, 1, 24_999.99): (2, 3, 2, 1),
        (5, 8, 3, 1, 25_000): (1, 3, 2, 2),
        (64, 0, 4, 0, 49_999.99): (1, 0, 3, 2),
        (65, 0, 0, 2, 50_000): (2, 0, 3, 3),
        (74, 0, 0, 0, -5): (2, 0, 0, 0),
        (75, 3, 9, 9, 1e6): (3, 3, 3, 3),
    }
    given = "age int, chronic_condition_count bigint, er_visit_count_12mo bigint, inpatient_admit_count_12mo bigint"
    frame = spark.createDataFrame([(*k[:4], float(k[4])) for k in cases], f"{given}, total_paid_12mo double")
    found = scores.with_risk_tier(frame).collect()
    for row, expected in zip(found, cases.values(), strict=True):
        parts = (row.age_risk_score, row.chronic_condition_risk_score, row.utilization_risk_score, row.cost_risk_score)
        assert parts == expected
        assert row.composite_risk_score == sum(expected)


@pytest.mark.parametrize(("composite", "tier"), TIERS.items())
def test_tier_follows_the_composite(spark, composite, tier):
    age = {1: 30, 2: 70, 3: 80}.get(min(composite, 3), 80)
    left = composite - {30: 1, 70: 2, 80: 3}[age]
    chronic, visits, cost = (max(0, min(3, left - taken)) for taken in (0, 3, 6))
    given = [(age, chronic, {0: 0, 1: 1, 2: 2, 3: 4}[visits], 0, {0: 0, 1: 10_000, 2: 25_000, 3: 50_000}[cost])]
    names = "age int, chronic_condition_count int, er_visit_count_12mo int, inpatient_admit_count_12mo int"
    row = scores.with_risk_tier(spark.createDataFrame(given, f"{names}, total_paid_12mo int")).first()
    assert (row.composite_risk_score, row.risk_tier) == (composite, tier)


def test_actuarial_age_bmi_and_smoking(spark):
    cases = [
        # age, smoker, bmi: actuarial age risk, smoking factor, category
        (24, True, 18.4, 1, 60.0, "underweight"),
        (25, False, 18.5, 2, 25.0, "normal"),
        (34, None, 24.9, 2, 34.0, "normal"),
        (35, True, 25.0, 3, 87.5, "overweight"),
        (50, False, 30.0, 4, 50.0, "obese"),
        (65, False, None, 5, 65.0, None),
        (64, False, 29.99, 4, 64.0, "overweight"),
        (19, False, 31.0, 1, 19.0, None),
        (None, True, 31.0, None, None, None),
    ]
    frame = spark.createDataFrame([c[:3] for c in cases], "age int, smoker boolean, bmi double")
    age, smoker, bmi = frame["age"], frame["smoker"], frame["bmi"]
    found = frame.select(
        scores.actuarial_age_risk(age), scores.smoking_factor(age, smoker), scores.bmi_category(bmi, age)
    ).collect()  # fmt: skip
    assert [tuple(row) for row in found] == [c[3:] for c in cases]
