"""The assets of fraud detectors: names in the registry, what a run records, and which version scores which month."""

import dagster as dg
import pytest

from claims_assets.models import fraud_boosters
from claims_assets.models.fraud_autoencoder_catboost import fraud_autoencoder_catboost
from claims_assets.models.fraud_autoencoder_xgboost import fraud_autoencoder_xgboost
from claims_assets.models.fraud_inputs import COLUMNS, MODELLED
from claims_assets.models.fraud_registry import detector_at, detectors, load_detector, registered_name
from claims_assets.models.fraud_training import FraudConfig, fingerprint, sample, train
from claims_assets.models.training import ONLY_TRAINING_MONTHS, QUARTER_ENDS
from claims_assets.runtime.compute import computes_for
from claims_assets.runtime.lake import Lake
from claims_assets.runtime.model_versions import ModelVersion
from claims_assets.runtime.spark import EmbeddedSpark
from claims_assets.runtime.tracking import Tracking
from claims_assets_tests.conftest import TEST_MEMORY
from claims_assets_tests.models.claims import usual_claims

CLAIMS = 700


@pytest.fixture
def fraud_lake(tmp_path) -> Lake:
    """`gold.claim_fraud_features` of 2025-05 and 2025-06, as far as a detector reads it."""
    import pyarrow as pa
    from deltalake import write_deltalake

    lake = Lake(root=str(tmp_path / "fraud_lake"))
    frame = usual_claims(CLAIMS).assign(claim_month=["2025-05", "2025-06"] * (CLAIMS // 2))
    path = lake.path("gold", "claim_fraud_features")
    path.parent.mkdir(parents=True)
    write_deltalake(str(path), pa.Table.from_pandas(frame, preserve_index=False), partition_by=["claim_month"])
    return lake


def runs(lake: Lake, tracking: Tracking, asset: dg.AssetsDefinition, first: str, last: str | None = None, **tags: str):
    """Materialize the months in process; the metadata of each."""
    resources = {
        "lake": lake, "tracking": tracking, "spark": EmbeddedSpark(memory_limit=TEST_MEMORY), **computes_for(None),
    }  # fmt: skip
    job = dg.Definitions(
        assets=[asset], resources=resources, executor=dg.in_process_executor
    ).resolve_implicit_global_asset_job_def()
    names = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")
    months = {"tags": dict(zip(names, (first, last), strict=True)) | tags} if last else {"partition_key": first}
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(instance=instance, **months)
    events = [e.materialization for e in result.get_asset_materialization_events()]
    return {m.partition: {k: v.value for k, v in m.metadata.items()} for m in events}


@pytest.mark.requirement("R32")
def test_each_feature_has_a_name_that_tells_algorithm_and_feature(fraud_lake, tracking):
    told = runs(fraud_lake, tracking, fraud_autoencoder_xgboost, "2025-05", "2025-06")
    assert told["2025-05"]["reason"] == "of several months the last one is trained"
    assert (told["2025-06"]["version"], told["2025-06"]["new_version"]) == (1, True)
    names = {f"fraud_detector_xgboost_{feature}" for feature in MODELLED}
    assert {name for name in names if [v.as_of_month for v in tracking.versions(name)] == ["2025-06"]} == names
    assert registered_name("xgboost", "claim_amount") != registered_name("catboost", "claim_amount")
    (version,) = detectors(tracking, "xgboost")
    values, _ = tracking.results(version)
    assert {"mean_fraud_score", "p95_fraud_score", "p99_fraud_score"} <= values.keys()
    assert values["mean_fraud_score"] < values["p95_fraud_score"] < values["p99_fraud_score"]

    again = runs(fraud_lake, tracking, fraud_autoencoder_xgboost, "2025-06")
    assert (again["2025-06"]["version"], again["2025-06"]["new_version"]) == (1, False)

    claims = sample(fraud_lake, "2025-06", 42)
    loaded = load_detector(tracking, "xgboost", version)
    assert set(loaded.trees) == set(MODELLED)
    assert loaded.score(claims)["is_flagged"].mean() == pytest.approx(0.05, abs=0.01)


def test_for_what_is_new_a_detector_is_trained_at_quarter_ends(fraud_lake, tracking):
    """The first one is trained whichever month it is."""
    asked = {ONLY_TRAINING_MONTHS: QUARTER_ENDS}
    for month, told in (
        ("2025-07", {"version": 1, "new_version": True}),
        ("2025-08", {"new_version": False, "reason": "not a training month: a detector is trained at quarter ends"}),
        ("2025-09", {"version": 2, "new_version": True}),
    ):
        found = runs(fraud_lake, tracking, fraud_autoencoder_xgboost, month, month, **asked)[month]
        assert {name: found.get(name) for name in told} == told


def test_a_registered_feature_scores_by_itself(fraud_lake, tracking):
    """As any program with mlflow would load it."""
    import mlflow.pyfunc

    train("xgboost", "2025-06", fraud_lake, tracking, FraudConfig(), "by hand")
    name = registered_name("xgboost", "service_units")
    model = mlflow.pyfunc.load_model(str(tracking.folder(name, 1)))
    claims = sample(fraud_lake, "2025-06", 42).head(5)
    numbers = [n for n in COLUMNS if claims[n].dtype != object]
    found = model.predict(claims[["claim_id", *COLUMNS]].astype(dict.fromkeys(numbers, "float64")))
    assert list(found.columns) == ["error", "evidence"]
    assert (found["evidence"] >= 0).all()


def test_without_catboost_the_run_says_so(fraud_lake, tracking, monkeypatch):
    monkeypatch.setattr(fraud_boosters.importlib.util, "find_spec", lambda name: None)
    told = runs(fraud_lake, tracking, fraud_autoencoder_catboost, "2025-06")
    assert told["2025-06"]["reason"].startswith("catboost is not installed: pip install")
    assert detectors(tracking, "catboost") == []


def test_no_claims_are_no_training(tmp_path, tracking):
    told = runs(Lake(root=str(tmp_path / "none")), tracking, fraud_autoencoder_xgboost, "2025-06")
    assert told["2025-06"]["reason"].startswith("gold.claim_fraud_features holds no claims of the year up to 2025-06")


def test_a_sample_is_of_claims_and_not_of_rows(fraud_lake):
    whole, some = sample(fraud_lake, "2025-06", 42), sample(fraud_lake, "2025-06", 42, most=100)
    assert len(whole) == CLAIMS
    assert len(some) == 100
    assert set(some["claim_id"]) < set(whole["claim_id"])
    assert set(sample(fraud_lake, "2025-06", 42, most=50)["claim_id"]) < set(some["claim_id"])
    assert set(sample(fraud_lake, "2025-06", 43, most=100)["claim_id"]) != set(some["claim_id"])
    assert set(sample(fraud_lake, "2025-05", 42)["claim_month"]) == {"2025-05"}
    assert fingerprint(whole) != fingerprint(some)


def version(number: int, as_of: str) -> ModelVersion:
    return ModelVersion("fraud_detector_xgboost_claim_amount", number, as_of, "", None)


def test_a_month_is_scored_by_the_newest_version_of_its_time_else_by_the_oldest():
    versions = [version(3, "2025-03"), version(1, "2024-12"), version(2, "2025-06"), version(4, "2024-12")]
    chosen = {m: detector_at(versions, m) for m in ("2024-01", "2024-12", "2025-05", "2025-06", "2026-01")}
    assert {m: v.version for m, v in chosen.items() if v} == {
        "2024-01": 4, "2024-12": 4, "2025-05": 3, "2025-06": 2, "2026-01": 2,
    }  # fmt: skip
    assert detector_at([], "2025-01") is None
