"""Scores, tiers and costs of the outreach program, against worked cases."""

import pytest

from claims_assets.outreach import formulas

FIELDS = (
    "risk_tier string, age int, chronic_condition_count bigint, er_visit_count_12mo bigint, has_diabetes boolean,"
    " has_copd_asthma boolean, has_heart_failure boolean, high_risk_score double, er_utilization_risk_score double,"
    " high_cost_risk_score double"
)
PLAIN = {
    "risk_tier": "Very Low",
    "age": 30,
    "chronic_condition_count": 0,
    "er_visit_count_12mo": 0,
    "has_diabetes": False,
    "has_copd_asthma": False,
    "has_heart_failure": False,
    "high_risk_score": 0.0,
    "er_utilization_risk_score": 0.0,
    "high_cost_risk_score": 0.0,
}


@pytest.fixture
def scored(spark):
    def build(**case):
        frame = spark.createDataFrame([tuple((PLAIN | case).values())], FIELDS)
        frame = frame.withColumn("immunization_priority_score", formulas.priority_score())
        frame = frame.withColumn("outreach_priority_score", formulas.outreach_score())
        frame = frame.withColumn("tier", formulas.by_tier(1)).withColumn("channel", formulas.by_tier(2))
        return frame.withColumn("cost", formulas.preventable_cost()).collect()[0]

    return build


@pytest.mark.parametrize(
    ("case", "priority"),
    [
        ({}, 20),
        ({"risk_tier": "Low"}, 40),
        ({"risk_tier": "Medium"}, 60),
        ({"risk_tier": "High"}, 80),
        ({"risk_tier": "High", "age": 64}, 80),
        ({"risk_tier": "High", "age": 65}, 95),
        ({"risk_tier": "Low", "chronic_condition_count": 2}, 40),
        ({"risk_tier": "Low", "chronic_condition_count": 3}, 45),
        ({"risk_tier": "High", "age": 70, "chronic_condition_count": 4}, 100),
    ],
)
def test_priority_comes_from_tier_age_and_conditions(scored, case, priority):
    assert scored(**case).immunization_priority_score == priority


def test_the_outreach_score_blends_priority_and_the_three_risks(scored):
    row = scored(risk_tier="High", high_risk_score=0.9, er_utilization_risk_score=0.5, high_cost_risk_score=0.2)
    assert row.outreach_priority_score == pytest.approx(0.4 * 80 + 0.3 * 90 + 0.2 * 50 + 0.1 * 20)


@pytest.mark.parametrize(
    ("risk", "tier", "channel"),
    [
        (1.0, "Tier 1 - Immediate", "Phone Call + Letter"),
        (0.72, "Tier 2 - High Priority", "Phone Call"),
        (0.4, "Tier 3 - Standard", "Letter"),
        (0.1, "Tier 4 - Routine", "Email/Portal Message"),
    ],
)
def test_each_tier_has_its_channel(scored, risk, tier, channel):
    case = {
        "risk_tier": "Medium",
        "age": 70,
        "high_risk_score": risk,
        "er_utilization_risk_score": risk,
        "high_cost_risk_score": risk,
    }
    row = scored(**case)
    assert (row.tier, row.channel) == (tier, channel)


def test_a_score_on_the_border_belongs_to_the_higher_tier(scored):
    row = scored(risk_tier="High", age=65, chronic_condition_count=3, high_risk_score=0.0)
    assert (row.outreach_priority_score, row.tier) == (40.0, "Tier 3 - Standard")


@pytest.mark.parametrize(
    ("case", "cost"),
    [
        ({}, 1_500),
        ({"er_visit_count_12mo": 2}, 1_500),
        ({"er_visit_count_12mo": 2, "chronic_condition_count": 1}, 3_500),
        ({"er_visit_count_12mo": 2, "age": 65}, 3_500),
        ({"er_visit_count_12mo": 1, "age": 65, "chronic_condition_count": 2}, 5_000),
        ({"chronic_condition_count": 2, "has_diabetes": True}, 5_000),
        ({"chronic_condition_count": 2}, 1_500),
    ],
)
def test_the_first_preventable_cost_that_holds_counts(scored, case, cost):
    assert scored(**case).cost == cost
