"""The table: built through the lake, with models and without, and the same again."""

from datetime import datetime

import dagster as dg
import pytest

from claims_assets import partitions
from claims_assets.contracts import compiled
from claims_assets.features.member_features import MemberFeatures
from claims_assets.models.er_utilization_predictor import ER_UTILIZATION
from claims_assets.predictions.member_risk_predictions import (
    RISK_BANDS,
    MemberRiskPredictions,
    finished,
    member_risk_predictions,
)
from claims_assets.predictions.scoring import COLUMNS, MODELS
from claims_assets.runtime.compute import computes_for
from claims_assets_tests.predictions.conftest import MEMBERS, crown, crown_all, register

MONTHS = ["2025-05", "2025-06"]
SOURCE_COLUMNS = [
    "er_utilization_risk_score", "er_utilization_prediction", "high_cost_risk_score", "high_cost_prediction",
    "predicted_total_cost", "high_risk_score", "high_risk_prediction", "prediction_timestamp",
]  # fmt: skip
"""Columns of the source system's table, which its validation queries read."""


@pytest.fixture
def build(features, lake, spark, tracking):
    """Writes the predictions of MONTHS; the findings of the write."""

    def write(months=tuple(MONTHS)):
        frame = member_risk_predictions(features(*months), tracking, list(months))
        return lake.write(frame, "gold", "member_risk_predictions", MemberRiskPredictions, list(months))

    return write


def test_the_columns_of_the_source_system_keep_their_names():
    assert set(SOURCE_COLUMNS) <= compiled(MemberRiskPredictions).columns.keys()


def test_every_column_that_is_scored_is_in_the_table():
    assert COLUMNS.keys() - compiled(MemberRiskPredictions).columns.keys() == {"is_older_smoker"}


@pytest.mark.parametrize("registered", [False, True], ids=["rule", "models"])
def test_every_member_gets_one_row_that_keeps_the_contract(build, lake, spark, tracking, registered):
    for model in MODELS if registered else ():
        register(tracking, model, "2025-06", gate="below_floor")
    found = build()
    assert (found.rows_kept, found.rows_quarantined, found.duplicates) == (2 * MEMBERS, 0, 0)
    assert found.failed == {}
    rows = lake.read(spark, "gold", "member_risk_predictions").toPandas()
    assert rows[SOURCE_COLUMNS].notna().all().all()
    expected = {"2025-05": "rule", "2025-06": "candidate" if registered else "rule"}
    assert dict(rows.groupby("claim_month")["model_status"].first()) == expected
    newest = rows[rows["claim_month"] == "2025-06"]
    assert (
        newest["er_utilization_reasons"].notna().any() == newest["health_risk_score_lower"].notna().all() == registered
    )
    assert (newest["er_utilization_prediction"] == 1).any()


@pytest.mark.requirement("R12")
def test_building_again_gives_the_same_bits(build, tracking):
    crown_all(tracking, "2025-05")
    assert build().fingerprint == build().fingerprint


@pytest.mark.requirement("R12")
def test_a_past_month_keeps_its_bits_after_a_later_champion_and_after_a_rollback(build, tracking):
    crown_all(tracking, "2025-05")
    before = build().fingerprint
    crown_all(tracking, "2025-06", seed=5)
    after = build().fingerprint
    assert before["2025-05"] == after["2025-05"]
    assert before["2025-06"] != after["2025-06"]
    for model in MODELS:
        tracking.rollback(model.name, "2025-06")
    assert build().fingerprint == before


def test_a_version_that_was_refused_or_not_judged_leaves_the_table_as_it_was(build, tracking):
    before = build().fingerprint
    for model in MODELS:
        register(tracking, model, "2025-05", gate="refused")
        register(tracking, model, "2025-05")
    assert build().fingerprint == before


def test_a_month_alone_is_scored_as_in_a_range(build, tracking):
    crown(tracking, ER_UTILIZATION, "2025-05")
    assert build(("2025-06",)).fingerprint["2025-06"] == build().fingerprint["2025-06"]


def test_a_month_without_members_is_written_empty(features, lake, tracking):
    crown_all(tracking, "2025-05")
    nobody = features("2025-06").where("member_id = 'nobody'")
    frame = member_risk_predictions(nobody, tracking, ["2025-06"])
    found = lake.write(frame, "gold", "member_risk_predictions", MemberRiskPredictions, ["2025-06"])
    assert found.kept == {"2025-06": 0}


@pytest.mark.parametrize(
    ("points", "smoker", "band", "review"),
    [
        (0.0, False, "low", False),
        (29.99, False, "low", False),
        (30.0, False, "medium", False),
        (59.99, False, "medium", False),
        (60.0, False, "high", False),
        (84.99, False, "high", False),
        (85.0, False, "critical", False),
        (90.0, False, "critical", False),
        (90.01, False, "critical", True),
        (0.0, True, "low", True),
    ],
)
def test_the_score_gives_the_band_and_asks_for_a_look(spark, points, smoker, band, review):
    row = spark.createDataFrame(
        [("2025-05", points, smoker)], "claim_month string, health_risk_score double, is_older_smoker boolean"
    )
    (found,) = finished(row).collect()
    assert (found.risk_band, found.human_review) == (band, review)
    assert set(RISK_BANDS) == {"low", "medium", "high", "critical"}


def test_only_reported_smokers_above_sixty_are_looked_at_for_it(features, tracking):
    frame = features("2025-05")
    found = {r.member_id: r.human_review for r in member_risk_predictions(frame, tracking, ["2025-05"]).collect()}
    given = {r.member_id: (r.smoker, r.age, r.composite_risk_score) for r in frame.collect()}
    for member, (smokes, age, score) in given.items():
        assert found[member] == ((bool(smokes) and age > 60) or score * 100 / 12 > 90)
    assert {(bool(s), a) for s, a, _ in given.values()} >= {(True, 61), (True, 58), (False, 62)}


@pytest.mark.requirement("R12")
def test_the_timestamp_is_the_end_of_the_month_not_of_the_run(build, lake, spark):
    build()
    rows = lake.read(spark, "gold", "member_risk_predictions").toPandas()
    stamps = rows.groupby("claim_month")["prediction_timestamp"].unique()
    assert [stamps[m][0].tz_localize(None) if stamps[m][0].tz else stamps[m][0] for m in MONTHS] == [
        datetime(2025, 5, 31, 23, 59, 59),
        datetime(2025, 6, 30, 23, 59, 59),
    ]


def test_the_asset_runs_over_a_range_and_waits_for_the_models_and_the_gate(features, lake, spark_resource, tracking):
    written = lake.write(features(*MONTHS), "gold", "member_features", MemberFeatures, MONTHS)
    assert written.kept == dict.fromkeys(MONTHS, MEMBERS)
    crown(tracking, ER_UTILIZATION, "2025-06")
    resources = {"lake": lake, "tracking": tracking, "spark": spark_resource, **computes_for(None)}
    tags = {"dagster/asset_partition_range_start": MONTHS[0], "dagster/asset_partition_range_end": MONTHS[1]}
    asset = member_risk_predictions.asset
    models = {d.path[-1] for d in asset.asset_deps[asset.key] if d.path[0] == "models"}
    assert models == {m.name for m in MODELS} | {"promotion"}
    job = dg.Definitions(assets=[asset], resources=resources).resolve_implicit_global_asset_job_def()
    with dg.DagsterInstance.ephemeral() as instance:
        assert job.execute_in_process(instance=instance, tags=tags, raise_on_error=False).success
    assert lake.rows_by_month("gold", "member_risk_predictions") == dict.fromkeys(MONTHS, MEMBERS)
    assert asset.partitions_def == partitions.claim_months
