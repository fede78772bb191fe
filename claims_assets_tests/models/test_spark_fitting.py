"""Trees from a Spark cluster: the same rows and parts go in, the same kind of artifact comes out.

The fit itself needs Java and takes a minute: `python -m pytest --engine spark -m full` on this file.
"""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from claims_assets.models.er_utilization_predictor import ER_UTILIZATION
from claims_assets.models.health_risk_score import HEALTH_RISK
from claims_assets.models.high_cost_predictor import HIGH_COST
from claims_assets.models.labels import labels, targets, weights
from claims_assets.models.parts import part_of
from claims_assets.models.risk_artifact import RiskArtifact, encoded
from claims_assets.models.spark_fitting import IS_CALIBRATION, LABEL, WEIGHT, SparkGrower, numbered_rows
from claims_assets.models.trained import trained
from claims_assets.models.training_set import ROWS, held_by, training_set
from claims_assets.setting_values import SettingError
from claims_assets_tests.models.conftest import SEED
from claims_assets_tests.models.population import FIRST, TRAINABLE
from claims_assets_tests.models.test_fitting import MODELS


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
def test_spark_sees_the_rows_that_a_frame_holds(planted, spark, model):
    rows = numbered_rows(model, planted.read(spark, *ROWS, [FIRST]).orderBy("member_id"), SEED).toPandas()
    found = training_set(planted, held_by(planted), TRAINABLE, seed=SEED)
    for frame, aside in ((next(found.train()), False), (found.calibration, True)):
        part = rows.loc[rows[IS_CALIBRATION] == aside]
        content = encoded(frame, model.inputs, model.categories)
        assert np.array_equal(part[list(model.inputs)].to_numpy("float32"), content, equal_nan=True)
        assert part[LABEL].tolist() == targets(model, frame).tolist()
        assert part[WEIGHT].tolist() == weights(frame).tolist()


def test_parts_are_those_of_the_process(spark):
    members = [f"M{i}" for i in range(300)]
    frame = spark.createDataFrame([(m,) for m in members], "member_id string")
    columns = ", ".join(f"cast(null as double) as {n}" for n in HIGH_COST.inputs if n not in HIGH_COST.categories)
    words = ", ".join(f"cast(null as string) as {n}" for n in HIGH_COST.categories)
    year = "false as died, 12 as exposure_months, 0.0 as outcome_total_paid, '2025-01' as claim_month"
    frame = frame.selectExpr("member_id", *columns.split(", "), *words.split(", "), *year.split(", "))
    found = numbered_rows(HIGH_COST, frame, SEED).toPandas()[IS_CALIBRATION]
    assert found.tolist() == (part_of(members, SEED) == 0).tolist()


def test_a_connect_session_is_told_what_to_change(planted, spark, engine):
    if engine != "sail":
        pytest.skip("the session of Spark itself is what is asked for")
    found = training_set(planted, held_by(planted), TRAINABLE, seed=SEED)
    with pytest.raises(SettingError, match="on_spark grows trees on classic Spark, and this session is Spark Connect"):
        SparkGrower(spark, planted, found.split, 1).grow(HIGH_COST, [HIGH_COST.parameters], SEED)


@pytest.mark.full
@pytest.mark.timeout(300)
@pytest.mark.parametrize("model", [ER_UTILIZATION, HEALTH_RISK], ids=lambda m: m.name)
def test_the_same_kind_of_artifact_comes_out(planted, spark, engine, model):
    if engine != "spark":
        pytest.skip("xgboost's estimators need Spark itself: run with --engine spark")
    rows = training_set(planted, held_by(planted), TRAINABLE, seed=SEED)
    here = trained(model, rows, seed=SEED, threads=1, trials=1)
    grower = SparkGrower(spark, planted, rows.split, workers=1)
    there = trained(model, rows, seed=SEED, threads=1, trials=1, grower=grower)
    one, two = here.fitted.artifact, there.fitted.artifact
    assert two.facts.keys() == one.facts.keys()
    assert (two.inputs, two.categories, two.facts["high_from"]) == (one.inputs, one.categories, one.facts["high_from"])
    assert RiskArtifact.from_bytes(two.to_bytes()).predict(rows.test).tolist() == two.predict(rows.test).tolist()
    high = labels(ER_UTILIZATION, rows.test)
    assert roc_auc_score(high, two.predict(rows.test)) == pytest.approx(
        roc_auc_score(high, one.predict(rows.test)), abs=0.03
    )
    assert there.holdout.columns.tolist() == here.holdout.columns.tolist()
