"""The sensor: a training is asked for once for a reason and a month, and for a month that is complete."""

from datetime import UTC, datetime

import dagster as dg
import pyarrow as pa
import pytest
from deltalake import write_deltalake

from claims_assets.automation.retraining import retraining_sensor
from claims_assets.contracts import compiled
from claims_assets.models.er_utilization_predictor import ER_UTILIZATION
from claims_assets.models.registered import MODELS
from claims_assets.models.training import ONLY_TRAINING_MONTHS
from claims_assets.monitoring.model_performance import BELOW_HOLDOUT, TOO_OLD, ModelPerformance
from claims_assets.runtime.resources import resources_for
from claims_assets.settings import settings_from_environment
from claims_assets_tests.automation import made
from claims_assets_tests.models.registry import empty_registry
from claims_assets_tests.predictions.conftest import register

LOCAL = settings_from_environment({"CLAIMS_HOME": "/nowhere"})
MAY, JUNE = "2025-05", "2025-06"
MODEL = ER_UTILIZATION.name


@pytest.fixture
def tracking(tmp_path, tmp_path_factory):
    """An empty registry of this test's own."""
    return empty_registry(tmp_path / "mlflow", tmp_path_factory)


def judged(lake, month, **why):
    """What the table says of a month: model name -> reasons; the other models have none."""
    rows = [
        {
            "model_name": m.name, "claim_month": month, "index_month": "2024-01", "members": 100, "measure": m.primary,
            "serving_status": "champion", "needs_retraining": m.name in why, "reasons": why.get(m.name, []),
        }
        for m in MODELS
    ]  # fmt: skip
    path = lake.path("monitoring", "model_performance")
    content = pa.Table.from_pylist(rows, schema=compiled(ModelPerformance).arrow_schema())
    write_deltalake(str(path), content, mode="append", partition_by=["claim_month"])


@pytest.fixture
def tick(lake, tracking):
    """`tick()`: what the sensor says on a day."""

    def told(instance, day=datetime(2025, 7, 20, tzinfo=UTC)):
        sensor = retraining_sensor(LOCAL, clock=lambda: day)
        with dg.build_sensor_context(instance=instance, resources={"lake": lake, "tracking": tracking}) as context:
            return sensor(context)

    return told


@pytest.fixture
def instance():
    with dg.DagsterInstance.ephemeral() as made_here:
        yield made_here


def test_nothing_is_asked_for_before_there_is_a_month_to_train_on(tick, instance, lake):
    assert tick(instance).skip_message == "No complete claim month has training rows yet."
    made.built(lake, "gold.risk_training_rows", [JUNE])
    assert tick(instance).skip_message == "No model needs training, as far as is known at the end of 2025-06."
    judged(lake, JUNE)
    assert "No model needs training" in tick(instance).skip_message


def test_a_reason_asks_for_the_newest_complete_month_with_one_key(tick, instance, lake):
    made.built(lake, "gold.risk_training_rows", [MAY, JUNE, "2025-07"])
    judged(lake, MAY)
    judged(lake, JUNE, **{MODEL: [TOO_OLD]})
    first, second = tick(instance), tick(instance)
    assert (first.partition_key, first.tags["claims/by"]) == (JUNE, "retraining")
    assert first.run_key == second.run_key == f"{JUNE} {MODEL}: {TOO_OLD}"
    assert first.asset_selection is None, "all models and the gate"


def test_another_reason_or_another_month_is_another_request(tick, instance, lake):
    made.built(lake, "gold.risk_training_rows", [MAY, JUNE])
    judged(lake, MAY, **{MODEL: [TOO_OLD]})
    in_may = tick(instance, datetime(2025, 7, 5, tzinfo=UTC))
    in_june = tick(instance)
    judged(lake, JUNE, **{MODEL: [TOO_OLD, BELOW_HOLDOUT]})
    worse = tick(instance)
    assert (in_may.partition_key, in_june.partition_key, worse.partition_key) == (MAY, JUNE, JUNE)
    assert len({in_may.run_key, in_june.run_key, worse.run_key}) == 3


def test_a_month_that_has_just_ended_still_gets_claims_and_is_not_complete(tick, instance, lake):
    made.built(lake, "gold.risk_training_rows", [JUNE])
    judged(lake, JUNE, **{MODEL: [TOO_OLD]})
    assert "No complete" in tick(instance, datetime(2025, 7, 5, tzinfo=UTC)).skip_message
    assert tick(instance, datetime(2025, 7, 6, tzinfo=UTC)).partition_key == JUNE


def test_a_reason_that_is_gone_in_a_newer_month_asks_for_nothing(tick, instance, lake):
    made.built(lake, "gold.risk_training_rows", [MAY, JUNE])
    judged(lake, MAY, **{MODEL: [TOO_OLD]})
    judged(lake, JUNE)
    assert "No model needs training" in tick(instance).skip_message


def test_what_is_trained_as_of_the_month_is_not_trained_again(tick, instance, lake, tracking):
    made.built(lake, "gold.risk_training_rows", [JUNE])
    judged(lake, JUNE, **{MODEL: [TOO_OLD]})
    register(tracking, ER_UTILIZATION, MAY)
    assert tick(instance).partition_key == JUNE
    register(tracking, ER_UTILIZATION, JUNE)
    assert tick(instance).skip_message == f"{MODEL}: trained as of {JUNE} already."


FINE = ("ok", 0.1, None, 0.3, "age")
FAR = ("warning", 0.4, None, 0.3, "age")


@pytest.mark.requirement("R13")
@pytest.mark.parametrize("condition", ["composite_drift", "drift_from_training", "prediction_shift", "mae"])
def test_drift_of_a_model_asks_for_its_training(tick, instance, lake, condition):
    made.built(lake, "gold.risk_training_rows", [JUNE])
    made.drifted(lake, MAY, **{f"{MODEL}__{condition}": FINE})
    assert "No model needs training" in tick(instance).skip_message
    made.drifted(lake, JUNE, **{f"{MODEL}__{condition}": FAR, "features__drift_score": FAR})
    asked = tick(instance)
    assert (asked.partition_key, asked.run_key) == (JUNE, f"{JUNE} {MODEL}: {condition}")


@pytest.mark.parametrize("condition", ["prediction_count", "mean_prediction", "performance"])
def test_what_a_training_does_not_mend_asks_for_none(tick, instance, lake, condition):
    made.built(lake, "gold.risk_training_rows", [JUNE])
    made.drifted(lake, JUNE, **{f"{MODEL}__{condition}": FAR})
    assert "No model needs training" in tick(instance).skip_message


def test_drift_that_began_before_the_last_training_asks_for_no_other(tick, instance, lake, tracking):
    made.built(lake, "gold.risk_training_rows", [MAY, JUNE])
    for month in ("2025-04", MAY, JUNE):
        made.drifted(lake, month, **{f"{MODEL}__composite_drift": FAR})
    register(tracking, ER_UTILIZATION, "2025-03")
    assert tick(instance).partition_key == JUNE, "the version is older than the drift"
    register(tracking, ER_UTILIZATION, MAY)
    assert "No model needs training" in tick(instance).skip_message


def test_drift_that_comes_back_asks_again(tick, instance, lake, tracking):
    made.built(lake, "gold.risk_training_rows", [JUNE])
    for month, verdict in (("2025-04", FAR), (MAY, FINE), (JUNE, FAR)):
        made.drifted(lake, month, **{f"{MODEL}__composite_drift": verdict})
    register(tracking, ER_UTILIZATION, "2025-04")
    assert tick(instance).run_key == f"{JUNE} {MODEL}: composite_drift"


@pytest.mark.parametrize(("environment", "running"), [("local", False), ("staging", False), ("production", True)])
def test_it_runs_by_itself_in_production_only(environment, running):
    sensor = retraining_sensor(settings_from_environment({"CLAIMS_HOME": "/nowhere", "CLAIMS_ENV": environment}))
    assert (sensor.default_status == dg.DefaultSensorStatus.RUNNING) == running
    assert sensor.job_name == "model_training"


def test_a_tick_waits_for_the_run_that_is_under_way(tick, lake):
    made.built(lake, "gold.risk_training_rows", [JUNE])
    judged(lake, JUNE, **{MODEL: [TOO_OLD]})

    @dg.job
    def busy():
        pass

    with dg.DagsterInstance.ephemeral() as instance:
        instance.create_run_for_job(busy, status=dg.DagsterRunStatus.STARTED)
        assert "has not finished" in tick(instance).skip_message


def test_the_sensor_of_the_repository_asks_for_a_run_of_one_month_of_the_models_and_the_gate(site):
    here = site()
    made.built(here.lake, "gold.risk_training_rows", [JUNE])
    judged(here.lake, JUNE, **{MODEL: [TOO_OLD]})
    repository = here.definitions.get_repository_def()
    resources = {k: v for k, v in resources_for(here.settings).items() if k in ("lake", "tracking")}
    with dg.build_sensor_context(instance=here.instance, repository_def=repository, resources=resources) as context:
        (request,) = repository.get_sensor_def("retraining").evaluate_tick(context).run_requests
    assert request.tags["dagster/partition"] == JUNE
    job = here.definitions.resolve_job_def("model_training")
    detectors = {"fraud_autoencoder_xgboost", "fraud_autoencoder_catboost", "fraud_supervised"}
    asked = {k.path[-1] for k in job.asset_layer.selected_asset_keys}
    assert asked == {*(m.name for m in MODELS), "promotion"} | detectors
    assert ONLY_TRAINING_MONTHS not in request.tags, "a month that can't be trained is to fail and say why"
