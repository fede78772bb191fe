"""The fit: finds what is there, finds nothing where there is nothing, and is the same for the same members."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score

from claims_assets.models import fitting
from claims_assets.models.er_utilization_predictor import ER_UTILIZATION
from claims_assets.models.fitting import (
    DEFAULT_THRESHOLD,
    as_batches,
    calibrate,
    candidates,
    constraints,
    fit,
    importances,
    intervals,
    labels,
    targets,
    threshold_for,
    weights,
    wilson,
)
from claims_assets.models.health_risk_score import HEALTH_RISK
from claims_assets.models.high_cost_predictor import HIGH_COST
from claims_assets.models.high_risk_predictor import HIGH_RISK
from claims_assets.models.inputs import MONOTONE
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
        lean = fitting._quantiles(TOTAL_COST, as_batches(rows, size), 1, keep=keep)
        assert lean.feature_names == names
        assert lean.get_label().tolist() == whole.get_label().tolist()
        assert lean.get_weight().tolist() == whole.get_weight().tolist()
        assert lean.get_data().shape == whole.get_data().shape
    settings = {**TOTAL_COST.parameters, **constraints(TOTAL_COST), "seed": 1, "nthread": 1}
    trees = [
        bytes(xgboost.train(settings, m, 20).save_raw("ubj"))
        for m in (whole, fitting._quantiles(TOTAL_COST, as_batches(rows), 1))
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
    assert found["kind"] == "points" and len(found["x"]) <= fitting.MOST_POINTS
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
    assert 12 <= inside.sum() <= len(truth) == fitting.INTERVAL_PIECES
    assert (np.subtract(repeated["upper"], repeated["lower"]) > np.subtract(one["upper"], one["lower"])).all()


def test_few_rows_have_no_intervals():
    assert intervals(np.ones(49), np.arange(49.0), shares=False) is None


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
