"""No input knows its label: what the outcome year brings moves labels and weights, and not one input of any model.

That the features themselves know nothing of that year is shown in `features/test_risk_training_rows.py`.
"""

import numpy as np
import pytest

from claims_assets.contracts import compiled
from claims_assets.features.member_features import MemberFeatures
from claims_assets.features.risk_training_rows import RiskTrainingRows
from claims_assets.models.labels import labels, weights
from claims_assets.models.risk_artifact import encoded
from claims_assets_tests.models.test_fitting import MODELS

FEATURES = compiled(MemberFeatures).columns.keys()
OF_THE_YEAR = compiled(RiskTrainingRows).columns.keys() - FEATURES


@pytest.mark.requirement("R21")
@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
def test_the_year_to_predict_changes_labels_and_no_input(frame, model):
    rows = frame(300)
    year = [n for n in rows if n in OF_THE_YEAR]
    other = rows.assign(**{n: rows[n].to_numpy()[::-1] for n in year})
    assert {f"outcome_{model.outcome}", "exposure_months", "died"} <= {*year}
    assert (labels(model, rows) != labels(model, other)).any()
    assert (weights(rows) != weights(other)).any()
    assert np.array_equal(*[encoded(r, model.inputs, model.categories) for r in (rows, other)], equal_nan=True)
    assert {*model.inputs, *model.history} <= FEATURES
