"""Categories as numbers: stored codes, unknown values missing, the same alone and in any company."""

import pytest

from claims_assets.features.member_features import MemberFeatures
from claims_assets.models.inputs import GENDER_CODES, with_inputs


@pytest.mark.requirement("R27")
def test_a_category_has_the_same_number_in_every_batch_and_an_unknown_one_is_missing(rows):
    def encoded(*genders):
        features = rows(MemberFeatures, *[{"member_id": str(n), "gender": g} for n, g in enumerate(genders)])
        return [r.gender_encoded for r in with_inputs(features, "member_id").orderBy("member_id").collect()]

    alone = {gender: encoded(gender)[0] for gender in GENDER_CODES}
    assert alone == GENDER_CODES
    assert encoded("X", "U", None, "F", "M", "M") == [None, alone["U"], None, alone["F"], alone["M"], alone["M"]]
