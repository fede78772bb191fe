"""Rates by group of real decisions against pandas and fairlearn; what is missing or few is never called fair."""

import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import MetricFrame, selection_rate, true_positive_rate

from claims_assets.features.member_features import MemberFeatures
from claims_assets.features.risk_training_rows import RiskTrainingRows
from claims_assets.monitoring.fairness_of_decision import HIDDEN
from claims_assets.monitoring.fairness_plot import picture
from claims_assets.monitoring.fairness_results import DECISIONS, fairness_results
from claims_assets.outreach.immunization_targeting import ImmunizationTargeting
from claims_assets.partitions import add_months
from claims_assets.predictions.claim_fraud_scores import ClaimFraudScores
from claims_assets.predictions.member_risk_predictions import MemberRiskPredictions

MONTH = "2025-06"
INDEX = add_months(MONTH, -15)
FLAG, SCORE = "high_cost_prediction", "high_cost_risk_score"


def population(n=900, seed=1) -> pd.DataFrame:
    """Members of two races in both months; B is flagged half as often as A, and is as ill."""
    draw = np.random.default_rng(seed)
    race = draw.choice(["A", "B"], n, p=[0.6, 0.4])
    risk = draw.beta(2, 5, n).round(4)
    ill = draw.random(n) < risk
    flagged = draw.random(n) < np.where(race == "A", 0.4, 0.2)
    listed = draw.random(n) < 0.5
    frame = {"member_id": [f"M{i}" for i in range(n)], "race": race, "risk": risk, "ill": ill, "flagged": flagged}
    return pd.DataFrame(frame | {"listed": listed})


@pytest.fixture
def build(rows):
    def built(members: pd.DataFrame, months=(MONTH,), known=(INDEX, MONTH)):
        told = members.to_dict("records")
        about = {"gender": "F", "ethnicity": "Hispanic", "age_group": "18-44", "dual_eligible": "false"}
        features = [about | {"member_id": m["member_id"], "claim_month": MONTH, "race": m["race"]} for m in told]
        predictions = [
            {"member_id": m["member_id"], "claim_month": month, FLAG: int(m["flagged"]), SCORE: m["risk"]}
            for month in known
            for m in told
        ]
        outcomes = [
            f | {"index_month": INDEX, "outcome_total_paid": 30_000 if m["ill"] else 100}
            for f, m in zip(features, told, strict=True)
        ]
        targets = [
            {"member_id": m["member_id"], "claim_month": MONTH, "disposition": "listed" if m["listed"] else "excluded"}
            for m in told
        ]
        claims = [
            {"member_id": m["member_id"], "claim_id": f"C{i}", "claim_month": MONTH, "fraud_score": 0.5,
             "is_flagged": str(i % 20 == 0).lower()}
            for i, m in enumerate(told)
        ]  # fmt: skip
        found = fairness_results(
            rows(MemberFeatures, *features),
            rows(MemberRiskPredictions, *predictions),
            rows(RiskTrainingRows, *outcomes),
            rows(ImmunizationTargeting, *targets),
            rows(ClaimFraudScores, *claims),
            list(months),
        )
        return [r.asDict() for r in found.collect()]

    return built


def of(found, decision=FLAG, attribute="race", measure="flagged"):
    return {
        r["group_name"]: r
        for r in found
        if (r["decision"], r["attribute"], r["measure"]) == (decision, attribute, measure)
    }


@pytest.mark.requirement("R30")
def test_rates_are_those_of_fairlearn_and_half_as_often_is_unfair(build):
    members = population()
    found = build(members)
    event, flag, race = members["ill"].to_numpy(), members["flagged"].to_numpy(), members["race"]
    for measure, metric in (("flagged", selection_rate), ("found", true_positive_rate)):
        frame = MetricFrame(metrics=metric, y_true=event, y_pred=flag, sensitive_features=race)
        rates = {g: r["rate"] for g, r in of(found, measure=measure).items()}
        assert rates == pytest.approx(frame.by_group.to_dict())
    right = members[members["flagged"]].groupby("race")["ill"].mean()
    assert {g: r["rate"] for g, r in of(found, measure="right").items()} == pytest.approx(right.to_dict())
    meant = members.groupby("race")[["risk", "ill"]].sum()
    expected = (meant["risk"] / meant["ill"]).to_dict()
    by_group = of(found, measure="predicted to observed")
    assert {g: r["rate"] for g, r in by_group.items()} == pytest.approx(expected)
    assert {r["attribute_verdict"] for r in by_group.values()} == {"fair"}
    b = of(found)["B"]
    assert (b["verdict"], b["attribute_verdict"], b["reference_group"]) == ("unfair", "unfair", "A")
    assert b["ratio_lower"] < b["ratio"] < b["ratio_upper"] < 0.8
    assert b["effect_size"] < -0.3
    assert of(found, "listed")["B"]["verdict"] == "fair"


def test_every_decision_is_compared_by_every_attribute(build):
    found = build(population(200))
    assert {(r["decision"], r["attribute"]) for r in found if r["measure"] == "flagged"} == {
        (d, a) for d in DECISIONS for a in ("gender", "race", "ethnicity", "age_group", "dual_eligible")
    }
    suspected = of(found, "is_flagged")
    assert sum(r["members"] or 0 for r in suspected.values()) in (0, 200)


@pytest.mark.requirement("R31")
def test_missing_results_are_not_fair(build):
    """No prediction of the month is known, and none of the judged year."""
    found = build(population(300), known=["2020-01"])
    for measure in ("flagged", "found", "right", "predicted to observed"):
        assert {r["attribute_verdict"] for r in of(found, measure=measure).values()} <= {"not_judged"}


@pytest.mark.requirement("R31")
def test_one_group_alone_can_not_be_called_fair(build):
    found = build(population(300).assign(race="A"))
    assert {r["attribute_verdict"] for r in of(found).values()} == {"not_judged"}


@pytest.mark.requirement("R30")
def test_a_group_that_is_never_flagged_is_unfair(build):
    members = population()
    members.loc[members["race"] == "B", "flagged"] = False
    b = of(build(members))["B"]
    assert (b["hits"], b["ratio"], b["verdict"], b["attribute_verdict"]) == (0, 0.0, "zero_rate", "unfair")


def test_counts_of_one_to_ten_are_left_out_and_can_not_be_had_by_subtraction(build):
    members = population(600)
    members["race"] = ["C" if i < 40 else r for i, r in enumerate(members["race"])]
    members.loc[members["race"] == "C", "flagged"] = [i < 4 for i in range(40)]
    found = of(build(members))
    assert (found["C"]["hits"], found["C"]["rate"], found["C"]["absent"]) == (None, None, HIDDEN)
    assert sum(r["hits"] is None for r in found.values()) >= 2
    assert all(
        r["ratio"] is None for g, r in found.items() if r["hits"] is None or found[r["reference_group"]]["hits"] is None
    )


def test_a_month_is_the_same_alone_and_beside_others(build):
    both = [r for r in build(population(300), months=(INDEX, MONTH)) if r["claim_month"] == MONTH]
    assert sorted(map(str, both)) == sorted(map(str, build(population(300))))


def test_no_result_holds_a_member(build):
    assert "M1" not in str(build(population(60)))


def test_the_picture_has_only_rates_that_may_be_shown(build):
    assert picture(MONTH, build(population())).startswith("![rates by group](data:image/png")
    assert picture(MONTH, []) == f"No picture: no rate of {MONTH} may be shown."
