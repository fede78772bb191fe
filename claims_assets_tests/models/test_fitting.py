"""The fit: finds what is there, finds nothing where there is nothing, and never sees the test rows."""

from dataclasses import replace

import numpy as np
import pytest

from claims_assets.models.er_utilization_predictor import ER_UTILIZATION
from claims_assets.models.evaluation import evaluate
from claims_assets.models.fitting import DEFAULT_THRESHOLD, best_threshold, fit, importances, labels, predict
from claims_assets.models.total_cost_predictor import TOTAL_COST
from claims_assets.models.windows import NotTrainable

SEED = 42


def measured(model, train, test):
    fitted = fit(model, train, SEED, threads=1)
    predicted = predict(model, fitted.booster, test)
    return evaluate(model, test, labels(model, test), predicted, fitted.threshold)


def test_where_there_is_nothing_to_find_the_auc_is_one_half(frame):
    found = measured(ER_UTILIZATION, frame(3000, seed=1), frame(3000, seed=2))
    assert 0.46 < found.values["test_auc"] < 0.54


def test_a_signal_is_found_and_shuffling_the_labels_loses_it(frame):
    train, test = frame(3000, seed=1), frame(3000, seed=2)
    for rows in (train, test):
        rows["outcome_er_visit_count"] = np.where(rows["age"] + rows["avg_rx_cost"] > 1.2, 4.0, 0.0)
    assert measured(ER_UTILIZATION, train, test).values["test_auc"] > 0.97
    train["outcome_er_visit_count"] = train["outcome_er_visit_count"].sample(frac=1, random_state=3).to_numpy()
    assert 0.44 < measured(ER_UTILIZATION, train, test).values["test_auc"] < 0.56


def test_equal_fits_give_equal_bits(frame):
    train, test = frame(600), frame(300, seed=2)
    one, two = (predict(ER_UTILIZATION, fit(ER_UTILIZATION, train, SEED, 1).booster, test) for _ in range(2))
    assert one.tobytes() == two.tobytes()


@pytest.mark.requirement("R17")
def test_missing_is_no_zero(frame):
    """R17: where "never" reads as "today", the two can't be told apart."""
    train = frame(2000)
    train["days_since_last_er_visit"] = np.where(train["outcome_er_visit_count"] >= 3, np.nan, 0.0)
    fitted = fit(ER_UTILIZATION, train, SEED, 1)
    rows = frame(2, seed=9)
    rows["days_since_last_er_visit"] = [np.nan, 0.0]
    missing, zero = predict(ER_UTILIZATION, fitted.booster, rows)
    assert missing > 0.8 > 0.2 > zero


def test_scores_are_probabilities_and_costs_are_not_negative(frame):
    train, test = frame(800), frame(400, seed=2)
    train.loc[:20, "outcome_total_paid"] = -500.0
    scores = predict(ER_UTILIZATION, fit(ER_UTILIZATION, train, SEED, 1).booster, test)
    costs = predict(TOTAL_COST, fit(TOTAL_COST, train, SEED, 1).booster, test)
    assert scores.min() >= 0 and scores.max() <= 1
    assert costs.min() >= 0
    assert scores.dtype == costs.dtype == np.float64
    assert np.array_equal(scores, scores.round(6)) and np.array_equal(costs, costs.round(2))


def test_no_rows_get_no_scores(frame):
    fitted = fit(ER_UTILIZATION, frame(300), SEED, 1)
    assert len(predict(ER_UTILIZATION, fitted.booster, frame(3).iloc[:0])) == 0


@pytest.mark.parametrize("visits", [0.0, 5.0])
def test_labels_of_one_class_are_refused(frame, visits):
    train = frame(200)
    train["outcome_er_visit_count"] = visits
    with pytest.raises(NotTrainable, match="200 training rows with 1 distinct label"):
        fit(ER_UTILIZATION, train, SEED, 1)


def test_too_few_members_are_refused(frame):
    with pytest.raises(NotTrainable, match="train as of a later month, or on more members"):
        fit(ER_UTILIZATION, frame(2), SEED, 1)


def test_the_artifact_names_its_inputs_in_order(frame):
    assert tuple(fit(ER_UTILIZATION, frame(300), SEED, 1).booster.feature_names) == ER_UTILIZATION.inputs


@pytest.mark.parametrize(
    ("y", "scores", "threshold"),
    [
        ([0, 0, 1, 1], [0.1, 0.2, 0.7, 0.9], 0.7),
        ([0, 1, 0, 1], [0.1, 0.4, 0.6, 0.9], 0.4),
        ([1, 0, 0, 0], [0.1, 0.4, 0.6, 0.9], 0.1),
        ([0, 0, 0, 0], [0.1, 0.4, 0.6, 0.9], DEFAULT_THRESHOLD),
    ],
)
def test_the_threshold_gives_the_highest_f1(y, scores, threshold):
    assert best_threshold(np.array(y, dtype=float), np.array(scores)) == threshold


def test_settings_that_change_a_fit_change_its_fingerprint():
    base = ER_UTILIZATION.fingerprint(SEED)
    assert base == ER_UTILIZATION.fingerprint(SEED)
    others = [
        ER_UTILIZATION.fingerprint(SEED + 1),
        replace(ER_UTILIZATION, at_least=4).fingerprint(SEED),
        replace(ER_UTILIZATION, inputs=ER_UTILIZATION.inputs[:-1]).fingerprint(SEED),
        replace(ER_UTILIZATION, parameters=ER_UTILIZATION.parameters | {"eta": 0.2}).fingerprint(SEED),
    ]
    assert len({base, *others}) == 5


def test_importances_are_names_and_shares(frame):
    found = importances(fit(ER_UTILIZATION, frame(600), SEED, 1).booster)
    assert set(found) <= set(ER_UTILIZATION.inputs)
    assert list(found.values()) == sorted(found.values(), reverse=True)
    assert sum(found.values()) == pytest.approx(1, abs=0.01)
