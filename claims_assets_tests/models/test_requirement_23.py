"""What measures a model decides nothing in it: other test members give the same bytes, and other measures."""

import pytest

from claims_assets.models.er_utilization_predictor import ER_UTILIZATION
from claims_assets.models.health_risk_score import HEALTH_RISK
from claims_assets.models.trained import trained
from claims_assets_tests.models.test_fitting import with_signal


@pytest.mark.requirement("R23")
@pytest.mark.parametrize("model", [ER_UTILIZATION, HEALTH_RISK], ids=lambda m: m.name)
def test_other_test_members_give_the_same_model(frame, parts, model):
    train = with_signal(frame(600))
    found = []
    for n in (200, 300):
        test = with_signal(frame(n, seed=n))
        # Far outside of what the training part knows, so that whatever is taken from the test rows would show.
        test[["er_visit_count_12mo", "total_paid_12mo"]] *= n
        found.append(trained(model, parts(train, test), seed=42, threads=1, trials=2))
    one, two = found
    assert one.fitted.artifact.to_bytes() == two.fitted.artifact.to_bytes()
    error = "test_brier" if model.is_classifier else "test_mae"
    assert one.measures.values[error] != two.measures.values[error]
    calibration = [f.holdout.loc[f.holdout["part"] == "calibration"].reset_index(drop=True) for f in found]
    assert calibration[0].equals(calibration[1])
