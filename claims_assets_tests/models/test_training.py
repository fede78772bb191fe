"""The assets: what a run trains, records and registers, and that a second run changes nothing."""

import shutil

import dagster as dg
import pandas as pd
import pytest
from mlflow import MlflowClient

from claims_assets import partitions
from claims_assets.definitions import assets
from claims_assets.models import training
from claims_assets.models.er_utilization_predictor import ER_UTILIZATION, er_utilization_predictor
from claims_assets.models.health_risk_score import health_risk_score
from claims_assets.models.high_cost_predictor import high_cost_predictor
from claims_assets.models.high_risk_predictor import high_risk_predictor
from claims_assets.models.total_cost_predictor import total_cost_predictor
from claims_assets.models.training_set import held_by
from claims_assets.predictions.holdout_predictions import read_holdout
from claims_assets.runtime.compute import computes_for
from claims_assets.runtime.spark import EmbeddedSpark
from claims_assets_tests.conftest import TEST_MEMORY
from claims_assets_tests.models.population import TEST_INDEX, TRAIN_INDEX, TRAINABLE, completed, population
from claims_assets_tests.models.registry import empty_registry

ASSETS = [
    er_utilization_predictor, high_cost_predictor, total_cost_predictor, high_risk_predictor, health_risk_score,
]  # fmt: skip
NAMES = [a.key.path[-1] for a in ASSETS]
RANGE = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")


@dg.asset(partitions_def=partitions.claim_months, backfill_policy=dg.BackfillPolicy.single_run())
def another_table() -> None:
    """Something else that the same run builds."""


@pytest.fixture
def run(own_planted, tracking):
    """`run(assets, "2025-06")` or `run(assets, "2025-04", "2025-06")`: materialize in process, on a planted lake."""

    def execute(chosen, first, last=None, lake=own_planted, config=None):
        resources = {
            "lake": lake,
            "tracking": tracking,
            "spark": EmbeddedSpark(memory_limit=TEST_MEMORY),
            **computes_for(None),
        }
        job = dg.Definitions(
            assets=chosen, resources=resources, executor=dg.in_process_executor
        ).resolve_implicit_global_asset_job_def()
        months = {"tags": dict(zip(RANGE, (first, last), strict=True))} if last else {"partition_key": first}
        with dg.DagsterInstance.ephemeral() as instance:
            ops = {a.op.name: {"config": config} for a in chosen} if config else {}
            return job.execute_in_process(instance=instance, raise_on_error=False, run_config={"ops": ops}, **months)

    return execute


def metadata(result, asset=er_utilization_predictor):
    found = {}
    for event in result.asset_materializations_for_node(asset.op.name):
        found[event.partition] = {k: v.value for k, v in event.metadata.items()}
    return found


def failure(result, asset=er_utilization_predictor) -> str:
    data = result.failure_data_for_node(asset.op.name)
    return data.user_failure_data.description if data.user_failure_data else str(data.error)


def statuses(tracking):
    client = MlflowClient(tracking.uri, tracking.uri)
    experiment = client.get_experiment_by_name(tracking.experiment)
    return [r.info.status for r in client.search_runs([experiment.experiment_id])]


def test_one_month_trains_all_five_and_beats_the_rule(run, tracking, own_planted):
    result = run(ASSETS, TRAINABLE)
    assert result.success
    found = {a.key.path[-1]: metadata(result, a)[TRAINABLE] for a in ASSETS}
    assert {n: f["version"] for n, f in found.items()} == dict.fromkeys(NAMES, 1)
    assert (found[NAMES[0]]["train_indexes"], found[NAMES[0]]["test_index"]) == (TRAIN_INDEX, TEST_INDEX)
    for name in ("er_utilization_predictor", "high_risk_predictor"):
        assert found[name]["test_auc"] > found[name]["rule_auc"]
    assert found["total_cost_predictor"]["test_rmse"] < found["total_cost_predictor"]["rule_rmse"]
    assert found["er_utilization_predictor"]["predicted_and_observed"].startswith(("![", "No picture"))
    assert statuses(tracking) == ["FINISHED"] * 5
    for name in NAMES:
        held = read_holdout(own_planted, name, TRAINABLE)
        assert set(held["part"]) == {"calibration", "test"}
        assert (set(held["version"]), set(held["claim_month"])) == ({1}, {TRAINABLE})


@pytest.mark.requirement("R2")
def test_what_is_registered_predicts_what_is_stored(run, tracking, own_planted):
    """R2: the registered file alone, given raw features, gives the predictions that the measures are made of."""
    run(ASSETS, TRAINABLE)
    rows = completed(population(TRAINABLE)).to_pandas()
    for name in NAMES:
        held = read_holdout(own_planted, name, TRAINABLE)
        test = held.loc[held["part"] == "test"].set_index("member_id")
        predicted = tracking.load(name, 1).predict(rows)
        assert test.loc[rows["member_id"], "predicted"].tolist() == predicted.tolist()


def test_a_run_tells_what_it_read_and_how_it_was_fitted(run, tracking, own_planted):
    run([health_risk_score], TRAINABLE)
    (version,) = tracking.versions("health_risk_score")
    stored = MlflowClient(tracking.uri, tracking.uri).get_run(version.run_id).data
    version_read = stored.tags["delta_version.gold.risk_training_rows"]
    assert version_read == str(held_by(own_planted).delta_version)
    assert stored.params.keys() >= {"fitted_max_depth", "fitted_rounds", "search_trials", "monotone"}
    assert stored.params["baseline_algorithm"] == "random_forest"
    measured = {"test_r2", "rule_r2", "baseline_r2", "gain_on_rule", "gain_on_baseline"}
    others = {"calibration_r2", "r2_drop", "score_psi", "high_from", "test_interval_coverage"}
    assert stored.metrics.keys() >= {f"{n}{end}" for n in measured for end in ("", "_low", "_high")} | others


def test_a_second_run_registers_nothing_and_says_so(run, tracking):
    first = metadata(run(ASSETS, TRAINABLE))[TRAINABLE]
    again = run(ASSETS, TRAINABLE)
    assert again.success
    assert [len(tracking.versions(n)) for n in NAMES] == [1] * 5
    second = metadata(again)[TRAINABLE]
    assert (second["version"], second["new_version"]) == (1, False)
    assert second["reason"] == "the same month, rows and settings are registered already"
    assert second["measures"] == first["measures"]
    assert len(statuses(tracking)) == 5


def test_held_out_rows_that_were_lost_are_made_again(run, tracking, own_planted):
    run([er_utilization_predictor], TRAINABLE)
    before = read_holdout(own_planted, ER_UTILIZATION.name, TRAINABLE)
    shutil.rmtree(own_planted.path("gold", "holdout_predictions"))
    assert run([er_utilization_predictor], TRAINABLE).success
    after = read_holdout(own_planted, ER_UTILIZATION.name, TRAINABLE)
    keys = ["part", "member_id"]
    pd.testing.assert_frame_equal(*[f.sort_values(keys, ignore_index=True) for f in (before, after)])
    assert len(tracking.versions(ER_UTILIZATION.name)) == 1


def test_trained_again_from_nothing_the_bytes_are_the_same(run, tracking, own_planted, tmp_path, tmp_path_factory):
    run([er_utilization_predictor], TRAINABLE)
    here = training.Training(
        own_planted, held_by(own_planted), empty_registry(tmp_path / "other", tmp_path_factory),
        training.TrainingConfig(), "run",
    )  # fmt: skip
    training.train(ER_UTILIZATION, TRAINABLE, here)
    one, two = (t.load(ER_UTILIZATION.name, 1).to_bytes() for t in (tracking, here.tracking))
    assert one == two


def test_other_settings_register_another_version(run, tracking, own_planted):
    run([er_utilization_predictor], TRAINABLE)
    assert run([er_utilization_predictor], TRAINABLE, config={"seed": 7}).success
    one, two = tracking.versions(ER_UTILIZATION.name)
    assert (one.as_of_month, one.training_data) == (two.as_of_month, two.training_data)
    assert one.parameters != two.parameters
    assert run([er_utilization_predictor], TRAINABLE).success
    # The first one again: what is held of the newest one stays.
    assert set(read_holdout(own_planted, ER_UTILIZATION.name, TRAINABLE)["version"]) == {2}


def test_a_range_trains_quarter_ends_and_records_the_rest(run, tracking):
    found = metadata(run([er_utilization_predictor], "2025-02", TRAINABLE))
    assert list(found) == ["2025-02", "2025-03", "2025-04", "2025-05", TRAINABLE]
    assert found["2025-02"]["reason"] == "not a training month: models are trained at quarter ends"
    assert "the first month possible is 2025-06" in found["2025-03"]["reason"]
    assert found[TRAINABLE]["version"] == 1
    assert [v.as_of_month for v in tracking.versions(ER_UTILIZATION.name)] == [TRAINABLE]


def test_one_month_without_history_fails_and_names_the_first_month(run, tracking):
    result = run([er_utilization_predictor], "2025-05")
    assert not result.success
    assert failure(result) == (
        "Outcomes judged from 2024-03 on are not enough history to train as of 2025-05: the first month possible is"
        " 2025-06."
    )
    assert tracking.versions(ER_UTILIZATION.name) == []


def test_a_month_that_the_lake_does_not_hold_is_named(run):
    result = run([er_utilization_predictor], "2025-07")
    assert "gold.risk_training_rows has no rows for 2024-04" in failure(result)


def test_a_run_that_builds_other_tables_too_is_not_failed_by_history(run):
    result = run([er_utilization_predictor, another_table], "2022-05")
    assert result.success
    assert "reason" in metadata(result)["2022-05"]


def test_a_training_that_breaks_leaves_a_closed_failed_run_and_no_version(run, tracking, monkeypatch):
    def broken(booster):
        raise RuntimeError("out of disk")

    with monkeypatch.context() as patch:
        patch.setattr(training, "importances", broken)
        assert not run([er_utilization_predictor], TRAINABLE).success
    assert statuses(tracking) == ["FAILED"]
    assert tracking.versions(ER_UTILIZATION.name) == []
    assert run([er_utilization_predictor], TRAINABLE).success
    assert sorted(statuses(tracking)) == ["FAILED", "FINISHED"]


def test_a_cluster_that_the_engine_does_not_have_is_told(run, tracking):
    result = run([er_utilization_predictor], TRAINABLE, config={"on_spark": True})
    assert "on_spark grows trees on classic Spark, and this session is Spark Connect" in failure(result)
    assert tracking.versions(ER_UTILIZATION.name) == []


@pytest.mark.requirement("R3", "R32")
def test_the_five_models_are_in_the_graph_with_their_names():
    keys = {a.key.to_user_string() for a in assets() if isinstance(a, dg.AssetsDefinition)}
    assert {f"models/{n}" for n in NAMES} <= keys
