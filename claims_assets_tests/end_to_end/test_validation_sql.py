"""Validation queries that teams with this lake layout already run, verbatim: table and column names are a promise."""

import pytest

VOLUMES = """
-- Check data volumes
SELECT 'bronze.medical_claims' as table_name, COUNT(*) as record_count
FROM bronze.medical_claims
UNION ALL
SELECT 'silver.medical_claims', COUNT(*) FROM silver.medical_claims
UNION ALL
SELECT 'gold.member_features', COUNT(*) FROM gold.member_features
UNION ALL
SELECT 'gold.member_risk_predictions', COUNT(*) FROM gold.member_risk_predictions;
"""

PREDICTIONS = """
-- Check model predictions
SELECT
    COUNT(*) as total_members,
    SUM(CASE WHEN high_risk_prediction = 1 THEN 1 ELSE 0 END) as high_risk_count,
    AVG(high_risk_score) as avg_risk_score,
    AVG(predicted_total_cost) as avg_predicted_cost
FROM gold.member_risk_predictions;
"""

TARGETING = """
-- Check immunization targeting
SELECT
    outreach_tier,
    COUNT(*) as member_count,
    AVG(outreach_priority_score) as avg_priority
FROM gold.immunization_master_outreach_list
GROUP BY outreach_tier
ORDER BY avg_priority DESC;
"""


@pytest.mark.requirement("R19")
def test_data_volumes(sql):
    counts = dict(sql(VOLUMES))
    assert list(counts) == [
        "bronze.medical_claims",
        "silver.medical_claims",
        "gold.member_features",
        "gold.member_risk_predictions",
    ]
    assert all(n > 0 for n in counts.values())
    assert counts["gold.member_features"] == counts["gold.member_risk_predictions"]


@pytest.mark.requirement("R19")
def test_model_predictions(sql):
    ((members, high, score, cost),) = sql(PREDICTIONS)
    assert 0 < high < members
    assert 0 < score < 1
    assert cost > 0


@pytest.mark.requirement("R19")
def test_immunization_targeting_ranks_the_tiers(sql):
    rows = sql(TARGETING)
    assert [tier for tier, _, _ in rows] == sorted(tier for tier, _, _ in rows)
    assert {tier for tier, _, _ in rows} <= {
        "Tier 1 - Immediate",
        "Tier 2 - High Priority",
        "Tier 3 - Standard",
        "Tier 4 - Routine",
    }


@pytest.mark.requirement("R19")
def test_the_same_queries_run_on_the_engine(demo, spark):
    for schema in ("bronze", "silver", "gold"):
        spark.sql(f"create database if not exists {schema}")
    for name in (
        "bronze.medical_claims",
        "silver.medical_claims",
        "gold.member_features",
        "gold.member_risk_predictions",
        "gold.immunization_master_outreach_list",
    ):
        path = demo.lake / name.replace(".", "/")
        spark.sql(f"create table if not exists {name} using delta location '{path}'")
    for query in (VOLUMES, PREDICTIONS, TARGETING):
        assert spark.sql(query.strip().rstrip(";")).collect()
