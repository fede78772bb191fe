"""Which version scores which month, and what the scores are."""

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient

from claims_assets.models.er_utilization_predictor import ER_UTILIZATION
from claims_assets.models.fitting import predict
from claims_assets.models.inputs import INPUTS, with_inputs
from claims_assets.partitions import months_between
from claims_assets.predictions.scoring import (
    MODEL_STATUSES,
    MODELS,
    Scorer,
    UnknownInputs,
    choose,
    score,
    scorers_for,
)
from claims_assets.runtime.tracking import ModelVersion
from claims_assets_tests.predictions.conftest import MEMBERS, booster_of, register

MONTHS = ["2025-01", "2025-06", "2025-07"]


def version(number, as_of, alias=None):
    return ModelVersion("m", number, as_of, "data", alias)


HISTORY = [version(1, "2024-06"), version(2, "2024-09"), version(3, "2024-12"), version(4, "2024-12")]


@pytest.mark.parametrize(
    ("month", "champion", "chosen"),
    [
        ("2024-05", None, None),
        ("2024-06", None, 1),
        ("2024-08", None, 1),
        ("2024-12", None, 4),
        ("2030-01", None, 4),
        ("2024-05", 2, None),
        ("2024-08", 2, 1),
        ("2024-09", 2, 2),
        ("2030-01", 2, 2),
        ("2030-01", 1, 1),
    ],
)
def test_the_champion_scores_once_it_existed_else_the_newest_of_the_past(month, champion, chosen):
    versions = [version(v.version, v.as_of_month, "champion" if v.version == champion else None) for v in HISTORY]
    found = choose(versions, month)
    assert (found.version if found else None) == chosen


@pytest.mark.requirement("R1")
@pytest.mark.parametrize("champion", [None, 1, 2, 3])
def test_no_month_is_scored_by_a_version_that_saw_its_future(champion):
    versions = [version(v.version, v.as_of_month, "champion" if v.version == champion else None) for v in HISTORY]
    for month in months_between("2024-01", "2025-12"):
        found = choose(versions, month)
        assert found is None or found.as_of_month <= month


def test_another_alias_gives_no_right_and_a_version_without_a_month_scores_nothing():
    assert choose([version(1, "2024-06", "challenger"), version(2, "2024-09")], "2025-01").version == 2
    assert choose([version(1, "", "champion")], "2025-01") is None


def test_without_versions_the_rule_scores_and_says_so(features):
    found = score(features("2025-01"), {}, ["2025-01"]).toPandas()
    assert len(found) == MEMBERS
    assert set(found["model_status"]) == {"rule"}
    assert found[[m.version_column for m in MODELS]].isna().all().all()
    history = features("2025-01").toPandas().set_index("member_id")
    visits = history["er_visit_count_12mo"].astype("float64")
    scores = found.set_index("member_id")["er_utilization_risk_score"]
    assert scores.sort_index().to_numpy() == pytest.approx((visits / (visits + 3)).sort_index().round(6).to_numpy())
    predicted = found.set_index("member_id")["er_utilization_prediction"]
    assert (predicted.sort_index() == (visits >= 3).astype(int).sort_index()).all()


@pytest.mark.requirement("R2")
def test_the_registered_model_scores_as_it_did_where_it_was_fitted(features, tracking):
    """R2"""
    for model in MODELS:
        register(tracking, model, "2025-06", seed=3)
    frame = features("2025-07")
    found = score(frame, scorers_for(tracking, ["2025-07"]), ["2025-07"]).toPandas().set_index("member_id").sort_index()
    inputs = with_inputs(frame, "member_id").toPandas().set_index("member_id").sort_index()
    for model in MODELS:
        expected = predict(model, booster_of(model, seed=3), inputs)
        assert found[model.column].to_numpy().tobytes() == expected.tobytes()
        assert len(set(expected)) > 3


@pytest.mark.requirement("R2", "R27")
def test_scoring_one_member_alone_gives_what_it_gets_among_all(features, tracking):
    """R2"""
    register(tracking, ER_UTILIZATION, "2025-06")
    scorers = scorers_for(tracking, ["2025-07"])
    frame = features("2025-07")
    together = {r.member_id: r.er_utilization_risk_score for r in score(frame, scorers, ["2025-07"]).collect()}
    (alone,) = score(frame.where("member_id = 'M007'"), scorers, ["2025-07"]).collect()
    assert alone.er_utilization_risk_score == together["M007"]


def test_each_month_is_scored_by_its_own_version(features, tracking):
    register(tracking, ER_UTILIZATION, "2025-06", seed=1, threshold=0.2)
    register(tracking, ER_UTILIZATION, "2025-07", seed=2, threshold=0.9)
    found = score(features(*MONTHS), scorers_for(tracking, MONTHS), MONTHS).toPandas()
    by_month = found.groupby("claim_month")
    versions = by_month["er_utilization_model_version"].first()
    assert [None if pd.isna(versions[m]) else int(versions[m]) for m in MONTHS] == [None, 1, 2]
    scores = {m: g.sort_values("member_id")["er_utilization_risk_score"].to_numpy() for m, g in by_month}
    assert not np.array_equal(scores["2025-06"], scores["2025-07"])
    for month, threshold in (("2025-01", 0.5), ("2025-06", 0.2), ("2025-07", 0.9)):
        rows = found[found["claim_month"] == month]
        assert ((rows["er_utilization_risk_score"] >= threshold) == (rows["er_utilization_prediction"] == 1)).all()


def test_the_status_of_a_row_is_the_least_of_its_four(features, tracking):
    for model in MODELS:
        register(tracking, model, "2025-06")
        tracking.promote(model.name, 1)
    register(tracking, ER_UTILIZATION, "2025-01")

    def statuses():
        scored = score(features(*MONTHS), scorers_for(tracking, MONTHS), MONTHS)
        return {r.claim_month: r.model_status for r in scored.collect()}

    assert statuses() == {"2025-01": "rule", "2025-06": "champion", "2025-07": "champion"}
    tracking.promote(ER_UTILIZATION.name, 2)
    assert statuses() == {"2025-01": "rule", "2025-06": "champion", "2025-07": "champion"}
    MlflowClient(tracking.uri, tracking.uri).delete_registered_model_alias(ER_UTILIZATION.name, "champion")
    assert statuses() == {"2025-01": "rule", "2025-06": "candidate", "2025-07": "candidate"}
    assert set(statuses().values()) <= set(MODEL_STATUSES)


@pytest.mark.requirement("R32")
def test_scores_of_many_rows_and_months_do_not_depend_on_their_order(features, tracking):
    register(tracking, ER_UTILIZATION, "2025-06")
    scorers = scorers_for(tracking, MONTHS)
    wanted = ["claim_month", "member_id", *[m.column for m in MODELS]]

    def content(frame):
        return score(frame, scorers, MONTHS).toPandas()[wanted].sort_values(wanted[:2], ignore_index=True)

    forwards = content(features(*MONTHS))
    backwards = content(features(*reversed(MONTHS)).orderBy("er_visit_count_12mo", "member_id"))
    pd.testing.assert_frame_equal(forwards, backwards, check_exact=True)


def test_a_version_with_inputs_that_nobody_makes_is_refused(features, tracking):
    import xgboost

    data = xgboost.DMatrix(np.ones((4, 1)), [0, 1, 0, 1], feature_names=["shoe_size"])
    with tracking.run("old", {}) as run:
        tracking.register(run, ER_UTILIZATION.name, xgboost.train({}, data, 1), {"as_of_month": "2025-01"})
    with pytest.raises(UnknownInputs, match="er_utilization_predictor version 1 needs shoe_size"):
        scorers_for(tracking, ["2025-06"])


def test_a_scorer_travels_as_bytes():
    content = bytes(booster_of(ER_UTILIZATION).save_raw("ubj"))
    assert isinstance(Scorer(1, "candidate", 0.5, content).booster, bytes)
    assert set(ER_UTILIZATION.inputs) <= set(INPUTS)
