"""Inputs: the 34 of the source system and some more, all of them features, none of the label's year."""

import pytest

from claims_assets.contracts import compiled
from claims_assets.features.member_features import MemberFeatures
from claims_assets.features.scores import BMI_CATEGORIES
from claims_assets.models.inputs import ADDED, CATEGORIES, INPUTS, MONOTONE, SOURCE_INPUTS
from claims_assets.silver.demographics import GENDERS
from claims_assets_tests.models.test_fitting import MODELS

KINDS = {n: t.simpleString() for n, t in compiled(MemberFeatures).columns.items()}


def test_the_34_of_the_source_come_first_and_all_are_features():
    assert (len(SOURCE_INPUTS), INPUTS[:34]) == (34, SOURCE_INPUTS)
    assert len(set(INPUTS)) == len(INPUTS) == 34 + len(ADDED)
    assert set(INPUTS) <= KINDS.keys()


def test_high_risk_has_all_inputs_but_the_flag():
    by_name = {m.name: m.inputs for m in MODELS}
    assert set(INPUTS) - set(by_name["high_risk_predictor"]) == {"high_risk_flag"}
    assert all(by_name[n] == INPUTS for n in by_name if n != "high_risk_predictor")


@pytest.mark.requirement("R27")
def test_every_word_among_the_inputs_has_a_code_and_nothing_else_is_a_word():
    assert {n for n in INPUTS if KINDS[n] == "string"} == CATEGORIES.keys()
    assert set(CATEGORIES["gender"]) == set(GENDERS)
    assert tuple(CATEGORIES["bmi_category"]) == BMI_CATEGORIES
    assert all(sorted(codes.values()) == list(range(len(codes))) for codes in CATEGORIES.values())


def test_genders_have_the_codes_of_the_source():
    assert CATEGORIES["gender"] == {"M": 1, "F": 0, "U": 2}


def test_what_may_move_one_way_only_is_a_number_among_the_inputs():
    assert set(MONOTONE) <= set(INPUTS) - CATEGORIES.keys()
    assert {n: way for n, way in MONOTONE.items() if n.startswith("days_since")} == {
        n: -1 for n, way in MONOTONE.items() if way < 0
    }
