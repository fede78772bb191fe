"""The fit: finds what is there, finds nothing where there is nothing, and is the same for the same members."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn.metrics import roc_auc_score

from claims_assets.models.er_utilization_predictor import ER_UTILIZATION
from claims_assets.models.fitting import candidates, constraints, fit, importances
from claims_assets.models.health_risk_score import HEALTH_RISK
from claims_assets.models.high_cost_predictor import HIGH_COST
from claims_assets.models.high_risk_predictor import HIGH_RISK
from claims_assets.models.inputs import MONOTONE
from claims_assets.models.labels import labels, targets, weights
from claims_assets.models.matrices import as_batches, quantiles
from claims_assets.models.parts import part_of
from claims_assets.models.risk_artifact import RiskArtifact, encoded
from claims_assets.models.risk_model import Aim
from claims_assets.models.total_cost_predictor import TOTAL_COST
from claims_assets.models.windows import NotTrainable
from claims_assets_tests.models.conftest import SEED

MODELS = [ER_UTILIZATION, HIGH_COST, TOTAL_COST, HIGH_RISK, HEALTH_RISK]
FAST = {"eta": 0.3}


def fitted(model, rows, seed=SEED, trials=1, size=None):
    aside = part_of(rows["member_id"], seed) == 0
    quick = replace(model, parameters=model.parameters | FAST)
    return fit(quick, as_batches(rows.loc[~aside], size), rows.loc[aside], seed=seed, trials=trials)


def with_signal(rows):
    """Age decides, not alone."""
    chance = rows["outcome_total_paid"].rank(pct=True)
    high = rows["age"] + 0.5 * chance > 1.1
    return rows.assign(
        outcome_er_visit_count=np.where(high, 4.0, 0.0),
        outcome_total_paid=np.where(high, 30_000.0, 100.0 * chance),
        outcome_composite_risk_score=np.where(high, 9.0, 2.0),
    )


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
def test_a_signal_is_found_on_other_members(frame, model):
    artifact = fitted(model, with_signal(frame(1500))).artifact
    test = with_signal(frame(1000, seed=2))
    assert roc_auc_score(labels(HIGH_COST, test), artifact.predict(test)) > 0.9


@pytest.mark.parametrize("model", [ER_UTILIZATION, HIGH_COST, HIGH_RISK], ids=lambda m: m.name)
def test_shuffled_labels_leave_an_auc_of_one_half(frame, model):
    train, test = with_signal(frame(2500)), with_signal(frame(2500, seed=2))
    for rows in (train, test):
        outcome = f"outcome_{model.outcome}"
        rows[outcome] = rows[outcome].sample(frac=1, random_state=3).to_numpy()
    y, predicted = labels(model, test), fitted(model, train).artifact.predict(test)
    # Standard error of an AUC of one half (Hanley & McNeil 1982).
    error = (len(y) + 1) / 12 / (y.sum() * (1 - y).sum())
    assert abs(roc_auc_score(y, predicted) - 0.5) < 3.3 * error**0.5


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
def test_equal_fits_give_equal_bytes_also_in_other_pieces(frame, model):
    rows = with_signal(frame(700))
    one, again = (fitted(model, rows, trials=2).artifact.to_bytes() for _ in range(2))
    assert one == again
    other_seed = fitted(model, rows, seed=7, trials=2).artifact
    assert other_seed.to_bytes() != one
    test = frame(300, seed=2)
    assert fitted(model, rows, trials=2, size=97).artifact.predict(test) == pytest.approx(
        RiskArtifact.from_bytes(one).predict(test), rel=0.2, abs=0.05
    )


def test_the_lean_matrix_holds_what_a_frame_holds(frame):
    rows, names = frame(500), list(ER_UTILIZATION.inputs)
    content = encoded(rows, names, ER_UTILIZATION.categories)
    whole = xgboost.QuantileDMatrix(
        content, targets(TOTAL_COST, rows), weight=weights(rows), feature_names=names, max_bin=64, nthread=1
    )
    for size, keep in ((None, False), (500, True), (123, False), (123, True)):
        lean = quantiles(TOTAL_COST, as_batches(rows, size), 1, keep=keep)
        assert lean.feature_names == names
        assert lean.get_label().tolist() == whole.get_label().tolist()
        assert lean.get_weight().tolist() == whole.get_weight().tolist()
        assert lean.get_data().shape == whole.get_data().shape
    settings = {**TOTAL_COST.parameters, **constraints(TOTAL_COST), "seed": 1, "nthread": 1}
    trees = [
        bytes(xgboost.train(settings, m, 20).save_raw("ubj"))
        for m in (whole, quantiles(TOTAL_COST, as_batches(rows), 1))
    ]
    assert trees[0] == trees[1]


@pytest.mark.requirement("R17")
def test_missing_is_no_zero(frame):
    """R17: where "never" reads as "today", the two can't be told apart."""
    train = frame(2000)
    train["days_since_last_rx_fill"] = np.where(train["outcome_er_visit_count"] >= 3, np.nan, 0.0)
    rows = frame(2, seed=9)
    rows["days_since_last_rx_fill"] = [np.nan, 0.0]
    missing, zero = fitted(ER_UTILIZATION, train).artifact.predict(rows)
    assert missing > 0.8 > 0.2 > zero


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
def test_more_of_a_bad_history_never_lowers_a_score(frame, model):
    train, rows = with_signal(frame(1500)), frame(40, seed=2)
    for name in MONOTONE:
        if name in model.inputs:
            train[name] = np.random.default_rng(1).random(len(train)) + train["age"] * (1 if name < "k" else -1)
    artifact = fitted(model, train).artifact
    for name, way in model.monotone.items():
        steps = [artifact.predict(rows.assign(**{name: float(x)})) for x in np.linspace(-2, 3, 9)]
        assert (way * np.diff(steps, axis=0) >= 0).all(), name


def test_visits_are_held_to_raise_the_emergency_score():
    assert ER_UTILIZATION.monotone["er_visit_count_12mo"] == 1
    ways = dict(
        zip(ER_UTILIZATION.inputs, constraints(ER_UTILIZATION)["monotone_constraints"][1:-1].split(","), strict=True)
    )
    assert {n: int(w) for n, w in ways.items() if w != "0"} == ER_UTILIZATION.monotone


def test_scores_are_probabilities_and_values_keep_their_bounds(frame):
    train, test = frame(800), frame(400, seed=2)
    train.loc[:20, "outcome_total_paid"] = -500.0
    scores = fitted(ER_UTILIZATION, train).artifact.predict(test)
    costs = fitted(TOTAL_COST, train).artifact.predict(test)
    points = fitted(HEALTH_RISK, train).artifact.predict(test)
    assert scores.min() >= 0 and scores.max() <= 1
    assert costs.min() >= 0
    assert points.min() >= 0 and points.max() <= 100
    assert np.array_equal(scores, scores.round(6)) and np.array_equal(costs, costs.round(2))


def test_probabilities_mean_what_they_say(frame):
    train, test = with_signal(frame(4000)), with_signal(frame(4000, seed=2))
    for model in (ER_UTILIZATION, HIGH_COST):
        y, predicted = labels(model, test), fitted(model, train).artifact.predict(test)
        assert predicted.sum() / y.sum() == pytest.approx(1, abs=0.06)


@pytest.mark.parametrize("visits", [0.0, 5.0])
def test_labels_of_one_class_are_refused(frame, visits):
    with pytest.raises(NotTrainable, match=r"\d+ training rows with 1 distinct label\(s\) and \d+ calibration rows"):
        fitted(ER_UTILIZATION, frame(200).assign(outcome_er_visit_count=visits))


def test_too_few_members_are_refused(frame):
    with pytest.raises(NotTrainable, match="train as of a later month, or on more members"):
        fitted(ER_UTILIZATION, frame(1))


def test_members_of_one_part_only_are_refused(frame):
    rows = frame(300)
    folds = part_of(rows["member_id"], SEED)
    with pytest.raises(NotTrainable, match="too few members to fit without some of them"):
        fitted(ER_UTILIZATION, rows.loc[np.isin(folds, (0, 1))])


@pytest.mark.requirement("R2")
@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
def test_each_artifact_carries_its_own_preprocessing(frame, model):
    """R2: what was fitted with a model is stored with it, and with no other."""
    found = fitted(model, with_signal(frame(400))).artifact
    assert tuple(found.inputs) == model.inputs
    assert found.categories == model.categories
    assert found.name == model.name
    assert found.facts["calibration"]["kind"] == ("sigmoid" if model.is_classifier else "none")
    assert (found.threshold is None) == (model is TOTAL_COST)
    assert found.facts["intervals"]["predicted"] == sorted(found.facts["intervals"]["predicted"])


def test_the_search_takes_the_least_loss_and_counts_its_candidates(frame, monkeypatch):
    tried = []

    def train(parameters, *arguments, **named):
        tried.append(parameters)
        booster = real(parameters, *arguments, **named)
        if named:
            losses.append(booster.best_score)
        return booster

    real, losses = xgboost.train, []
    monkeypatch.setattr(xgboost, "train", train)
    found = fitted(HIGH_COST, with_signal(frame(600)), trials=3)
    assert len(losses) == 3
    best = tried[int(np.argmin(losses))]
    assert best.items() >= found.parameters.items()


def test_candidates_begin_with_the_models_own_and_follow_the_seed():
    first, *drawn = candidates(HIGH_COST, 42, 5)
    assert first == HIGH_COST.parameters
    assert drawn == candidates(HIGH_COST, 42, 9)[1:5]
    assert drawn != candidates(HIGH_COST, 7, 5)[1:]
    assert all(d["objective"] == HIGH_COST.parameters["objective"] for d in drawn)


def test_no_candidates_is_a_setting_to_mend(frame):
    with pytest.raises(ValueError, match="search_trials is 0 or less: give 1 or more"):
        fitted(HIGH_COST, with_signal(frame(300)), trials=0)


def test_an_outcome_that_is_the_end_of_its_interval_lies_in_it(frame):
    rows = frame(1500)
    artifact = fitted(HEALTH_RISK, rows).artifact
    ends = {round(x, 2) for end in ("lower", "upper") for x in artifact.facts["intervals"][end]}
    assert ends <= set(labels(HEALTH_RISK, rows))


def test_weights_are_the_share_of_the_year_that_was_seen():
    rows = pd.DataFrame({"exposure_months": [12.0, 3.0, 3.0], "died": [0.0, 0.0, 1.0]})
    assert weights(rows).tolist() == [1.0, 0.25, 1.0]


def test_labels_of_each_kind(frame):
    rows = frame(3).assign(
        outcome_er_visit_count=[2.0, 3.0, 9.0],
        outcome_total_paid=[-5.0, 25_000.0, 7.0],
        outcome_composite_risk_score=[12.0, 6.0, 5.0],
    )
    assert labels(ER_UTILIZATION, rows).tolist() == [0, 1, 1]
    assert labels(HIGH_COST, rows).tolist() == [0, 1, 0]
    assert labels(TOTAL_COST, rows).tolist() == [0, 25_000, 7]
    assert labels(HIGH_RISK, rows).tolist() == [1, 1, 0]
    assert labels(HEALTH_RISK, rows).tolist() == [100, 50, 41.67]


def test_high_is_the_ninety_fifth_percentile_of_the_training_labels(frame):
    rows = frame(1000)
    found = fitted(HEALTH_RISK, rows)
    grown = labels(HEALTH_RISK, rows.loc[part_of(rows["member_id"], SEED) != 0])
    assert found.high_from == np.sort(grown)[int(np.ceil(0.95 * (len(grown) - 1)))]
    assert found.artifact.facts["high_from"] == found.high_from


def test_settings_that_change_a_fit_change_its_fingerprint():
    base = ER_UTILIZATION.fingerprint(SEED, search_trials=4)
    assert base == ER_UTILIZATION.fingerprint(SEED, search_trials=4)
    others = [
        ER_UTILIZATION.fingerprint(SEED + 1, search_trials=4),
        ER_UTILIZATION.fingerprint(SEED, search_trials=5),
        replace(ER_UTILIZATION, at_least=4).fingerprint(SEED, search_trials=4),
        replace(ER_UTILIZATION, inputs=ER_UTILIZATION.inputs[:-1]).fingerprint(SEED, search_trials=4),
        replace(ER_UTILIZATION, parameters=ER_UTILIZATION.parameters | {"eta": 0.2}).fingerprint(SEED, search_trials=4),
        replace(ER_UTILIZATION, aim=Aim("recall", 0.6)).fingerprint(SEED, search_trials=4),
    ]
    assert len({base, *others}) == 7


def test_importances_are_names_and_shares(frame):
    found = importances(fitted(ER_UTILIZATION, with_signal(frame(600))).artifact.booster)
    assert set(found) <= set(ER_UTILIZATION.inputs)
    assert list(found.values()) == sorted(found.values(), reverse=True)
    assert sum(found.values()) == pytest.approx(1, abs=0.01)
