"""Intervals against a bootstrap by hand, and when a challenger is better."""

import math

import numpy as np
import pytest

from claims_assets.models.governance import comparison
from claims_assets.models.governance.comparison import compare, drop, gain, interval
from claims_assets.models.governance.measures import Scored
from claims_assets.models.governance.thresholds import CLASSIFIER, REGRESSION
from claims_assets_tests.models.governance.heldout import classifier_rows, honest, score_rows

KNOWN = honest(classifier_rows(1500))
SCORES = honest(score_rows(1500), "health_risk_score")


def with_predictions(known, predicted):
    return known.scored("test", predicted, known.test.flagged)


def noisy(known, sd, seed=5):
    return with_predictions(known, known.test.predicted + np.random.default_rng(seed).normal(0, sd, len(known.members)))


def test_an_interval_is_what_drawing_members_by_hand_gives():
    of, rng = SCORES.test, np.random.default_rng(0)
    n, drawn = len(of.label), []
    for _ in range(2000):
        rows = rng.integers(0, n, n)
        y, p = of.label[rows], of.predicted[rows]
        drawn.append(1 - ((y - p) ** 2).sum() / ((y - y.mean()) ** 2).sum())
    found = interval("r2", of, SCORES.members)
    np.testing.assert_allclose([found.low, found.high], np.quantile(drawn, [0.025, 0.975]), atol=0.002)


def test_rows_of_a_member_are_drawn_together():
    """Ten copies of each member say no more than one; ten times as many members would."""
    of, members = SCORES.test, SCORES.members
    tenfold = Scored(*(np.repeat(a, 10) for a in (of.label, of.event, of.predicted, of.flagged)))
    once, copies, many = (
        interval("r2", *given)
        for given in ((of, members), (tenfold, np.repeat(members, 10)), (tenfold, np.arange(10 * len(members))))
    )
    assert (copies.low, copies.high) == pytest.approx((once.low, once.high))
    assert many.high - many.low < 0.5 * (once.high - once.low)


def test_intervals_do_not_depend_on_how_much_fits_into_memory(monkeypatch):
    whole = gain("average_precision", KNOWN.test, KNOWN.rule, KNOWN.members)
    monkeypatch.setattr(comparison, "BLOCK", 10_000)
    assert gain("average_precision", KNOWN.test, KNOWN.rule, KNOWN.members) == whole


def test_a_paired_gain_sees_what_two_intervals_hide():
    worse = noisy(SCORES, 1.0)
    ours, theirs = (interval("r2", of, SCORES.members) for of in (SCORES.test, worse))
    assert ours.low < theirs.high
    assert gain("r2", SCORES.test, worse, SCORES.members).low > 0


def test_a_measure_without_a_value_has_no_interval():
    none = Scored(np.zeros(9), np.zeros(9) > 0, np.zeros(9), np.zeros(9) > 0)
    assert not interval("auc", none, np.arange(9)).known
    assert not interval("auc", Scored(*[np.empty(0)] * 4), np.empty(0)).known


def test_a_drop_is_the_difference_of_two_independent_sets():
    found = drop("r2", SCORES.test, SCORES.members, noisy(SCORES, 10), SCORES.members)
    assert 0 < found.low < found.value < found.high


@pytest.mark.requirement("R25")
def test_a_better_challenger_is_better_and_the_same_one_is_not():
    better = compare(REGRESSION, SCORES.test, noisy(SCORES, 5), SCORES.members)
    assert better.better
    assert better.gain.low > 0
    same = compare(REGRESSION, SCORES.test, SCORES.test, SCORES.members)
    assert not same.better
    assert same.gain.value == 0


@pytest.mark.requirement("R25")
def test_a_worse_challenger_stays_a_challenger():
    found = compare(CLASSIFIER, noisy(KNOWN, 0.2), KNOWN.test, KNOWN.members)
    assert not found.better
    assert found.gain.high < 0
    assert "is not better than the champion's beyond chance" in found.reasons[0]


def test_better_by_chance_is_not_better():
    found = compare(CLASSIFIER, noisy(KNOWN, 0.03, 8), noisy(KNOWN, 0.03, 9), KNOWN.members)
    assert not found.better
    assert found.gain.low <= 0 < found.gain.value


def test_a_gain_that_costs_error_or_accuracy_is_no_gain():
    champion = noisy(KNOWN, 0.15)
    too_high = compare(CLASSIFIER, with_predictions(KNOWN, KNOWN.test.predicted**0.3), champion, KNOWN.members)
    assert too_high.gain.low > 0
    assert not too_high.better
    assert [r.split(",")[0] for r in too_high.reasons] == ["Its brier"]
    everybody = KNOWN.scored("test", KNOWN.test.predicted, KNOWN.test.predicted > 0.01)
    careless = compare(CLASSIFIER, everybody, champion, KNOWN.members)
    assert not careless.better
    assert [r.split(",")[0] for r in careless.reasons] == ["Its accuracy"]


def test_a_champion_without_a_value_is_not_beaten():
    nothing = with_predictions(KNOWN, np.full(len(KNOWN.members), math.nan))
    assert not compare(CLASSIFIER, KNOWN.test, nothing, KNOWN.members).better
