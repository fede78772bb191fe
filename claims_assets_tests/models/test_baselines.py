"""The sources' algorithms: theirs by kind and setting, fitted on the training part alone, the same every time."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from claims_assets.models import baselines
from claims_assets.models.baselines import baseline_flags, fit_baseline
from claims_assets.models.er_utilization_predictor import ER_UTILIZATION
from claims_assets.models.health_risk_score import HEALTH_RISK
from claims_assets.models.high_cost_predictor import HIGH_COST
from claims_assets.models.high_risk_predictor import HIGH_RISK
from claims_assets.models.inputs import SOURCE_INPUTS
from claims_assets.models.labels import labels
from claims_assets.models.matrices import as_batches
from claims_assets.models.risk_artifact import encoded
from claims_assets.models.total_cost_predictor import TOTAL_COST
from claims_assets_tests.models.test_fitting import MODELS, with_signal


def fitted(model, rows: pd.DataFrame, **given):
    return fit_baseline(model, as_batches(rows, 100), len(rows), **given)


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
def test_a_signal_is_found_by_each(frame, model):
    train, test = with_signal(frame(600)), with_signal(frame(400, seed=2))
    predict = fitted(model, train)
    found = predict(test)
    assert roc_auc_score(labels(HIGH_COST, test), found) > 0.85
    assert found.dtype == np.float64 and np.array_equal(found, found.round(model.decimals))
    assert predict(test).tobytes() == fitted(model, train)(test).tobytes() == found.tobytes()
    assert len(predict(test.iloc[:0])) == 0


@pytest.mark.parametrize(
    ("model", "algorithm", "settings"),
    [
        (ER_UTILIZATION, "RandomForestClassifier", {"n_estimators": 100, "max_depth": 10, "min_samples_split": 20}),
        (HIGH_COST, "HistGradientBoostingClassifier", {"max_iter": 100, "max_depth": 5, "learning_rate": 0.1}),
        (TOTAL_COST, "HistGradientBoostingRegressor", {"max_iter": 150, "max_depth": 6, "learning_rate": 0.05}),
        (HIGH_RISK, "LogisticRegression", {"C": 1.0, "max_iter": 1000}),
        (HEALTH_RISK, "RandomForestRegressor", {"n_estimators": 100, "max_depth": 10, "min_samples_split": 5}),
    ],
    ids=lambda x: getattr(x, "name", None),
)
def test_algorithms_and_settings_are_those_of_the_sources(model, algorithm, settings):
    found = baselines._estimator(model)
    assert type(found).__name__ == algorithm
    assert found.get_params().items() >= (settings | {"random_state": 42}).items()


def test_the_scaler_knows_the_training_part_alone(frame):
    """R23: the same as scaling by hand with the mean and spread of the training rows."""
    train, test = with_signal(frame(500)), frame(200, seed=2)
    names = [n for n in SOURCE_INPUTS if n != "high_risk_flag"]
    x, other = (np.nan_to_num(encoded(r, names, HIGH_RISK.categories)).astype("float64") for r in (train, test))
    mean, spread = x.mean(axis=0), x.std(axis=0)
    by_hand = LogisticRegression(C=1.0, max_iter=1000).fit((x - mean) / spread, labels(HIGH_RISK, train))
    expected = by_hand.predict_proba((other - mean) / spread)[:, 1]
    assert fitted(HIGH_RISK, train)(test) == pytest.approx(expected, abs=1e-4)


def test_of_many_rows_a_fixed_sample_of_the_members_is_taken(frame):
    train, test = with_signal(frame(2000)), frame(100, seed=2)
    sampled = train.loc[baselines._in_sample(train, 0.25)]
    assert 400 < len(sampled) < 600
    assert fitted(HIGH_COST, train, most_rows=500)(test).tolist() == fitted(HIGH_COST, sampled)(test).tolist()


def test_classifiers_flag_from_one_half_on_and_the_score_from_the_high_label_on():
    assert baseline_flags(HIGH_COST, np.array([0.4, 0.5]), 1.0).tolist() == [False, True]
    assert baseline_flags(HEALTH_RISK, np.array([57.0, 58.0]), 58.0).tolist() == [False, True]
    assert baseline_flags(TOTAL_COST, np.array([1e6]), None) is None
