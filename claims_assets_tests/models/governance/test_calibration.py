"""The gate refuses a model whose predictions are not what happens, and no small one for its noise."""

import numpy as np
import pytest

from claims_assets_tests.models.governance.heldout import classifier_rows, flag, honest, refusals


@pytest.mark.parametrize("factor", [0.5, 1.6])
def test_a_model_that_predicts_too_little_or_too_much_refuses(rows, factor):
    found = refusals(honest(flag(rows.assign(predicted=np.clip(rows["predicted"] * factor, 0, 1)), 0.25 * factor)))
    assert "predicted to observed" in found


def test_a_model_right_on_average_and_wrong_everywhere_else_refuses(rows):
    mean = rows["predicted"].mean()
    flat = flag(rows.assign(predicted=mean + (rows["predicted"] - mean) * 0.4), mean)
    assert refusals(honest(flat)).keys() == {"calibration error"}


def test_a_small_test_part_is_not_called_uncalibrated_by_noise():
    for seed in range(5):
        assert "calibration error" not in refusals(honest(classifier_rows(300, seed * 10)))
