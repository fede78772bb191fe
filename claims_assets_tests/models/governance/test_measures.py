"""The gate's own measures against scikit-learn, also for weighted members."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from claims_assets.models.governance.measures import MEASURES, Scored, measure

ORACLES = {
    "auc": lambda o, w: metrics.roc_auc_score(o.event, o.predicted, sample_weight=w),
    "average_precision": lambda o, w: metrics.average_precision_score(o.event, o.predicted, sample_weight=w),
    "brier": lambda o, w: metrics.brier_score_loss(o.event, o.predicted, sample_weight=w),
    "precision": lambda o, w: metrics.precision_score(o.event, o.flagged, sample_weight=w),
    "recall": lambda o, w: metrics.recall_score(o.event, o.flagged, sample_weight=w),
    "accuracy": lambda o, w: metrics.accuracy_score(o.event, o.flagged, sample_weight=w),
    "r2": lambda o, w: metrics.r2_score(o.label, o.predicted, sample_weight=w),
    "mae": lambda o, w: metrics.mean_absolute_error(o.label, o.predicted, sample_weight=w),
    "rmse": lambda o, w: metrics.root_mean_squared_error(o.label, o.predicted, sample_weight=w),
    "predicted_to_observed": lambda o, w: np.average(o.predicted, weights=w) / np.average(o.label, weights=w),
}


def members(seed: int, n: int = 60) -> Scored:
    """Scores of one decimal, so that many are equal."""
    rng = np.random.default_rng(seed)
    event = rng.random(n) < 0.4
    event[:2] = True, False
    predicted = np.round(np.clip(event * 0.3 + rng.random(n) * 0.7, 0, 1), 1)
    return Scored(event * rng.gamma(2.0, 10, n) + 1, event, predicted, predicted >= min(0.5, predicted.max()))


def test_every_measure_has_an_oracle():
    assert ORACLES.keys() == MEASURES.keys()


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), name=st.sampled_from(sorted(MEASURES)))
def test_measures_of_many_weightings_are_those_of_each(seed, name):
    of = members(seed)
    weights = np.random.default_rng(seed).integers(1, 4, (3, len(of.label))).astype(float)
    expected = [ORACLES[name](of, w) for w in weights]
    np.testing.assert_allclose(measure(name, of, weights), expected, rtol=1e-9)
    np.testing.assert_allclose(measure(name, of), [ORACLES[name](of, None)], rtol=1e-9)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), name=st.sampled_from(sorted(MEASURES)))
def test_the_order_of_members_does_not_matter(seed, name):
    of = members(seed)
    order = np.random.default_rng(seed).permutation(len(of.label))
    turned = Scored(of.label[order], of.event[order], of.predicted[order], of.flagged[order])
    np.testing.assert_allclose(measure(name, of), measure(name, turned), rtol=1e-9)


@pytest.mark.parametrize("name", ["auc", "average_precision", "precision", "recall", "r2", "predicted_to_observed"])
def test_what_can_not_be_computed_is_no_number(name):
    n = np.zeros(5)
    nobody = Scored(n, n > 0, n, n > 0)
    assert not np.isfinite(measure(name, nobody)).any()
