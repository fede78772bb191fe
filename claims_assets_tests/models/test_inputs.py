"""Inputs: the 34 of the source system, the same for training and scoring, and nothing of the label's year."""

import pytest

from claims_assets.contracts import compiled
from claims_assets.features.member_features import MemberFeatures
from claims_assets.models.inputs import INPUTS, with_inputs
from claims_assets.models.training_set import OUTCOMES
from claims_assets.predictions.scoring import MODELS


def test_there_are_34_distinct_inputs_all_of_them_features():
    assert len(set(INPUTS)) == len(INPUTS) == 34
    assert set(INPUTS) - {"gender_encoded"} <= compiled(MemberFeatures).columns.keys()


def test_high_risk_has_all_inputs_but_the_flag():
    by_name = {m.name: m.inputs for m in MODELS}
    assert set(INPUTS) - set(by_name["high_risk_predictor"]) == {"high_risk_flag"}
    assert all(by_name[n] == INPUTS for n in by_name if n != "high_risk_predictor")


@pytest.mark.requirement("R21")
@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
def test_no_outcome_is_an_input(model):
    """R21"""
    assert not set(model.inputs) & {*OUTCOMES, *[f"outcome_{n}" for n in OUTCOMES]}


def test_flags_become_numbers_and_missing_stays_missing(rows):
    features = rows(
        MemberFeatures,
        {"member_id": "a", "gender": "M", "dual_eligible": True, "has_ckd": False, "age": 40},
        {"member_id": "b", "gender": "F"},
        {"member_id": "c", "gender": "U"},
    )
    found = {r.member_id: r for r in with_inputs(features, "member_id").collect()}
    assert [found[m].gender_encoded for m in "abc"] == [1.0, 0.0, 2.0]
    assert (found["a"].dual_eligible, found["a"].has_ckd, found["a"].age) == (1.0, 0.0, 40.0)
    assert found["b"].dual_eligible is None
    assert found["b"].days_since_last_er_visit is None


def test_inputs_keep_their_order(rows):
    assert set(with_inputs(rows(MemberFeatures, {}), "member_id").columns) == {"member_id", *INPUTS}
