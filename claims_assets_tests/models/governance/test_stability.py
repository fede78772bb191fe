"""The gate refuses a model whose scores moved within a year, or that ranks its members far worse than then."""

import numpy as np

from claims_assets_tests.models.governance.heldout import flag, honest, refusals


def test_a_model_whose_scores_moved_refuses(rows):
    moved = rows.copy()
    before = moved["part"] == "calibration"
    moved.loc[before, "predicted"] = moved.loc[before, "predicted"] ** 3
    assert refusals(honest(flag(moved, 0.25)))["score PSI"].startswith("The scores moved: PSI ")


def test_a_model_that_ranked_far_better_a_year_ago_refuses(rows):
    fell = rows.copy()
    test = fell["part"] == "test"
    noise = np.random.default_rng(3).normal(0, 1.5, test.sum())
    odds = np.log(fell.loc[test, "risk"] / (1 - fell.loc[test, "risk"]))
    shuffled = np.argsort(np.argsort(odds + 2.5 * noise))
    fell.loc[test, "predicted"] = np.sort(fell.loc[test, "risk"])[shuffled]
    assert "drop of auc" in refusals(honest(flag(fell, 0.25)))
