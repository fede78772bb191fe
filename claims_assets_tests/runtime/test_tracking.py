"""Tracking: runs are closed and keep apart, versions carry what they know, a registry that is not there is not made."""

import json
from pathlib import Path

import mlflow
import numpy as np
import pytest
import xgboost
from mlflow import MlflowClient

from claims_assets.runtime.tracking import EXPERIMENT, Tracking
from claims_assets_tests.models.registry import empty_registry

NAMES = ["age", "total_paid_12mo"]
TAGS = {"as_of_month": "2025-06", "training_data": "abc", "parameters": "p1", "threshold": "0.25"}
X = np.random.default_rng(1).random((200, 2)).astype("float32")


@pytest.fixture
def tracking(tmp_path: Path, tmp_path_factory) -> Tracking:
    return empty_registry(tmp_path / "new" / "folder", tmp_path_factory)


@pytest.fixture(scope="module")
def booster() -> xgboost.Booster:
    data = xgboost.DMatrix(X, (X[:, 0] > 0.5).astype("float32"), feature_names=NAMES)
    return xgboost.train({"objective": "binary:logistic", "nthread": 1}, data, 3)


def client(tracking):
    return MlflowClient(tracking.uri, tracking.uri)


def register(tracking, booster, name="m", **tags):
    with tracking.run(f"{name} run", {"dagster_run_id": "d1"}) as run:
        return tracking.register(run, name, booster, TAGS | tags)


def test_looking_into_a_registry_that_is_not_there_makes_none(tmp_path):
    tracking = Tracking(uri=f"sqlite:///{tmp_path}/new/mlflow.db")
    assert tracking.versions("m") == []
    assert tracking.champion("m") is None
    assert list(tmp_path.iterdir()) == []


def test_a_run_ends_with_its_block(tracking, tmp_path):
    with tracking.run("one", {"dagster_run_id": "d1"}) as run:
        run.log({"seed": 42}, {"test_auc": 0.8}, {"absent.rule_auc": "one class"})
        run.log_json("importance.json", {"age": 0.7})
        assert client(tracking).get_run(run.run_id).info.status == "RUNNING"
    stored = client(tracking).get_run(run.run_id)
    assert stored.info.status == "FINISHED"
    assert (stored.data.params, stored.data.metrics) == ({"seed": "42"}, {"test_auc": 0.8})
    assert stored.data.tags["dagster_run_id"] == "d1"
    assert stored.data.tags["absent.rule_auc"] == "one class"
    artifacts = tmp_path / "new" / "folder" / "artifacts" / run.run_id / "artifacts"
    assert json.loads((artifacts / "importance.json").read_text()) == {"age": 0.7}
    assert client(tracking).get_experiment_by_name(EXPERIMENT).experiment_id == stored.info.experiment_id


def test_versions_carry_what_they_know(tracking, booster):
    register(tracking, booster)
    register(tracking, booster, as_of_month="2025-09", threshold="")
    one, two = tracking.versions("m")
    assert (one.version, one.as_of_month, one.training_data, one.parameters, one.threshold, one.alias) == (
        1, "2025-06", "abc", "p1", 0.25, None,
    )  # fmt: skip
    assert (two.version, two.as_of_month, two.threshold) == (2, "2025-09", None)
    assert tracking.versions("another") == []


def test_the_champion_is_the_version_with_the_alias(tracking, booster):
    register(tracking, booster)
    register(tracking, booster)
    client(tracking).set_registered_model_alias("m", "challenger", "2")
    tracking.promote("m", 1)
    assert tracking.champion("m").version == 1
    assert [v.alias for v in tracking.versions("m")] == ["champion", "challenger"]
    tracking.promote("m", 2)
    assert [v.alias for v in tracking.versions("m")] == [None, "champion"]


@pytest.mark.requirement("R2")
def test_a_loaded_version_predicts_as_the_fitted_one(tracking, booster):
    """R2"""
    version = register(tracking, booster)
    loaded = tracking.load("m", version.version)
    data = xgboost.DMatrix(X, feature_names=NAMES)
    assert loaded.feature_names == NAMES
    assert loaded.predict(data).tobytes() == booster.predict(data).tobytes()


def test_the_artifact_is_an_ordinary_mlflow_model_with_a_float64_signature(tracking, booster, tmp_path):
    register(tracking, booster)
    (folder,) = (tmp_path / "new").rglob("MLmodel")
    model = mlflow.pyfunc.load_model(folder.parent.as_uri())
    assert {i.type.name for i in model.metadata.signature.inputs} == {"double"}
    assert model.metadata.signature.inputs.input_names() == NAMES
    requirements = (folder.parent / "requirements.txt").read_text()
    assert f"xgboost=={xgboost.__version__}" in requirements.splitlines()


def test_results_are_those_of_the_run_that_registered(tracking, booster):
    with tracking.run("one", {}) as run:
        run.log({}, {"test_auc": 0.75}, {"absent.x": "why"})
        version = tracking.register(run, "m", booster, TAGS)
    metrics, tags = tracking.results(version)
    assert metrics == {"test_auc": 0.75}
    assert tags["absent.x"] == "why"


def test_a_run_makes_the_registry_and_its_folder(tmp_path):
    tracking = Tracking(uri=f"sqlite:///{tmp_path}/new/mlflow.db")
    with tracking.run("one", {}):
        assert (tmp_path / "new" / "mlflow.db").exists()


def test_artifacts_go_where_they_are_told(tracking, tmp_path, booster):
    told = Tracking(uri=tracking.uri, artifacts=str(tmp_path / "elsewhere"))
    register(told, booster)
    assert list((tmp_path / "elsewhere").rglob("model.ubj"))
    assert not (tmp_path / "new" / "folder" / "artifacts").exists()


def test_a_version_that_others_registered_is_read_without_our_tags(tracking, booster):
    with tracking.run("one", {}) as run:
        tracking.register(run, "m", booster, {})
    (found,) = tracking.versions("m")
    assert (found.as_of_month, found.threshold) == ("", None)


def test_in_a_catalog_a_model_has_a_name_of_three_parts_outside_and_its_own_inside(tracking, booster):
    in_catalog = tracking.model_copy(update={"catalog": "claims_dev"})
    version = register(in_catalog, booster)
    assert [m.name for m in client(tracking).search_registered_models()] == [f"claims_dev.models.{version.name}"]
    in_catalog.promote(version.name, version.version)
    assert [(v.name, v.alias) for v in in_catalog.versions(version.name)] == [(version.name, "champion")]
    assert tracking.versions(version.name) == []
    fitted = booster.predict(xgboost.DMatrix(X, feature_names=NAMES))
    loaded = in_catalog.load(version.name, version.version).predict(xgboost.DMatrix(X, feature_names=NAMES))
    assert np.array_equal(loaded, fitted)
