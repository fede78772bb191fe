"""The Dagster asset of a risk model: train as of a month, measure, register a version once.

Here: what happens in a run. Elsewhere: months (`windows.py`), rows (`training_set.py`), the fit (`fitting.py`),
measures (`evaluation.py`), the registry (`runtime/tracking.py`). A partition is the training month T: everything that
was known at its end. A run over several months trains quarter ends only, a run over one month trains it, and a month
that can't be trained is recorded as such; a run that asks for one month of models alone fails with the reason instead.
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
from claims_assets.models.card import publish
from claims_assets.models.evaluation import ABSENT, as_markdown
from claims_assets.models.fitting import described, importances
from claims_assets.models.plot import picture
from claims_assets.models.risk_model import RiskModel
from claims_assets.models.spark_fitting import SparkGrower
from claims_assets.models.trained import Trained, trained
from claims_assets.models.training_set import ROWS, Held, TrainingSet, held_by, training_set
from claims_assets.models.windows import JUDGED, MOST_INDEXES, STEP, NotTrainable, is_training_month
from claims_assets.predictions import holdout_predictions
from claims_assets.runtime.lake import Lake
from claims_assets.runtime.model_versions import AS_OF_MONTH, PARAMETERS, THRESHOLD, TRAINING_DATA, ModelVersion
from claims_assets.runtime.tracking import Tracking

LAYER = LAYERS["models"]
ONLY_TRAINING_MONTHS = "claims/only_training_months"
"""Run tag: a month that can't be trained is recorded as such even when models run alone."""
QUARTER_ENDS = "quarter_ends"
"""Its value where a month alone is trained only if it ends a quarter: a new month is then ready in a third of the time,
and the model of three months ago has seven of the eight training months of a new one."""
REACH = JUDGED + STEP * (MOST_INDEXES - 1)
"""Months before T whose judged rows a training may read."""


class TrainingConfig(dg.Config):
    """Settings of a fit."""

    seed: int = 42
    """Of the sampling of rows and columns, of the choice of calibration members, of the search, of the resamples."""
    threads: int = 1
    """Of the fit. On a busy machine a second thread costs more than it brings: 36,000 rows took 0.5 s with one thread,
    0.8 to 21 s with two."""
    search_trials: int = 4
    """Candidates that the search fits for each model."""
    on_spark: bool = False
    """Grow the trees on the cluster, for more rows than one machine holds; classic Spark only (`spark_fitting.py`)."""
    spark_workers: int = 1
    """Spark tasks that grow one model together."""


@dataclass(frozen=True)
class Training:
    """Where one training reads and writes."""

    lake: Lake
    held: Held
    tracking: Tracking
    config: TrainingConfig
    run_id: str
    """Of the Dagster run."""
    spark: Callable[[], SparkSession] | None = None


def model_asset(model: RiskModel, description: str | None) -> dg.AssetsDefinition:
    """The asset `models/<name>`."""

    @dg.asset(
        key=["models", model.name],
        group_name=LAYER.folder,
        description=description,
        deps=[dg.AssetDep(dg.AssetKey(ROWS), partition_mapping=_history())],
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
            given = {} if _only_models(context) else {ONLY_TRAINING_MONTHS: "true"}
            return elsewhere.run(context, given | asked_of(context))
        here = Training(
            lake=resources.lake,
            held=held_by(resources.lake),
            tracking=resources.tracking,
            config=config,
            run_id=context.run.run_id,
            spark=lambda: resources.spark.spark_session,
        )
        months = sorted(context.partition_keys)
        if len(months) == 1 and _only_models(context) and ONLY_TRAINING_MONTHS not in context.run.tags:
            return dg.MaterializeResult(metadata=_trained_or_failure(model, months[0], here))
        for month in months:
            metadata = _trained_or_reason(model, month, here, alone=len(months) == 1 and not only_quarter_ends(context))
            context.add_asset_metadata(metadata, asset_key=context.asset_key, partition_key=month)
            context.log.info(f"{month}: {metadata.get('reason') or 'version ' + str(metadata['version'])}")
        return dg.MaterializeResult()

    return step


def train(model: RiskModel, month: str, here: Training) -> dict[str, Any]:
    """Train, measure and register the model as of `month`, unless the same training is registered; its metadata.

    Raises:
        NotTrainable: no model can be fitted as of this month.
    """
    config = here.config
    rows = training_set(here.lake, here.held, month, seed=config.seed)
    tags = {
        AS_OF_MONTH: month,
        TRAINING_DATA: rows.fingerprint,
        PARAMETERS: model.fingerprint(config.seed, search_trials=config.search_trials, on_spark=config.on_spark),
    }
    versions = here.tracking.versions(model.name)
    for known in versions:
        if (known.as_of_month, known.training_data, known.parameters) == tuple(tags.values()):
            newest = max(v.version for v in versions if v.as_of_month == month)
            return _unchanged(model, known, rows, here, is_newest=known.version == newest)
    found = _trained(model, rows, here)
    with here.tracking.run(
        f"{model.name} {month}", {"dagster_run_id": here.run_id, **tags}, {".".join(ROWS): here.held.delta_version}
    ) as run:
        absent = {ABSENT + k: why for k, why in found.measures.absent.items()}
        settings = model.settings(config.seed) | {"search_trials": config.search_trials, "on_spark": config.on_spark}
        params = settings | described(found.fitted) | _months(rows) | {"training_rows": rows.train_rows}
        run.log(params, found.measures.values, absent)
        run.log_json("feature_importance.json", importances(found.fitted.artifact.booster))
        at = found.fitted.artifact.threshold
        threshold = {} if at is None else {THRESHOLD: repr(at)}
        version = here.tracking.register(run, model.name, found.fitted.artifact, tags | threshold)
        publish(here.tracking, model, version)
    _keep_holdout(model, month, version.version, found, here)
    title, unit = f"{model.name} {month}", "share" if model.is_classifier else model.unit
    plot = picture(title, unit, found.test.label, found.test.predicted, events=model.is_classifier)
    about = _about(rows, found.measures.values, found.measures.absent)
    return {
        "version": version.version,
        "new_version": True,
        **about,
        "predicted_and_observed": dg.MetadataValue.md(plot),
    }


def _trained(model: RiskModel, rows: TrainingSet, here: Training) -> Trained:
    config, grower = here.config, None
    if config.on_spark and here.spark:
        grower = SparkGrower(here.spark(), here.lake, rows.split, config.spark_workers)
    return trained(model, rows, seed=config.seed, threads=config.threads, trials=config.search_trials, grower=grower)


def _keep_holdout(model: RiskModel, month: str, version: int, found: Trained, here: Training) -> None:
    if here.lake.engine == "spark" and here.spark:
        here.spark()  # it writes the rows
    rows = found.holdout.assign(model_name=model.name, claim_month=month, version=version)
    holdout_predictions.publish(here.lake, model.name, month, rows)


def _unchanged(
    model: RiskModel, known: ModelVersion, rows: TrainingSet, here: Training, *, is_newest: bool
) -> dict[str, Any]:
    """A second version of the same training would say nothing new, and could replace the first one in scoring.

    The held-out rows of the month's newest version are made again where the lake does not have them: a run may have
    ended before it wrote them.
    """
    kept = holdout_predictions.read_holdout(here.lake, model.name, known.as_of_month, ["version"])
    if is_newest and set(kept["version"]) != {known.version}:
        _keep_holdout(model, known.as_of_month, known.version, _trained(model, rows, here), here)
    values, tags = here.tracking.results(known)
    absent = {k.removeprefix(ABSENT): why for k, why in tags.items() if k.startswith(ABSENT)}
    reason = "the same month, rows and settings are registered already"
    return {"version": known.version, "new_version": False, "reason": reason, **_about(rows, values, absent)}


def _trained_or_failure(model: RiskModel, month: str, here: Training) -> dict[str, Any]:
    try:
        return train(model, month, here)
    except NotTrainable as why:
        raise dg.Failure(description=str(why), allow_retries=False) from why


def _trained_or_reason(model: RiskModel, month: str, here: Training, *, alone: bool) -> dict[str, Any]:
    """As each month comes it is trained; of many at once the quarter ends are enough, and five times as quick."""
    if not alone and not is_training_month(month):
        return {"new_version": False, "reason": "not a training month: models are trained at quarter ends"}
    try:
        return train(model, month, here)
    except NotTrainable as why:
        return {"new_version": False, "reason": str(why)}


def asked_of(context: dg.AssetExecutionContext) -> dict[str, str]:
    """The run's own tag, for a run that another one starts."""
    return {ONLY_TRAINING_MONTHS: asked} if (asked := context.run.tags.get(ONLY_TRAINING_MONTHS)) else {}


def only_quarter_ends(context: dg.AssetExecutionContext) -> bool:
    """Whether a month alone is trained only if it ends a quarter."""
    return context.run.tags.get(ONLY_TRAINING_MONTHS) == QUARTER_ENDS


def _only_models(context: dg.AssetExecutionContext) -> bool:
    """Nothing but models was asked for, so a month that can't be trained is the answer to the request."""
    return all(key.path[0] == LAYER.folder for key in context.job_def.asset_layer.executable_asset_keys)


def _about(rows: TrainingSet, values: Mapping[str, float], absent: Mapping[str, str]) -> dict[str, Any]:
    return {
        "training_rows": rows.train_rows,
        "training_data": rows.fingerprint,
        **_months(rows),
        "measures": dg.MetadataValue.md(as_markdown(dict(values), dict(absent))),
        **dict(values),
    }


def _months(rows: TrainingSet) -> dict[str, str]:
    return {"test_index": rows.split.test_index, "train_indexes": ", ".join(rows.split.train_indexes)}


def _history() -> dg.PartitionMapping:
    """All judged months that a training may read; the first months of the lake have fewer."""
    return dg.TimeWindowPartitionMapping(start_offset=-REACH, end_offset=0, allow_nonexistent_upstream_partitions=True)
