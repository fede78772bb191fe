"""One training: what is stored of the held-out members gives every measure again, computed by other means."""

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from claims_assets.contracts import compiled
from claims_assets.models.labels import labels
from claims_assets.models.trained import trained
from claims_assets.predictions.holdout_predictions import HoldoutPredictions
from claims_assets_tests.models.test_fitting import MODELS, with_signal


@pytest.fixture
def made(frame, parts):
    """`made(model)`: rows and what was trained on them."""

    def build(model):
        rows = parts(noisy(frame(700)), noisy(frame(600, seed=5)))
        return rows, trained(model, rows, seed=42, threads=1, trials=1)

    return build


def noisy(rows: pd.DataFrame) -> pd.DataFrame:
    """A signal that decides most, not all."""
    clear = with_signal(rows)
    kept = np.random.default_rng(len(rows)).random(len(rows)) < 0.85
    outcomes = [n for n in rows if n.startswith("outcome_")]
    return rows.assign(**{n: np.where(kept, clear[n], rows[n]) for n in outcomes})


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
def test_every_measure_follows_from_the_stored_rows(made, model):
    _, found = made(model)
    test = found.holdout.loc[found.holdout["part"] == "test"]
    for prefix, predicted, flagged in (
        ("test_", "predicted", "flagged"),
        ("rule_", "rule_predicted", "rule_flagged"),
        ("baseline_", "baseline_predicted", "baseline_flagged"),
    ):
        expected = measured(test["outcome"], test[predicted], test["is_event"], test[flagged], model.is_classifier)
        ours = {n: found.measures.values[prefix + n] for n in expected}
        assert ours == pytest.approx(expected)
    before = found.holdout.loc[found.holdout["part"] == "calibration"]
    again = measured(before["outcome"], before["predicted"], before["is_event"], before["flagged"], model.is_classifier)
    assert found.measures.values[f"calibration_{model.primary}"] == pytest.approx(again[model.primary])


def measured(y, predicted, event, flagged, classifier) -> dict[str, float]:
    y, predicted = y.to_numpy(), predicted.to_numpy()
    if classifier:
        expected = {
            "auc": metrics.roc_auc_score(y, predicted),
            "average_precision": metrics.average_precision_score(y, predicted),
            "brier": ((y - predicted) ** 2).mean(),
        }
    else:
        expected = {
            "r2": metrics.r2_score(y, predicted),
            "mae": metrics.mean_absolute_error(y, predicted),
            "rmse": metrics.root_mean_squared_error(y, predicted),
        }
    if not event.isna().all():
        event, flagged = event.to_numpy(int), flagged.to_numpy(int)
        if flagged.any():
            expected["precision"] = metrics.precision_score(event, flagged)
        expected |= {
            "recall": metrics.recall_score(event, flagged),
            "accuracy": metrics.accuracy_score(event, flagged),
            "share_flagged": flagged.mean(),
        }
    return expected | {"predicted_to_observed": predicted.sum() / y.sum()}


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
def test_the_held_out_rows_are_those_of_the_contract(made, model):
    rows, found = made(model)
    held = found.holdout
    assert set(held.columns) | {"model_name", "claim_month", "version"} == set(compiled(HoldoutPredictions).columns)
    parts = {name: held.loc[held["part"] == name] for name in ("calibration", "test")}
    for part, given in zip(parts.values(), (rows.calibration, rows.test), strict=True):
        assert part["member_id"].tolist() == given["member_id"].tolist()
        assert part["outcome"].tolist() == labels(model, given).tolist()
        assert part["predicted"].tolist() == found.fitted.artifact.predict(given).tolist()
        known = given["dual_eligible"].notna().tolist()
        assert [d is not None for d in part["dual_eligible"]] == known
        assert [bool(d) for d in part["dual_eligible"] if d is not None] == (
            given["dual_eligible"].dropna().eq(1).tolist()
        )
    decides = model.name != "total_cost_predictor"
    assert held[["is_event", "flagged", "rule_flagged", "baseline_flagged"]].notna().to_numpy().all() == decides
    assert set(held["index_month"]) == {"2022-12", "2024-03"}


def test_the_interval_of_costs_is_measured(made):
    model = next(m for m in MODELS if m.name == "total_cost_predictor")
    rows, found = made(model)
    lower, upper = found.fitted.artifact.interval(found.test.predicted)
    y = rows.test["outcome_total_paid"].to_numpy()
    assert found.measures.values["test_interval_coverage"] == pytest.approx(((lower <= y) & (y <= upper)).mean())


def test_the_high_label_of_a_score_is_told(made):
    model = next(m for m in MODELS if m.name == "health_risk_score")
    _, found = made(model)
    assert found.measures.values["high_from"] == found.fitted.artifact.facts["high_from"]
    events = found.holdout["outcome"] >= found.measures.values["high_from"]
    assert events.astype(int).tolist() == found.holdout["is_event"].tolist()
