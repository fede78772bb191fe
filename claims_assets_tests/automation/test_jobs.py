"""What runs together, and that many months are one run that swamps nothing."""

import shutil
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.instance.config import PoolGranularity

from claims_assets.automation.jobs import (
    END_TO_END,
    JOBS,
    ML_STAGES,
    ML_TRAINING_PIPELINE,
    MONITORING,
    TRAINING,
    jobs,
)
from claims_assets.automation.schedules import schedules
from claims_assets.definitions import assets, build
from claims_assets.layers import LAKE_POOL
from claims_assets.predictions.scoring import MODELS
from claims_assets.settings import settings_from_environment

CHECKOUT = Path(__file__).resolve().parents[2]
LOCAL = settings_from_environment({"CLAIMS_HOME": "/nowhere"})
DETECTORS = {"fraud_autoencoder_xgboost", "fraud_autoencoder_catboost"}
"""Trained with the risk models; no outcome judges them, so the gate doesn't."""


@pytest.fixture(scope="module")
def graph():
    return build(LOCAL).resolve_asset_graph()


def stages(graph):
    return {name: selection.resolve(graph) for name, (_, selection) in ML_STAGES.items()}


def test_the_training_pipeline_is_its_five_stages_and_nothing_else(graph):
    found = stages(graph)
    assert list(found) == ["features", "training", "governance", "validation of a scored batch", "set-up of monitoring"]
    held = [key for keys in found.values() for key in keys]
    assert sorted(held) == sorted(ML_TRAINING_PIPELINE.selection.resolve(graph))
    names = {stage: {k.path[-1] for k in keys} for stage, keys in found.items()}
    assert names["training"] == {m.name for m in MODELS} | DETECTORS
    assert names["governance"] == {"promotion"}
    assert {"member_risk_predictions", "claim_fraud_scores"} <= names["validation of a scored batch"]
    assert "model_performance" in names["set-up of monitoring"]
    assert not {k.path[-1] for k in held} & {"medical_claims", "immunization_master_outreach_list"}


def test_no_stage_reads_what_a_later_one_makes_and_each_reads_the_one_before(graph):
    found = list(stages(graph).values())
    for number, keys in enumerate(found):
        parents = {p for key in keys for p in graph.get(key).parent_keys}
        assert not parents & set().union(*found[number + 1 :])
        assert number == 0 or parents & found[number - 1]


def test_training_and_the_gate_are_one_job_in_that_order(graph):
    held = TRAINING.selection.resolve(graph)
    assert {k.path[-1] for k in held} == {*(m.name for m in MODELS), "promotion", *DETECTORS}
    judged = {k for k in held if k.path[-1] not in {"promotion", *DETECTORS}}
    assert graph.get(dg.AssetKey(["models", "promotion"])).parent_keys >= judged


@dg.asset(group_name="monitoring")
def drift_of_tomorrow() -> None:
    """Any step of the monitoring layer."""


def test_the_monitoring_job_appears_daily_at_six_with_the_first_step_of_its_layer():
    with_one = jobs([*assets(), drift_of_tomorrow])
    assert MONITORING in with_one
    (schedule,) = [s for s in schedules(LOCAL, with_one) if s.name == "model_monitoring_schedule"]
    assert schedule.cron_schedule == "0 6 * * *"
    chosen = dg.Definitions(assets=[drift_of_tomorrow], jobs=[MONITORING.definition])
    assert chosen.resolve_job_def(MONITORING.name).asset_layer.selected_asset_keys == {drift_of_tomorrow.key}
    assert MONITORING not in jobs([a for a in assets() if isinstance(a, dg.AssetsDefinition)][:1])


def test_the_whole_chain_has_the_time_of_its_parts():
    assert END_TO_END.seconds == 7_200 + 7_200 + 10_800 + 14_400 + 7_200


def test_forty_eight_months_of_a_table_are_one_run(graph):
    policies = {
        key: graph.get(key).backfill_policy for key in graph.materializable_asset_keys if graph.get(key).partitions_def
    }
    assert policies
    assert {k for k, p in policies.items() if p != dg.BackfillPolicy.single_run()} == set()


def test_every_step_that_writes_is_in_the_pool_that_one_run_at_a_time_may_hold(graph, tmp_path):
    without = {k for k in graph.materializable_asset_keys if graph.get(k).pools != {LAKE_POOL}}
    assert without == set()
    shutil.copy(CHECKOUT / "dagster.yaml", tmp_path)
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        config = instance.get_concurrency_config()
        assert config.pool_config.pool_granularity == PoolGranularity.RUN
        assert config.pool_config.default_pool_limit == 1
        assert instance.run_retries_enabled, "the retries of the jobs count for nothing without"


def test_the_guide_to_operations_lists_the_jobs_with_their_limits_and_retries():
    rows = [
        line.split("|") for line in (CHECKOUT / "docs" / "operations.md").read_text().splitlines() if " h | " in line
    ]
    told = {cells[1].strip(" `"): (float(cells[4].strip(" h")) * 3_600, int(cells[5])) for cells in rows}
    assert told == {job.name: (job.seconds, job.retries) for job in JOBS}
