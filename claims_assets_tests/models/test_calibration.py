"""What a score means: thresholds by their aim, calibration that keeps the ranking, intervals that hold what comes."""

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score

from claims_assets.models.calibration import (
    DEFAULT_THRESHOLD,
    INTERVAL_PIECES,
    MOST_POINTS,
    calibrate,
    intervals,
    threshold_for,
    wilson,
)
from claims_assets.models.risk_model import Aim


@pytest.mark.parametrize(
    ("aim", "threshold"),
    [(None, 0.7), (Aim("precision", 0.7), 0.4), (Aim("recall", 0.5), 0.7), (Aim("precision", 0.99), 0.9)],
)
def test_thresholds_by_aim(aim, threshold):
    """Of 100 members at each score: 100 with the event at .9, 90 at .7, 30 at .4, 5 at .1."""
    predicted = np.repeat([0.9, 0.7, 0.4, 0.1], 100)
    high = np.concatenate([np.arange(100) < n for n in (100, 90, 30, 5)])
    assert threshold_for(aim, high, predicted) == threshold


def test_a_threshold_keeps_its_aim_with_a_margin_and_rows_of_a_member_count_once():
    """Of 200 flagged at .5 have 124 the event: 62 %, of which the margin of 200 rows leaves 59 %, that of 50 56 %."""
    predicted = np.repeat([0.9, 0.5, 0.1], [100, 100, 800])
    high = np.concatenate([np.arange(100) < 80, np.arange(100) < 44, np.zeros(800, dtype=bool)])
    assert threshold_for(Aim("precision", 0.59), high, predicted) == 0.5
    assert threshold_for(Aim("precision", 0.60), high, predicted) == 0.9
    assert threshold_for(Aim("precision", 0.59), high, predicted, repeats=4) == 0.9


def test_few_flagged_members_prove_no_precision():
    predicted = np.repeat([0.9, 0.5], [5, 200])
    high = np.concatenate([np.ones(5, dtype=bool), np.arange(200) < 150])
    assert threshold_for(Aim("precision", 0.95), high, predicted) == 0.5


def test_without_events_the_threshold_is_the_default():
    assert threshold_for(Aim("recall", 0.7), np.zeros(9, dtype=bool), np.arange(9) / 9) == DEFAULT_THRESHOLD


def test_wilsons_ends_by_hand():
    """Wilson 1927 as worked in Newcombe, Stat Med 1998;17:857-72: 81 of 263, 95 %: 0.2553 to 0.3662."""
    assert wilson(81, 263, -1.959964) == pytest.approx(0.2553, abs=5e-5)
    assert wilson(81, 263, 1.959964) == pytest.approx(0.3662, abs=5e-5)


def test_the_sigmoid_is_the_one_of_maximum_likelihood():
    rng = np.random.default_rng(1)
    raw = rng.normal(0, 3, 20_000)
    y = (rng.random(20_000) < 1 / (1 + np.exp(-(0.5 * raw - 4)))).astype(float)
    found = calibrate(raw, y, repeats=100)
    other = LogisticRegression(C=1e9).fit(raw[:, None], y)
    assert found["kind"] == "sigmoid"
    assert found["slope"] == pytest.approx(other.coef_[0, 0], abs=0.01)
    assert found["intercept"] == pytest.approx(other.intercept_[0], abs=0.03)


@pytest.mark.parametrize(
    ("raw", "y"),
    [(np.arange(10.0), np.zeros(10)), (np.arange(10.0), np.ones(10)), (np.arange(10.0), np.arange(10) < 5),
     (np.arange(10.0), np.arange(10) >= 5), (np.zeros(10), np.arange(10) < 3)],
    ids=["none", "all", "the wrong way round", "apart", "no ranking"],
)  # fmt: skip
def test_a_sigmoid_is_finite_and_rises_whatever_the_labels(raw, y):
    found = calibrate(raw, y.astype(float))
    assert found["slope"] > 0
    assert np.isfinite([found["slope"], found["intercept"]]).all()
    shares = 1 / (1 + np.exp(-(found["slope"] * raw + found["intercept"])))
    assert shares.mean() == pytest.approx(y.mean(), abs=0.2)


def test_many_positives_are_calibrated_in_steps_that_keep_the_ranking():
    rng = np.random.default_rng(1)
    raw = rng.normal(0, 1, 8000)
    share = np.where(raw > 0, 0.6, 0.1) + 0.1 * (raw > 1)
    y = (rng.random(8000) < share).astype(float)
    found = calibrate(raw, y)
    assert found["kind"] == "points" and len(found["x"]) <= MOST_POINTS
    assert (np.diff(found["x"]) > 0).all() and (np.diff(found["y"]) > 0).all()
    ours, other = np.interp(raw, found["x"], found["y"]), IsotonicRegression().fit(raw, y).predict(raw)
    assert abs(ours - other).mean() < 0.02
    assert average_precision_score(y, ours) >= average_precision_score(y, raw) - 0.01


def test_four_of_five_outcomes_lie_in_the_interval():
    rng = np.random.default_rng(1)
    predicted = rng.gamma(2, 1000, 3000)
    y, later = (rng.gamma(1, predicted) for _ in range(2))
    found = intervals(y, predicted, shares=False)
    lower, upper = (np.interp(predicted, found["predicted"], found[end]) for end in ("lower", "upper"))
    assert ((later >= lower) & (later <= upper)).mean() == pytest.approx(0.8, abs=0.03)
    assert all((np.diff(found[n]) >= 0).all() for n in found)


def test_four_of_five_outcomes_that_come_in_steps_lie_in_it_too():
    rng = np.random.default_rng(1)
    predicted = rng.gamma(4, 5, 6000)
    y, later = (10.0 * rng.poisson(predicted / 10) for _ in range(2))
    found = intervals(y, predicted, shares=False)
    lower, upper = (np.interp(predicted, found["predicted"], found[end]) for end in ("lower", "upper"))
    assert ((later >= lower) & (later <= upper)).mean() > 0.8


def test_the_interval_of_a_share_holds_it_and_is_wider_for_fewer_members():
    rng = np.random.default_rng(1)
    predicted = np.sort(rng.random(4000))
    y = (rng.random(4000) < predicted).astype(float)
    one, repeated = (intervals(y, predicted, shares=True, repeats=r) for r in (1, 10))
    truth = (np.array(one["predicted"][::2]) + np.array(one["predicted"][1::2])) / 2
    inside = (one["lower"][::2] <= truth) & (truth <= one["upper"][::2])
    assert 12 <= inside.sum() <= len(truth) == INTERVAL_PIECES
    assert (np.subtract(repeated["upper"], repeated["lower"]) > np.subtract(one["upper"], one["lower"])).all()


def test_few_rows_have_no_intervals():
    assert intervals(np.ones(49), np.arange(49.0), shares=False) is None
