"""Counts by range against counting in plain Python; a month's profile knows no other month."""

import math
from collections import Counter

import pytest

from claims_assets.features.member_features import MemberFeatures
from claims_assets.predictions.claim_fraud_scores import ClaimFraudScores
from claims_assets.predictions.member_risk_predictions import MemberRiskPredictions
from claims_assets.predictions.monthly_profiles import monthly_profiles, value_of
from claims_assets_tests.monitoring.planted import rank

AGES = [0, 1, 1, 2, 34, 35, 35, 64, 65, 99, 119, None]
PAID = ["0", "0.01", "-12.50", "-12.60", "1000", "1001", "1000000.55", "3.33", "3.34", "70000", "70001", "12"]
RACES = ["White", "White", "Black", None] * 3


@pytest.fixture
def members(rows):
    def build(month, swap=1):
        values = list(zip(AGES, PAID, RACES, strict=True))[::swap]
        features = [
            {
                "member_id": f"M{i}",
                "claim_month": month,
                "age": a,
                "total_paid_12mo": p,
                "race": r,
                "dual_eligible": "true",
            }
            for i, (a, p, r) in enumerate(values)
        ]
        predictions = [
            {"member_id": f"M{i}", "claim_month": month, "health_risk_score": 7.25 * i, "health_risk_model_version": 4,
             "high_cost_prediction": i % 2, "high_cost_risk_score": 0.0004}
            for i in range(len(values))
        ]  # fmt: skip
        claims = [
            {"member_id": "M1", "claim_id": c, "claim_month": month, "fraud_score": s, "model_version": 2}
            for c, s in (("C1", 0.5), ("C2", None))
        ]
        return (
            rows(MemberFeatures, *features),
            rows(MemberRiskPredictions, *predictions),
            rows(ClaimFraudScores, *claims),
        )

    return build


def by_column(found, subject, column):
    return [r.asDict() for r in found if (r.subject, r.column_name) == (subject, column)]


@pytest.mark.requirement("R29")
def test_numbers_are_counted_by_range_and_missing_ones_too(members):
    found = monthly_profiles(*members("2024-01")).collect()
    for column, values in (("age", AGES), ("total_paid_12mo", [float(p) for p in PAID])):
        of = by_column(found, "features", column)
        known = [v for v in values if v is not None]
        expected = Counter(rank(v) for v in known)
        assert {r["rank"]: r["members"] for r in of if r["value_kind"] == "number"} == expected
        assert sum(r["members"] for r in of if r["value_kind"] == "missing") == len(values) - len(known)
        assert math.fsum(r["total"] for r in of) == pytest.approx(sum(known))


def test_words_and_versions(members):
    found = monthly_profiles(*members("2024-01")).collect()
    races = by_column(found, "population", "race")
    assert {(r["value_kind"], r["word"]): r["members"] for r in races} == {
        ("word", "White"): 6, ("word", "Black"): 3, ("missing", ""): 3,
    }  # fmt: skip
    assert {r["word"] for r in by_column(found, "population", "dual_eligible")} == {"true"}
    assert {r["model_version"] for r in by_column(found, "health_risk_score", "health_risk_score")} == {4}
    assert {r["model_version"] for r in by_column(found, "high_cost_predictor", "high_cost_prediction")} == {None}
    (claim,) = by_column(found, "fraud_autoencoder", "fraud_score")
    assert (claim["members"], claim["total"], claim["model_version"]) == (1, 0.5, 2)
    (small,) = by_column(found, "high_cost_predictor", "high_cost_risk_score")
    assert (small["rank"], small["members"]) == (0, len(AGES))


def test_a_month_is_the_same_alone_beside_others_and_in_any_order(members):
    alone = monthly_profiles(*members("2024-01")).collect()
    pairs = zip(members("2024-01", swap=-1), members("2024-02"), strict=True)
    both = monthly_profiles(*(one.unionByName(other) for one, other in pairs)).collect()
    assert sorted(map(tuple, alone), key=str) == sorted((tuple(r) for r in both if r.claim_month == "2024-01"), key=str)


@pytest.mark.parametrize("value", [0.001, 0.5, 7.0, 65.0, 1e6, -0.3, -65.0])
def test_a_range_ends_within_two_percent_of_its_values(value):
    assert value_of(rank(value)) == pytest.approx(value, rel=0.0201)
    assert value_of(rank(value)) >= value - 1e-9
