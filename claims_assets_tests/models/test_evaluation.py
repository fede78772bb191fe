"""Measures: right by hand and by scikit-learn, absent with a reason, with intervals that hold what they say."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from claims_assets.models import evaluation
from claims_assets.models.evaluation import (
    BASELINE,
    RULE,
    TEST,
    Judged,
    as_markdown,
    calibration_error,
    evaluate,
    measures,
    resampled,
    score_shift,
)

Y = np.array([0.0, 0.0, 1.0, 1.0])


def classified(y, scores, threshold=0.5) -> Judged:
    y, scores = np.asarray(y, dtype=float), np.asarray(scores, dtype=float)
    return Judged(y, scores, y > 0, scores >= threshold)


def valued(y, predicted) -> Judged:
    return Judged(np.asarray(y, dtype=float), np.asarray(predicted, dtype=float), None, None)


def test_measures_of_a_classifier_by_hand():
    found = measures(classified(Y, [0.1, 0.6, 0.4, 0.9]), classifier=True)
    assert found.absent == {}
    assert found.values["auc"] == 0.75
    assert found.values["average_precision"] == pytest.approx(1 / 2 + 2 / 3 / 2)
    assert found.values["brier"] == pytest.approx((0.01 + 0.36 + 0.36 + 0.01) / 4)
    assert (found.values["precision"], found.values["recall"], found.values["accuracy"]) == (0.5, 0.5, 0.5)
    assert (found.values["share_flagged"], found.values["predicted_to_observed"]) == (0.5, 1.0)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 9)), min_size=2, max_size=80))
def test_measures_of_a_classifier_are_those_of_scikit_learn(rows):
    y, scores = np.array([r[0] for r in rows], dtype=float), np.array([r[1] for r in rows]) / 10
    found, flagged = measures(classified(y, scores), classifier=True).values, scores >= 0.5
    if 0 < y.sum() < len(y):
        assert found["auc"] == pytest.approx(metrics.roc_auc_score(y, scores))
        assert found["average_precision"] == pytest.approx(metrics.average_precision_score(y, scores))
        assert found["recall"] == pytest.approx(metrics.recall_score(y, flagged))
    else:
        assert not {"auc", "average_precision"} & found.keys()
    if flagged.any():
        assert found["precision"] == pytest.approx(metrics.precision_score(y, flagged))
    assert found["brier"] == pytest.approx(((y - scores) ** 2).mean())
    assert found["accuracy"] == pytest.approx(metrics.accuracy_score(y, flagged))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), min_size=2, max_size=50))
def test_measures_of_a_regression_are_those_of_scikit_learn(rows):
    y, predicted = np.array(rows, dtype=float).T
    found = measures(valued(y, predicted), classifier=False)
    assert found.values["mae"] == pytest.approx(metrics.mean_absolute_error(y, predicted))
    assert found.values["rmse"] == pytest.approx(metrics.root_mean_squared_error(y, predicted))
    if len(set(y)) > 1:
        assert found.values["r2"] == pytest.approx(metrics.r2_score(y, predicted))
    else:
        assert found.absent["r2"] == "all labels are the same"


def test_measures_of_a_regression_by_hand():
    found = measures(valued([0, 2, 4], [0, 2, 1]), classifier=False)
    assert found.values["mae"] == 1.0
    assert found.values["rmse"] == pytest.approx(3**0.5)
    assert found.values["r2"] == pytest.approx(1 - 9 / 8)
    assert found.values["predicted_to_observed"] == 0.5
    assert not {"precision", "recall", "accuracy"} & {*found.values, *found.absent}


@pytest.mark.requirement("R22")
def test_a_model_that_predicts_nobody_has_recall_zero():
    """R22"""
    found = measures(classified(Y, np.full(4, 0.2)), classifier=True)
    assert (found.values["recall"], found.values["share_flagged"]) == (0.0, 0.0)
    assert found.absent == {"precision": "no row is predicted positive"}
    scores = Judged(np.arange(20.0), np.full(20, 5.0), np.arange(20.0) >= 19, np.zeros(20, dtype=bool))
    found = measures(scores, classifier=False)
    assert (found.values["accuracy"], found.values["recall"]) == (0.95, 0.0)
    assert "precision" in found.absent


@pytest.mark.requirement("R24")
@pytest.mark.parametrize("y", [np.zeros(4), np.ones(4)], ids=["all negative", "all positive"])
def test_rows_of_one_class_have_no_ranking_measures(y):
    """R24"""
    found = measures(classified(y, [0.1, 0.6, 0.4, 0.9]), classifier=True)
    assert found.absent.items() >= dict.fromkeys(("auc", "average_precision"), "the rows are of one class").items()
    assert not {"auc", "average_precision"} & found.values.keys()
    assert 0 < found.values["brier"] < 1


@pytest.mark.requirement("R24")
@pytest.mark.parametrize("classifier", [True, False])
def test_without_rows_every_measure_is_absent(classifier):
    empty = classified([], []) if classifier else valued([], [])
    found = measures(empty, classifier=classifier)
    assert found.values == {}
    assert set(found.absent.values()) == {"there are no rows"} and len(found.absent) >= 4
    whole = judged_by_all(empty, classifier)
    assert whole.values == {"test_rows": 0, "test_unseen_rows": 0, "calibration_rows": 0} | (
        {"test_positives": 0} if classifier else {}
    )


def judged_by_all(of: Judged, classifier: bool, seed: int = 1):
    return evaluate(
        of,
        {RULE: of, BASELINE: of},
        classifier=classifier,
        primary="average_precision" if classifier else "r2",
        unseen=np.zeros(len(of.label), dtype=bool),
        calibration=of,
        seed=seed,
    )


def test_all_are_measured_on_the_same_rows():
    rng = np.random.default_rng(1)
    y = (rng.random(500) < 0.2).astype(float)
    good, poor = classified(y, y * 0.4 + rng.random(500) * 0.6), classified(y, y * 0.1 + rng.random(500) * 0.9)
    unseen = np.arange(500) < 100
    found = evaluate(
        good, {RULE: poor, BASELINE: good}, classifier=True, primary="average_precision", unseen=unseen,
        calibration=poor, seed=1,
    ).values  # fmt: skip
    assert found["test_auc"] == found["baseline_auc"] > found["rule_auc"]
    assert found["gain_on_rule"] == found["test_average_precision"] - found["rule_average_precision"]
    assert 0 < found["gain_on_rule_low"] < found["gain_on_rule"] < found["gain_on_rule_high"]
    assert found["gain_on_baseline"] == found["gain_on_baseline_low"] == found["gain_on_baseline_high"] == 0
    assert found["average_precision_drop"] == found["rule_average_precision"] - found["test_average_precision"]
    assert found["test_unseen_rows"] == 100
    assert found["test_unseen_brier"] == pytest.approx(((good.label - good.predicted)[:100] ** 2).mean())
    assert found["score_psi"] > 0.1
    assert (found["test_positives"], found["test_rows"]) == (y.sum(), 500)


def test_a_paired_interval_is_narrower_than_two_apart():
    rng = np.random.default_rng(1)
    y = rng.gamma(0.5, 1000, 800)
    said = y * 0.5 + rng.normal(0, 400, 800)
    model, rule = valued(y, said + rng.normal(0, 20, 800)), valued(y, said)
    found = evaluate(
        model, {RULE: rule}, classifier=False, primary="r2", unseen=y < 0, calibration=model, seed=1
    ).values  # fmt: skip
    apart = found["test_r2_high"] - found["test_r2_low"]
    assert found["gain_on_rule_high"] - found["gain_on_rule_low"] < apart / 5


def test_the_intervals_hold_the_value_and_follow_the_seed():
    rng = np.random.default_rng(2)
    y = (rng.random(400) < 0.3).astype(float)
    of = classified(y, y * 0.3 + rng.random(400) * 0.7)
    one, again, other = (judged_by_all(of, True, seed).values for seed in (1, 1, 2))
    assert one == again != other
    for name in ("auc", "average_precision", "brier", "precision", "recall", "accuracy", "predicted_to_observed"):
        assert one[f"test_{name}_low"] < one[f"test_{name}"] < one[f"test_{name}_high"]
    # The spread of a mean is known: 1.96 standard errors to both sides.
    error = ((of.label - of.predicted) ** 2).std() / 400**0.5
    assert one["test_brier_high"] - one["test_brier_low"] == pytest.approx(2 * 1.96 * error, rel=0.2)


def test_an_interval_that_few_resamples_tell_is_absent():
    """One flagged row of forty: four of ten resamples flag none."""
    of = classified([1.0, *[0.0] * 20, *[1.0] * 19], [0.9, *[0.1] * 39])
    found = judged_by_all(of, True).values
    assert found["test_precision"] == 1.0
    assert "test_precision_low" not in found
    assert "test_recall_low" in found


def test_each_resample_draws_as_many_rows_as_there_are(monkeypatch):
    whole = np.concatenate(list(resampled(50, seed=3)))
    assert whole.shape == (evaluation.RESAMPLES, 50)
    assert (whole.sum(axis=1) == 50).all()
    assert len({tuple(row) for row in whole.tolist()}) == evaluation.RESAMPLES
    monkeypatch.setattr(evaluation, "CELLS", 700)
    assert [len(block) for block in resampled(50, seed=3)] == [14] * 21 + [6]


def test_the_calibration_error_by_hand():
    predicted = np.repeat([0.1, 0.5], 10)
    y = np.concatenate([np.arange(10) < 2, np.arange(10) < 5]).astype(float)
    by_rows = [abs(p - t) for p, t in zip(predicted, y, strict=True)]
    assert calibration_error(classified(y[:4], predicted[:4])) == pytest.approx(np.mean(by_rows[:4]))
    shifted = valued(np.arange(100.0), np.arange(100.0) + 7)
    assert calibration_error(shifted) == pytest.approx(7)
    assert calibration_error(valued(np.arange(100.0), np.arange(100.0))) == 0


def test_a_shift_of_scores_beyond_the_known_range_is_seen():
    rng = np.random.default_rng(1)
    before = rng.random(5000)
    assert score_shift(before, rng.random(5000)) < 0.01
    assert score_shift(before, rng.random(5000) + 3) > 2
    assert np.isfinite(score_shift(np.zeros(100), np.ones(100)))


def test_the_table_shows_all_three_and_says_what_is_absent():
    values = {"test_auc": 0.8123, "test_auc_low": 0.78, "test_auc_high": 0.84, "rule_auc": 0.7, "test_rows": 1234.0}
    table = as_markdown(values | {"test_unseen_auc": 0.5}, {"test_recall": "no row is positive"})
    assert "| auc | 0.812 (0.780 to 0.840) | 0.700 |  |" in table
    assert "| rows | 1,234 |  |  |" in table
    assert "| recall | absent: no row is positive |  |  |" in table
    assert "unseen" not in table and "_low" not in table
    assert TEST not in table
