"""The table: measures of what was predicted then against what is known now, and when a training is asked for."""

import dagster as dg
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, mean_absolute_error, r2_score, roc_auc_score

from claims_assets.features.risk_training_rows import RiskTrainingRows
from claims_assets.inputs import Window
from claims_assets.models.er_utilization_predictor import ER_UTILIZATION
from claims_assets.models.health_risk_score import HEALTH_RISK
from claims_assets.models.total_cost_predictor import TOTAL_COST
from claims_assets.monitoring.model_performance import (
    BELOW_HOLDOUT,
    MOST_DAYS,
    TOO_OLD,
    ModelPerformance,
    measured,
    model_performance,
    of_month,
)
from claims_assets.predictions.member_risk_predictions import MemberRiskPredictions
from claims_assets.predictions.scoring import MODELS, target_of
from claims_assets_tests.models.registry import empty_registry
from claims_assets_tests.predictions.conftest import artifact_of

INDEX, JUDGED = "2024-01", "2025-04"
MEMBERS = 300


@pytest.fixture
def tracking(tmp_path, tmp_path_factory):
    """An empty registry of this test's own."""
    return empty_registry(tmp_path / "mlflow", tmp_path_factory)


def outcomes(n=MEMBERS, seed=1):
    rng = np.random.default_rng(seed)
    frail = rng.gamma(0.8, 1.5, n)
    return pd.DataFrame(
        {
            "member_id": [f"M{i:03d}" for i in range(n)],
            "outcome_er_visit_count": rng.poisson(frail * 2),
            "outcome_total_paid": np.round(frail * rng.gamma(1.0, 12_000, n) - 50, 2),
            "outcome_composite_risk_score": np.minimum(12, rng.poisson(frail * 3)),
            "frail": frail,
        }
    )


def predictions(happened: pd.DataFrame, version: int | None = 1, seed=2):
    """What the models said a year before: frailty, not quite."""
    rng = np.random.default_rng(seed)
    guess = happened["frail"] * rng.uniform(0.5, 1.5, len(happened))
    said = {"member_id": happened["member_id"]}
    for model in MODELS:
        target = target_of(model)
        said[model.version_column] = version
        said[model.column] = (guess / (guess + 2)).round(6) if model.is_classifier else (guess * 11).round(2)
        if target.prediction:
            said[target.prediction] = (said[model.column] >= 0.5).astype(int)
    return pd.DataFrame(said)


def frames(rows, happened, said, index=INDEX, judged=JUDGED):
    of_index = said.astype(object).where(said.notna(), None).to_dict("records")
    known = happened.drop(columns="frail", errors="ignore").to_dict("records")
    return (
        rows(MemberRiskPredictions, *[{"claim_month": index, **r} for r in of_index]),
        rows(RiskTrainingRows, *[{"claim_month": judged, "index_month": index, **r} for r in known]),
    )


def by_model(frame):
    return {r["model_name"]: r for r in frame.toPandas().to_dict("records")}


def test_measures_are_those_of_scikit_learn(rows):
    happened = outcomes()
    said = predictions(happened)
    found = by_model(measured(*frames(rows, happened, said)))
    assert set(found) == {m.name for m in MODELS}
    assert {(r["claim_month"], r["index_month"], r["members"], r["model_version"]) for r in found.values()} == {
        (JUDGED, INDEX, MEMBERS, 1)
    }
    event, score = happened["outcome_er_visit_count"] >= 3, said["er_utilization_risk_score"]
    flagged = said["er_utilization_prediction"] == 1
    er = found[ER_UTILIZATION.name]
    assert er["events"] == event.sum()
    assert er["value"] == pytest.approx(average_precision_score(event, score))
    assert er["auc"] == pytest.approx(roc_auc_score(event, score))
    assert er["precision"] == pytest.approx((event & flagged).sum() / flagged.sum())
    assert er["recall"] == pytest.approx((event & flagged).sum() / event.sum())
    assert er["calibration_ratio"] == pytest.approx(score.sum() / event.sum())
    cost, paid = found[TOTAL_COST.name], happened["outcome_total_paid"].clip(lower=0)
    assert (paid == 0).any()
    assert cost["value"] == pytest.approx(r2_score(paid, said["predicted_total_cost"]))
    assert cost["mae"] == pytest.approx(mean_absolute_error(paid, said["predicted_total_cost"]))
    points = (happened["outcome_composite_risk_score"] * 100 / 12).round(2)
    assert found[HEALTH_RISK.name]["value"] == pytest.approx(r2_score(points, said["health_risk_score"]))


@pytest.mark.requirement("R12")
def test_the_order_of_the_rows_moves_no_bit():
    happened = outcomes()
    month = predictions(happened).merge(happened, on="member_id").assign(claim_month=JUDGED, index_month=INDEX)
    shuffled = [month.sample(frac=1, random_state=seed) for seed in range(5)]
    first, *others = [of_month(rows) for rows in (month, *shuffled)]
    assert all(found.equals(first) for found in others)


def test_members_without_a_prediction_or_an_outcome_are_left_out(rows):
    happened = outcomes()
    said = predictions(happened)
    found = by_model(measured(*frames(rows, happened[20:], said[:-30])))
    assert {r["members"] for r in found.values()} == {MEMBERS - 50}


def test_predictions_of_another_month_than_the_index_are_no_predictions(rows):
    happened = outcomes(40)
    said, _ = frames(rows, happened, predictions(happened), index="2024-02")
    _, known = frames(rows, happened, predictions(happened))
    assert measured(said, known).count() == 0


@pytest.mark.requirement("R24")
@pytest.mark.parametrize(("events", "shown"), [(0, 0), (1, None), (10, None), (11, 11), (289, 289), (295, 295)])
def test_few_members_with_the_event_are_not_counted_and_measure_nothing(rows, events, shown):
    happened = outcomes().assign(outcome_er_visit_count=[3] * events + [0] * (MEMBERS - events))
    found = by_model(measured(*frames(rows, happened, predictions(happened))))[ER_UTILIZATION.name]
    assert (None if pd.isna(found["events"]) else found["events"]) == shown
    measurable = 11 <= events <= MEMBERS - 11
    assert pd.notna(found["value"]) == pd.notna(found["calibration_ratio"]) == measurable
    assert measurable or found["absent"] == "fewer than 11 members with the event, or without"


@pytest.mark.requirement("R22", "R24")
def test_a_model_that_flags_nobody_has_no_precision_and_says_so(rows):
    happened = outcomes()
    found = by_model(measured(*frames(rows, happened, predictions(happened).assign(er_utilization_prediction=0))))
    er = found[ER_UTILIZATION.name]
    assert pd.isna(er["precision"]) and "were flagged" in er["absent"]
    assert pd.notna(er["auc"])


def registered(tracking, model, as_of, crowned, lower):
    """A champion whose hold-out promised at least `lower`."""
    tags = {"as_of_month": as_of, "training_data": "d", "parameters": "p"}
    name = f"test_{model.primary}"
    with tracking.run(f"{model.name} {as_of}", {}) as run:
        run.log({}, {name: lower + 0.1, f"{name}_low": lower, f"{name}_high": lower + 0.2}, {})
        made = tracking.register(run, model.name, artifact_of(model), tags)
    tracking.tag(model.name, made.version, gate="passed")
    tracking.crown(model.name, made.version, crowned)


def test_a_training_is_asked_for_when_the_hold_out_was_missed_or_the_champion_is_old(rows, tracking):
    registered(tracking, ER_UTILIZATION, "2024-01", "2024-01", lower=-1.0)
    registered(tracking, ER_UTILIZATION, "2025-01", "2025-01", lower=-1.0)
    registered(tracking, TOTAL_COST, "2024-01", "2024-01", lower=0.99)
    happened = outcomes()
    said, known = frames(rows, happened, predictions(happened))
    found = by_model(model_performance(said, known, tracking, [JUDGED]))
    er, cost, rule = (found[m.name] for m in (ER_UTILIZATION, TOTAL_COST, HEALTH_RISK))
    assert (er["serving_status"], er["serving_version"], er["serving_age_days"]) == ("champion", 2, 89)
    assert (er["holdout_lower"], bool(er["needs_retraining"]), list(er["reasons"])) == (-1.0, False, [])
    assert (cost["serving_version"], cost["serving_age_days"]) == (1, 455)
    assert cost["serving_age_days"] > MOST_DAYS
    assert (bool(cost["needs_retraining"]), list(cost["reasons"])) == (True, [BELOW_HOLDOUT, TOO_OLD])
    assert (rule["serving_status"], list(rule["reasons"])) == ("rule", [])
    assert pd.isna(rule["holdout_value"])


def test_the_step_writes_a_row_a_model_and_holds_no_member(rows, lake, spark_resource, tracking):
    happened = outcomes()
    said, known = frames(rows, happened, predictions(happened, version=None))
    complete = {"risk_tier": "Low", "risk_band": "low", "human_review": False, "model_status": "rule"}
    stamp = "2024-01-31 23:59:59"
    filled = said.toPandas().assign(**complete, prediction_timestamp=stamp)
    given = filled.astype(object).where(filled.notna(), None).to_dict("records")
    assert lake.write(
        rows(MemberRiskPredictions, *given), "gold", "member_risk_predictions", MemberRiskPredictions, [INDEX]
    ).kept
    frame = model_performance(
        lake.read(spark_resource.spark_session, "gold", "member_risk_predictions", [INDEX]), known, tracking, [JUDGED]
    )
    found = lake.write(frame, "monitoring", "model_performance", ModelPerformance, [JUDGED])
    assert (found.rows_kept, found.rows_quarantined, found.failed) == (len(MODELS), 0, {})
    again = model_performance(said, known, tracking, [JUDGED])
    assert (
        lake.write(again, "monitoring", "model_performance", ModelPerformance, [JUDGED]).fingerprint
        == found.fingerprint
    )


def test_it_reads_the_predictions_of_fifteen_months_before_and_is_built_by_its_job():
    (predicted,) = [i for i in model_performance.inputs if i.name == "member_risk_predictions"]
    assert predicted.window == Window(1, lag=15)
    assert predicted.window.reach([JUDGED]) == [INDEX]
    asset = model_performance.asset
    assert asset.key == dg.AssetKey(["monitoring", "model_performance"])
    assert asset.tags_by_key[asset.key]["phi"] == "none"
