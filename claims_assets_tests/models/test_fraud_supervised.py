"""The supervised layer end to end: a real lake, a real registry, a real detector; labels decide what it becomes."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from deltalake import write_deltalake
from pyspark.sql import functions as F

from claims_assets.models.fraud_artifact import FraudArtifact
from claims_assets.models.fraud_fitting import fit
from claims_assets.models.fraud_registry import detectors, load_detector, registered_name, save_part
from claims_assets.models.fraud_supervised import (
    ERRORS,
    INPUTS,
    NAME,
    labelled,
    load_version,
    train,
    version_at,
    with_errors,
)
from claims_assets.models.label_model import LEAST_OF_EACH, TooFewLabels
from claims_assets.monitoring import model_decisions
from claims_assets.predictions.fraud_supervised_scores import fraud_supervised_scores
from claims_assets.runtime.model_versions import ModelVersion
from claims_assets_tests.models.claims import usual_claims
from claims_assets_tests.models.registry import empty_registry

MONTH, NOW = "2025-09", datetime(2025, 10, 1, tzinfo=UTC)
CLAIMS, PART = 700, ("claim_amount", "impossible_count")
"""The detector of the test knows two features, so that its registration takes a second and not a minute."""


@pytest.fixture(scope="module")
def claims():
    """Claims of 50 providers; some were billed for far more units than usual."""
    rng = np.random.default_rng(3)
    frame = usual_claims(CLAIMS).assign(provider_id=[f"PR{i}" for i in rng.integers(0, 50, CLAIMS)])
    guilty = rng.random(CLAIMS) < 0.3
    frame["guilty"] = guilty
    frame.loc[guilty, "separate_lines"] = frame.loc[guilty, "separate_lines"] + 3
    return frame


@pytest.fixture(scope="module")
def detector(claims):
    whole = fit(claims, "xgboost", seed=42).artifact
    facts = whole.facts | {"features": {n: whole.facts["features"][n] for n in PART}}
    return FraudArtifact(facts, {PART[0]: whole.trees[PART[0]]})


@pytest.fixture
def tracking(tmp_path, tmp_path_factory, detector):
    """A registry with the detector as of 2025-06."""
    found = empty_registry(tmp_path / "mlflow", tmp_path_factory)
    tags = {"as_of_month": "2025-06", "training_data": "x", "parameters": "p"}
    with found.run("detector", {"dagster_run_id": "d"}) as run:
        save_part(detector, PART[0], tmp_path / "part")
        found.register_saved(run, registered_name("xgboost", PART[0]), tmp_path / "part", "model/claim_amount", tags)
    return found


@pytest.fixture
def filled(lake, claims):
    """`filled(share of wrong labels, known from)`: the lake with the claims and a decision on each."""

    def write(wrong=0.05, known="2025-08", of=CLAIMS):
        features = claims.drop(columns="guilty")
        write_deltalake(
            str(lake.path("gold", "claim_fraud_features")),
            pa.Table.from_pandas(features, preserve_index=False),
            partition_by=["claim_month"],
        )
        flip = np.random.default_rng(9).random(CLAIMS) < wrong
        labels = pd.DataFrame(
            {
                "claim_id": claims["claim_id"], "label": np.where(claims["guilty"] ^ flip, "Confirmed", "cleared"),
                "decided_at": pd.Timestamp(f"{known}-03", tz="UTC"), "known_from": known, "source_file": "a.csv",
                "source_line": range(CLAIMS),
            }
        ).head(of)  # fmt: skip
        write_deltalake(
            str(lake.path("bronze", "fraud_labels")),
            pa.Table.from_pandas(labels, preserve_index=False),
            mode="overwrite",
        )
        return lake

    return write


def test_decisions_that_say_more_than_the_score_make_a_version_that_scores(spark, filled, tracking, claims):
    lake = filled()
    told = train(MONTH, spark, lake, tracking, "r", NOW)
    assert (told["new_version"], told["decision"]) == (True, model_decisions.PROMOTED)
    assert told["average_precision"] > told["unsupervised_average_precision"] + told["gain_low"] > 0
    (version,) = tracking.versions(NAME)
    assert (version.gate, version.as_of_month) == ("passed", MONTH)
    (decision,) = model_decisions.stored(lake, NAME)
    assert (decision.decision, decision.challenger, decision.measure) == ("promoted", 1, "average_precision")
    again = train(MONTH, spark, lake, tracking, "r2", NOW)
    assert (again["new_version"], again["version"], len(tracking.versions(NAME))) == (False, 1, 1)


def test_the_registered_model_serves_and_the_table_says_the_same(spark, filled, tracking, claims):
    import mlflow

    lake = filled()
    train(MONTH, spark, lake, tracking, "r", NOW)
    rows, detector_version = labelled(MONTH, spark, lake, tracking)
    (version,) = tracking.versions(NAME)
    expected = load_version(tracking, version).predict(rows)
    served = mlflow.pyfunc.load_model(str(tracking.folder(NAME, version.version)))
    assert served.predict(rows[list(INPUTS)].astype("float64")) == pytest.approx(expected)
    detector = load_detector(tracking, "xgboost", detector_version)
    # As the table of scores holds them: evidence in the order of COUNTED.
    known = with_errors(claims, detector)
    given = zip(
        claims.claim_id, claims.claim_month, known.fraud_score.tolist(), known[list(ERRORS)].to_numpy().tolist(),
        strict=True,
    )  # fmt: skip
    scores = spark.createDataFrame(
        list(given), "claim_id string, claim_month string, fraud_score double, feature_errors array<double>"
    )
    features = lake.read(spark, "gold", "claim_fraud_features")
    none = fraud_supervised_scores(features, scores, tracking, ["2025-06"])
    assert none.collect() == []
    later = [frame.withColumn("claim_month", F.lit(MONTH)) for frame in (features, scores)]
    found = {r.claim_id: r for r in fraud_supervised_scores(*later, tracking, [MONTH]).collect()}
    said = [found[i].supervised_score for i in rows["claim_id"]]
    assert said == pytest.approx(expected.tolist(), abs=2e-6)
    assert {r.model_version for r in found.values()} == {1}


def test_decisions_that_say_nothing_are_registered_as_refused_and_never_score(spark, filled, tracking):
    lake = filled(wrong=0.5)
    told = train(MONTH, spark, lake, tracking, "r", NOW)
    assert told["decision"] == model_decisions.REFUSED
    (version,) = tracking.versions(NAME)
    assert version.gate == "refused"
    assert version_at([version], MONTH) is None


@pytest.mark.requirement("R1")
def test_what_is_decided_after_the_month_is_not_known_in_it(spark, filled, tracking):
    lake = filled(known="2025-10")
    told = train(MONTH, spark, lake, tracking, "r", NOW)
    assert told == {
        "new_version": False,
        "reason": f"0 confirmed and 0 cleared claims are known; {LEAST_OF_EACH} of each are needed.",
    }
    assert tracking.versions(NAME) == []
    (decision,) = model_decisions.stored(lake, NAME)
    assert (decision.decision, decision.reasons) == ("nothing_to_judge", (told["reason"],))
    assert train("2025-10", spark, lake, tracking, "r", NOW)["new_version"]


def test_too_few_decisions_and_no_detector_are_said(spark, filled, tracking, tmp_path_factory, tmp_path):
    lake = filled(of=150)
    with pytest.raises(TooFewLabels, match=rf"claims are known; {LEAST_OF_EACH} of each"):
        labelled(MONTH, spark, lake, tracking)
    with pytest.raises(TooFewLabels, match="No fraud detector is registered"):
        labelled(MONTH, spark, lake, empty_registry(tmp_path / "empty", tmp_path_factory))
    assert len(detectors(tracking, "xgboost")) == 1


def test_a_month_is_scored_by_the_newest_version_of_its_past_that_passed():
    def version(number, month, gate):
        return ModelVersion(NAME, number, month, "x", None, gate=gate)

    versions = [
        version(1, "2025-03", "passed"), version(2, "2025-06", "refused"), version(3, "2025-06", "passed"),
        version(4, "2025-09", ""),
    ]  # fmt: skip
    chosen = [version_at(versions, month) for month in ("2025-02", "2025-05", "2025-12")]
    assert [v and v.version for v in chosen] == [None, 1, 3]
