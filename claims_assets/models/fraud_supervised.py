"""The asset `models/fraud_supervised`: learn from investigators' decisions, if that beats the unsupervised ranking.

Here: what a run does. Elsewhere: fit and judgement (`label_model.py`), what is registered (`label_artifact.py`), the
detector whose errors it learns from (`fraud_registry.py`), which decision holds (`fraud_labels_as_known.py`),
the record (`monitoring/model_decisions.py`). A partition is the training month T: decisions known at its end, on claims
of T and before. Of several months the last one is trained. Too few decisions are recorded as such, and nothing is
registered; a regression that does not beat the ranking is registered as refused, and never scores.
"""

import hashlib
import importlib
import math
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
from pyspark.sql import SparkSession, Window
from pyspark.sql import functions as F

from claims_assets import partitions
from claims_assets.code_links import link_to
from claims_assets.freshness import policy
from claims_assets.layers import LAKE_POOL, LAYERS
from claims_assets.models import label_artifact
from claims_assets.models.fraud_inputs import AMOUNTS, COLUMNS, COUNTED, COUNTS, DIRECT, WORDS
from claims_assets.models.fraud_registry import detector_at, detectors, load_detector
from claims_assets.models.label_model import (
    MEASURE,
    PENALTY,
    Judged,
    LabelModel,
    TooFewLabels,
    fit,
    judged,
    refuse_too_few,
)
from claims_assets.monitoring.model_decisions import (
    NOTHING_TO_JUDGE,
    PROMOTED,
    REFUSED,
    Decision,
    decision_id,
    record,
)
from claims_assets.partitions import MONTH
from claims_assets.predictions.fraud_labels_as_known import CONFIRMED, latest_labels
from claims_assets.runtime.lake import Lake
from claims_assets.runtime.model_versions import AS_OF_MONTH, GATE, PARAMETERS, TRAINING_DATA, ModelVersion
from claims_assets.runtime.stored_model import DATA_FOLDER
from claims_assets.runtime.tracked_runs import without_warnings
from claims_assets.runtime.tracking import Tracking

if TYPE_CHECKING:
    import pandas as pd

LAYER = LAYERS["models"]
NAME = "fraud_supervised"
ALGORITHM = "xgboost"
"""Whose errors are inputs: the default detector, which is always installed."""
LABELS, FEATURES = ("bronze", "fraud_labels"), ("gold", "claim_fraud_features")
ERRORS = tuple(f"{name}_error" for name in COUNTED)
"""In the order of the detector's `feature_errors`."""
PLAIN = (*AMOUNTS, *COUNTS, *DIRECT)
"""Features as they are. Who the member is (age, gender, region) is no input: an unusual person is no suspicion."""
SCORE = "fraud_score"
"""What the detector says, which it starts from; also the ranking to beat."""
INPUTS = (SCORE, *ERRORS, *PLAIN)
PASSED = "passed"
MONTHS_READ = 120
"""Of claims with a decision: records are kept for ten years (42 CFR 438.3(u))."""
HISTORY = dg.TimeWindowPartitionMapping(
    start_offset=1 - MONTHS_READ, end_offset=0, allow_nonexistent_upstream_partitions=True
)


@dg.asset(
    key=["models", NAME],
    group_name=LAYER.folder,
    description=(
        "Probability that an investigator would confirm a claim as fraud, learnt from decisions known at the month's"
        " end. It scores only if it ranks held-out claims better than the unsupervised score."
    ),
    deps=[
        dg.AssetKey(LABELS),
        dg.AssetDep(
            dg.AssetKey(FEATURES),
            partition_mapping=dg.TimeWindowPartitionMapping(
                start_offset=-120, end_offset=0, allow_nonexistent_upstream_partitions=True
            ),
        ),
        dg.AssetKey(["models", f"fraud_autoencoder_{ALGORITHM}"]),
    ],
    partitions_def=partitions.claim_months,
    backfill_policy=dg.BackfillPolicy.single_run(),
    freshness_policy=policy(LAYER.cadence),
    owners=[LAYER.owner],
    tags={"phi": "limited", "domain": "risk", "compute": LAYER.compute},
    kinds={"scikitlearn", "mlflow"},
    metadata=link_to(Path(__file__)),
    required_resource_keys={"spark", "lake", "tracking", LAYER.launcher},
    pool=LAKE_POOL,
)
def fraud_supervised(context: dg.AssetExecutionContext):
    """Train the last of the asked months."""
    resources = context.resources
    if elsewhere := getattr(resources, LAYER.launcher):
        return elsewhere.run(context)
    *earlier, month = sorted(context.partition_keys)
    for other in earlier:
        reason = {"new_version": False, "reason": "of several months the last one is trained"}
        context.add_asset_metadata(reason, asset_key=context.asset_key, partition_key=other)
    session, run_id = resources.spark.spark_session, context.run.run_id
    told = train(month, session, resources.lake, resources.tracking, run_id, datetime.now(UTC))
    context.add_asset_metadata(told, asset_key=context.asset_key, partition_key=month)
    context.log.info(f"{month}: {told.get('reason') or 'version ' + str(told['version'])}")
    return dg.MaterializeResult()


def train(
    month: str, spark: SparkSession, lake: Lake, tracking: Tracking, run_id: str, now: datetime
) -> dict[str, Any]:
    """Fit, judge and register as of `month`, unless the same training is registered; record the decision.

    Returns:
        Metadata: numbers, and why there is no model where there is none.
    """
    try:
        rows, detector = labelled(month, spark, lake, tracking)
    except TooFewLabels as why:
        record(lake, [_decision(month, None, NOTHING_TO_JUDGE, str(why), run_id, now)])
        return {"new_version": False, "reason": str(why)}
    tags = {AS_OF_MONTH: month, TRAINING_DATA: fingerprint(rows), PARAMETERS: f"C={PENALTY} {' '.join(INPUTS)}"}
    for known in tracking.versions(NAME):
        if (known.as_of_month, known.training_data, known.parameters) == tuple(tags.values()):
            reason = "the same month, decisions and settings are registered already"
            return {"version": known.version, "new_version": False, "reason": reason, "gate": known.gate}
    found, model = judged(rows, INPUTS, "label", SCORE, "provider_id"), fit(rows, INPUTS, "label")
    version = _registered(month, found, model, detector, tracking, tags, run_id)
    verdict = PROMOTED if found.better else REFUSED
    record(lake, [_decision(month, version, verdict, found.said, run_id, now, found)])
    return {
        "version": version,
        "new_version": True,
        "decision": verdict,
        "reasons": found.said,
        "confirmed": found.confirmed,
        "cleared": found.cleared,
        "weights": dg.MetadataValue.md(weights_table(model)),
        **_measures(found),
    }


def labelled(month: str, spark: SparkSession, lake: Lake, tracking: Tracking) -> "tuple[pd.DataFrame, ModelVersion]":
    """Claims with a decision known at the end of `month`, each once: INPUTS, `label`, `fraud_score`, `provider_id`.

    Errors are out of fold: the detector scores each claim by the models that have not seen it.

    Raises:
        TooFewLabels: there are too few decisions, or no detector.
    """
    version = detector_at(detectors(tracking, ALGORITHM), month)
    if version is None:
        raise TooFewLabels("No fraud detector is registered, so there are no errors to learn from.")
    if not all(lake.exists(*table) for table in (LABELS, FEATURES)):
        raise TooFewLabels("There are no decisions of investigators, or no features of claims.")
    first = Window.partitionBy("claim_id").orderBy(MONTH)
    known = latest_labels(lake.read(spark, *LABELS), [month]).select("claim_id", F.col("label").alias("decided"))
    claims = (
        lake.read(spark, *FEATURES)
        .where(F.col(MONTH).between(partitions.add_months(month, 1 - MONTHS_READ), month))
        .join(known, "claim_id")
        .withColumn("_nth", F.row_number().over(first))
        .where("_nth = 1")
    )
    numbers = [F.col(n) if n in WORDS else F.col(n).cast("double").alias(n) for n in COLUMNS]
    rows = claims.select("claim_id", "provider_id", "decided", *numbers).toPandas()
    rows = rows.sort_values("claim_id", ignore_index=True)
    label = (rows["decided"] == CONFIRMED).astype(int)
    refuse_too_few(label.to_numpy())
    return with_errors(rows.assign(label=label), load_detector(tracking, ALGORITHM, version)), version


def with_errors(rows: "pd.DataFrame", detector: Any) -> "pd.DataFrame":
    """Adds `fraud_score` and ERRORS."""
    import numpy as np
    import pandas as pd

    scored = detector.score(rows)
    errors = np.stack(scored["feature_errors"].tolist())
    columns = pd.Index([f"{name}_error" for name in detector.counted])
    found = pd.DataFrame(errors, columns=columns, index=rows.index)
    # A feature that an older detector did not count says nothing.
    return rows.join(found.reindex(columns=pd.Index(ERRORS), fill_value=0.0)).assign(fraud_score=scored["fraud_score"])


def version_at(versions: Iterable[ModelVersion], month: str) -> ModelVersion | None:
    """Which version scores a claim month: the newest as of it or before that the gate let in; None without any."""
    passed = [v for v in versions if v.gate == PASSED and v.as_of_month and v.as_of_month <= month]
    return max(passed, key=lambda v: (v.as_of_month, v.version), default=None)


def load_version(tracking: Tracking, version: ModelVersion) -> LabelModel:
    """The regression of a registered version."""
    return LabelModel.load(tracking.folder(NAME, version.version) / DATA_FOLDER / label_artifact.FILE)


def weights_table(model: LabelModel) -> str:
    """What it learnt, largest first: the change of the log-odds by one standard deviation of an input."""
    found = sorted(zip(model.inputs, model.weights, strict=True), key=lambda w: (-abs(w[1]), w[0]))
    return "\n".join(["| input | weight |", "|---|---:|", *[f"| {name} | {weight:+.2f} |" for name, weight in found]])


def fingerprint(rows: "pd.DataFrame") -> str:
    """Of the content of all rows."""
    return hashlib.sha256(rows.astype(str).to_csv(index=False).encode()).hexdigest()[:16]


def _registered(
    month: str,
    found: Judged,
    model: LabelModel,
    detector: ModelVersion,
    tracking: Tracking,
    tags: dict[str, str],
    run_id: str,
) -> int:
    given = tags | {GATE: PASSED if found.better else REFUSED}
    params = {"C": PENALTY, "inputs": len(model.inputs), "detector_version": detector.version}
    with (
        tracking.run(f"{NAME} {month}", {"dagster_run_id": run_id, **tags}) as run,
        tempfile.TemporaryDirectory() as folder,
    ):
        run.log(params | {"confirmed": found.confirmed, "cleared": found.cleared}, _measures(found), {})
        place = Path(folder) / "model"
        with without_warnings(UserWarning):
            importlib.import_module("mlflow.pyfunc").save_model(
                place,
                loader_module=label_artifact.__name__.rpartition(".")[2],
                code_paths=[label_artifact.__file__],
                data_path=str(model.save(Path(folder) / "data")),
                signature=_signature(model),
                pip_requirements=[f"{n}=={importlib.import_module(n).__version__}" for n in ("pandas", "numpy")],
            )
        return tracking.register_saved(run, NAME, place, "model", given).version


def _signature(model: LabelModel) -> Any:
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    return ModelSignature(
        inputs=Schema([ColSpec("double", n) for n in model.inputs]), outputs=Schema([ColSpec("double")])
    )


ENDS = {"": "value", "_low": "low", "_high": "high"}
"""End of a name -> field of an interval."""


def _measures(found: Judged) -> dict[str, float]:
    """By name; what can't be told is left out."""
    named = {MEASURE: found.model, f"unsupervised_{MEASURE}": found.unsupervised, "gain": found.gain}
    values = {f"{n}{end}": getattr(of, f) for n, of in named.items() for end, f in ENDS.items()}
    return {name: value for name, value in values.items() if math.isfinite(value)}


def _decision(
    month: str, version: int | None, decision: str, reason: str, run_id: str, now: datetime, found: Judged | None = None
) -> Decision:
    numbers: dict[str, Any] = {}
    if found:
        numbers = {f"value{end}": getattr(found.model, f) for end, f in ENDS.items()}
        numbers |= {f"gain_on_rule{end}": getattr(found.gain, f) for end, f in ENDS.items()}
    return Decision(
        decision_id(NAME, month, version), NAME, month, decision, now, "gate", (reason,), challenger=version,
        measure=MEASURE if found else None, run_id=run_id, **numbers,
    )  # fmt: skip
