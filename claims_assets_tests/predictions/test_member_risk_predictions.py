"""The table: built through the lake, with models and without, and the same again."""

from datetime import datetime

import dagster as dg
import pytest

from claims_assets import partitions
from claims_assets.contracts import compiled
from claims_assets.features.member_features import MemberFeatures
from claims_assets.predictions.member_risk_predictions import MemberRiskPredictions, member_risk_predictions
from claims_assets.predictions.scoring import MODELS
from claims_assets.runtime.compute import computes_for
from claims_assets_tests.predictions.conftest import MEMBERS, register

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


@pytest.mark.parametrize("registered", [False, True], ids=["rule", "models"])
def test_every_member_gets_one_row_that_keeps_the_contract(build, lake, spark, tracking, registered):
    for model in MODELS if registered else ():
        register(tracking, model, "2025-06")
    found = build()
    assert (found.rows_kept, found.rows_quarantined, found.duplicates) == (2 * MEMBERS, 0, 0)
    assert found.failed == {}
    rows = lake.read(spark, "gold", "member_risk_predictions").toPandas()
    assert rows[SOURCE_COLUMNS].notna().all().all()
    expected = {"2025-05": "rule", "2025-06": "candidate" if registered else "rule"}
    assert dict(rows.groupby("claim_month")["model_status"].first()) == expected


@pytest.mark.requirement("R12")
def test_building_again_gives_the_same_bits(build, tracking):
    for model in MODELS:
        register(tracking, model, "2025-05")
    assert build().fingerprint == build().fingerprint


def test_a_later_version_changes_no_earlier_month(build, tracking):
    for model in MODELS:
        register(tracking, model, "2025-05")
    before = build().fingerprint
    for model in MODELS:
        register(tracking, model, "2025-06", seed=5)
    after = build().fingerprint
    assert before["2025-05"] == after["2025-05"]
    assert before["2025-06"] != after["2025-06"]


def test_a_month_alone_is_scored_as_in_a_range(build, tracking):
    register(tracking, MODELS[0], "2025-05")
    assert build(("2025-06",)).fingerprint["2025-06"] == build().fingerprint["2025-06"]


@pytest.mark.requirement("R12")
def test_the_timestamp_is_the_end_of_the_month_not_of_the_run(build, lake, spark):
    build()
    rows = lake.read(spark, "gold", "member_risk_predictions").toPandas()
    stamps = rows.groupby("claim_month")["prediction_timestamp"].unique()
    assert [stamps[m][0].tz_localize(None) if stamps[m][0].tz else stamps[m][0] for m in MONTHS] == [
        datetime(2025, 5, 31, 23, 59, 59),
        datetime(2025, 6, 30, 23, 59, 59),
    ]


def test_the_asset_runs_over_a_range_and_depends_on_the_models(features, lake, spark_resource, tracking):
    written = lake.write(features(*MONTHS), "gold", "member_features", MemberFeatures, MONTHS)
    assert written.kept == dict.fromkeys(MONTHS, MEMBERS)
    register(tracking, MODELS[0], "2025-06")
    resources = {"lake": lake, "tracking": tracking, "spark": spark_resource, **computes_for(None)}
    tags = {"dagster/asset_partition_range_start": MONTHS[0], "dagster/asset_partition_range_end": MONTHS[1]}
    asset = member_risk_predictions.asset
    assert {d.path[-1] for d in asset.asset_deps[asset.key] if d.path[0] == "models"} == {m.name for m in MODELS}
    job = dg.Definitions(assets=[asset], resources=resources).resolve_implicit_global_asset_job_def()
    with dg.DagsterInstance.ephemeral() as instance:
        assert job.execute_in_process(instance=instance, tags=tags, raise_on_error=False).success
    assert lake.rows_by_month("gold", "member_risk_predictions") == dict.fromkeys(MONTHS, MEMBERS)
    assert asset.partitions_def == partitions.claim_months
