"""What measures a model decides nothing in it: other test members give the same trees and the same threshold."""

import numpy as np
import pytest

from claims_assets.models import training
from claims_assets.models.er_utilization_predictor import ER_UTILIZATION
from claims_assets.models.training_set import Held, TrainingSet
from claims_assets.models.windows import Split
from claims_assets_tests.models.population import TEST_INDEX, TRAIN_INDEX, TRAINABLE


def with_signal(rows):
    """Age decides, not alone: so the best threshold depends on the rows that it is chosen on."""
    rows["outcome_er_visit_count"] = np.where(rows["age"] + rows["outcome_total_paid"].rank(pct=True) > 1.1, 4.0, 0.0)
    return rows


@pytest.mark.requirement("R23")
def test_other_test_members_give_the_same_model(lake, tracking, frame, monkeypatch):
    train, *tests = (with_signal(frame(n, seed=n)) for n in (600, 200, 300))
    given = iter(tests)

    def training_set(*_):
        test = next(given)
        return TrainingSet(Split(TRAINABLE, (TRAIN_INDEX,), TEST_INDEX), train, test, f"{len(test)} test rows")

    monkeypatch.setattr(training, "training_set", training_set)
    here = training.Training(lake, Held({}, {}, ()), lambda: None, tracking, training.TrainingConfig(), "run")
    briers = [training.train(ER_UTILIZATION, TRAINABLE, here)["test_brier"] for _ in range(2)]
    first, second = sorted(tracking.versions(ER_UTILIZATION.name), key=lambda v: v.version)
    assert briers[0] != briers[1]
    assert first.threshold == second.threshold
    boosters = [bytes(tracking.load(ER_UTILIZATION.name, v.version).save_raw("ubj")) for v in (first, second)]
    assert boosters[0] == boosters[1]
