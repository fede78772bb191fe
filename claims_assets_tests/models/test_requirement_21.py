"""No input knows its label: what happens in the outcome year moves the labels and not one input."""

import pytest

from claims_assets.features.member_features import MemberFeatures
from claims_assets.models.inputs import INPUTS
from claims_assets.models.training_set import OUTCOMES, training_rows
from claims_assets.models.windows import split_for
from claims_assets.silver.claim_versions import ClaimVersions
from claims_assets.silver.member_months import MemberMonths
from claims_assets_tests.models.population import FIRST, TRAIN_INDEX, TRAINABLE, line

MEMBER = "M0001"
YEAR = [line(1, "2023-05", day, "ER", 20_000, "E119") for day in (2, 3, 4, 5)]


@pytest.mark.requirement("R21")
def test_the_year_to_predict_changes_labels_and_no_input(rows):
    index = {"member_id": MEMBER, "claim_month": TRAIN_INDEX}
    features = rows(
        MemberFeatures, index | {"age": 40, "gender": "F", "total_paid_12mo": 75, "composite_risk_score": 2}
    )
    months = rows(MemberMonths, {"member_id": MEMBER, "claim_month": "2023-12"})

    def training_row(*claims):
        split = split_for(TRAINABLE, FIRST)
        return training_rows(features, months, rows(ClaimVersions, *claims), split).collect()[0].asDict()

    quiet, costly = training_row(), training_row(*YEAR)
    assert {name for name in quiet if quiet[name] != costly[name]} == {f"outcome_{name}" for name in OUTCOMES}
    assert quiet.keys() >= set(INPUTS)
    assert costly["total_paid_12mo"] == 75
