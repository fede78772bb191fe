"""The Dagster asset of a risk model: train as of a month, measure, register a version once.

Here: what happens in a run. Elsewhere: months (`windows.py`), rows (`training_set.py`), the fit (`fitting.py`),
measures (`evaluation.py`), the registry (`runtime/tracking.py`). A partition is the training month T: everything that
was known at its end. In a run over several months, or one that builds other tables too, only quarter ends train, and a
month that can't is recorded as such; a run that asks for one month of models alone trains it, or fails with the reason.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
from pyspark.sql import SparkSession

from claims_assets import partitions
from claims_assets.code_links import link_to
from claims_assets.freshness import policy
from claims_assets.layers import LAKE_POOL, LAYERS
from claims_assets.models.evaluation import as_markdown, evaluate
from claims_assets.models.fitting import fit, importances, labels, predict
from claims_assets.models.plot import picture
from claims_assets.models.risk_model import RiskModel
from claims_assets.models.training_set import TABLES, Held, TrainingSet, held_by, training_set
from claims_assets.models.windows import (
    HORIZON,
    LOOK_BACK,
    MOST_INDEXES,
    RUN_OUT,
    STEP,
    NotTrainable,
    is_training_month,
)
from claims_assets.runtime.lake import Lake
from claims_assets.runtime.tracking import AS_OF_MONTH, PARAMETERS, THRESHOLD, TRAINING_DATA, ModelVersion, Tracking

LAYER = LAYERS["models"]
ONLY_TRAINING_MONTHS = "claims/only_training_months"
"""Run tag: months that are no training months, or can't be trained, are recorded as such even when models run alone."""
ABSENT = "absent."
"""Prefix of a run's tags that say why a measure could not be computed."""
REACH = LOOK_BACK - 1 + 2 * (HORIZON + RUN_OUT) + STEP * (MOST_INDEXES - 1)
"""Months before T that a training may read, the look-back of its oldest index included."""


class TrainingConfig(dg.Config):
    """Settings of a fit."""

    seed: int = 42
    """Of the sampling of rows and columns, and of the choice of validation members."""
    threads: int = 1
    """Of the fit. On a busy machine a second thread costs more than it brings: 36,000 rows took 0.5 s with one thread,
    0.8 to 21 s with two."""


@dataclass(frozen=True)
class Training:
    """Where one training reads and writes."""

    lake: Lake
    held: Held
    spark: Callable[[], SparkSession]
    tracking: Tracking
    config: TrainingConfig
    run_id: str
    """Of the Dagster run."""


def model_asset(model: RiskModel, description: str | None) -> dg.AssetsDefinition:
    """The asset `models/<name>`."""

    @dg.asset(
        key=["models", model.name],
        group_name=LAYER.folder,
        description=description,
        deps=[dg.AssetDep(dg.AssetKey(t), partition_mapping=_history()) for t in TABLES],
        partitions_def=partitions.claim_months,
        backfill_policy=dg.BackfillPolicy.single_run(),
        freshness_policy=policy(LAYER.cadence),
        owners=[LAYER.owner],
        tags={"phi": "limited", "domain": "risk", "compute": LAYER.compute},
        kinds={"xgboost", "mlflow"},
        metadata=link_to(Path(__file__).with_name(f"{model.name}.py")),
        required_resource_keys={"spark", "lake", "tracking", LAYER.launcher},
        pool=LAKE_POOL,
    )
    def step(context: dg.AssetExecutionContext, config: TrainingConfig):
        resources = context.resources
        if elsewhere := getattr(resources, LAYER.launcher):
            return elsewhere.run(context, {} if _only_models(context) else {ONLY_TRAINING_MONTHS: "true"})
        here = Training(
            lake=resources.lake,
            held=held_by(resources.lake),
            spark=lambda: resources.spark.spark_session,
            tracking=resources.tracking,
            config=config,
            run_id=context.run.run_id,
        )
        months = sorted(context.partition_keys)
        if len(months) == 1 and _only_models(context) and ONLY_TRAINING_MONTHS not in context.run.tags:
            return dg.MaterializeResult(metadata=_trained_or_failure(model, months[0], here))
        for month in months:
            metadata = _trained_or_reason(model, month, here)
            context.add_asset_metadata(metadata, asset_key=context.asset_key, partition_key=month)
            context.log.info(f"{month}: {metadata.get('reason') or 'version ' + str(metadata['version'])}")
        return dg.MaterializeResult()

    return step


def train(model: RiskModel, month: str, here: Training) -> dict[str, Any]:
    """Train, measure and register the model as of `month`, unless the same training is registered; its metadata.

    Raises:
        NotTrainable: no model can be fitted as of this month.
    """
    rows = training_set(here.lake, here.held, here.spark, month)
    tags = {
        AS_OF_MONTH: month,
        TRAINING_DATA: rows.fingerprint,
        PARAMETERS: model.fingerprint(here.config.seed),
    }
    for known in here.tracking.versions(model.name):
        if (known.as_of_month, known.training_data, known.parameters) == tuple(tags.values()):
            return _unchanged(known, rows, here.tracking)
    fitted = fit(model, rows.train, here.config.seed, here.config.threads)
    y, predicted = labels(model, rows.test), predict(model, fitted.booster, rows.test)
    measures = evaluate(model, rows.test, y, predicted, fitted.threshold)
    with here.tracking.run(f"{model.name} {month}", {"dagster_run_id": here.run_id, **tags}) as run:
        absent = {ABSENT + k: why for k, why in measures.absent.items()}
        run.log(model.settings(here.config.seed) | _months(rows), measures.values, absent)
        run.log_json("feature_importance.json", importances(fitted.booster))
        threshold = {} if fitted.threshold is None else {THRESHOLD: repr(fitted.threshold)}
        version = here.tracking.register(run, model.name, fitted.booster, tags | threshold)
    title, unit = f"{model.name} {month}", "share" if model.is_classifier else "USD"
    plot = picture(title, unit, y, predicted, events=model.is_classifier)
    about = _about(rows, measures.values, measures.absent) | {"predicted_and_observed": dg.MetadataValue.md(plot)}
    return {"version": version.version, "new_version": True, **about}


def _unchanged(known: ModelVersion, rows: TrainingSet, tracking: Tracking) -> dict[str, Any]:
    """A second version of the same training would say nothing new, and could replace the first one in scoring."""
    values, tags = tracking.results(known)
    absent = {k.removeprefix(ABSENT): why for k, why in tags.items() if k.startswith(ABSENT)}
    reason = "the same month, rows and settings are registered already"
    return {"version": known.version, "new_version": False, "reason": reason, **_about(rows, values, absent)}


def _trained_or_failure(model: RiskModel, month: str, here: Training) -> dict[str, Any]:
    try:
        return train(model, month, here)
    except NotTrainable as why:
        raise dg.Failure(description=str(why), allow_retries=False) from why


def _trained_or_reason(model: RiskModel, month: str, here: Training) -> dict[str, Any]:
    if not is_training_month(month):
        return {"new_version": False, "reason": "not a training month: models are trained at quarter ends"}
    try:
        return train(model, month, here)
    except NotTrainable as why:
        return {"new_version": False, "reason": str(why)}


def _only_models(context: dg.AssetExecutionContext) -> bool:
    """Nothing but models was asked for, so a month that can't be trained is the answer to the request."""
    return all(key.path[0] == LAYER.folder for key in context.job_def.asset_layer.executable_asset_keys)


def _about(rows: TrainingSet, values: Mapping[str, float], absent: Mapping[str, str]) -> dict[str, Any]:
    return {
        "training_rows": len(rows.train),
        "training_data": rows.fingerprint,
        **_months(rows),
        "measures": dg.MetadataValue.md(as_markdown(dict(values), dict(absent))),
        **dict(values),
    }


def _months(rows: TrainingSet) -> dict[str, str]:
    return {"test_index": rows.split.test, "train_indexes": ", ".join(rows.split.train)}


def _history() -> dg.PartitionMapping:
    """All months before T that a training may read; the first months of the lake have fewer."""
    return dg.TimeWindowPartitionMapping(start_offset=-REACH, end_offset=0, allow_nonexistent_upstream_partitions=True)
