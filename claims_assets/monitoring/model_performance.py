"""How what was predicted came out: one row per model and judged month, once the outcome year is known.

Here: the predictions that stood in `gold.member_risk_predictions` of the index month, against what happened, and
whether that or the age of the version in service asks for a new training. Elsewhere: the measures
(`models/governance/measures.py`), who asks for the training (`automation/retraining.py`), the hold-out of a version
(its MLflow run). Holds numbers only; counts of one to ten members, and measures that rest on so few, are left out.

A year's outcome is known fifteen months after its index, so the version that is judged here has often been replaced
since. That it falls short of what its hold-out promised says that members have changed in a way no hold-out saw.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import dagster as dg
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from claims_assets import columns as c
from claims_assets.contracts import Contract, compiled
from claims_assets.features.risk_training_rows import JUDGED_MONTHS
from claims_assets.layers import MONTHLY
from claims_assets.models.evaluation import HIGH, LOW, TEST
from claims_assets.models.governance.measures import Scored, measure
from claims_assets.models.labels import labels
from claims_assets.models.plot import LEAST_MEMBERS
from claims_assets.models.registered import MODELS
from claims_assets.models.risk_model import RiskModel
from claims_assets.partitions import MONTH, add_months
from claims_assets.predictions.scoring import MODEL_STATUSES, RULE, choose, target_of
from claims_assets.runtime.model_versions import ModelVersion
from claims_assets.runtime.tracking import Tracking
from claims_assets.table import Window, table

if TYPE_CHECKING:
    import pandas as pd

AtIndex = Annotated[DataFrame, Window(1, lag=JUDGED_MONTHS)]
"""Read for the index month of each judged month."""
MOST_DAYS = 90
"""Maximum age of a model in production, days (public project sechan9999/GenZ, `config/model_config.yaml`)."""
BELOW_HOLDOUT, TOO_OLD = "below_holdout", "too_old"
REASONS = (BELOW_HOLDOUT, TOO_OLD)
"""Why a model needs training: it did worse than the interval of its hold-out, or the one in service is too old."""
CLASSIFIER_MEASURES, REGRESSION_MEASURES = ("auc", "precision", "recall"), ("mae", "rmse")
"""Beside the primary measure of each kind."""


def _measure(description: str, **checks: Any):
    return c.optional(f"{description} NULL: see `absent`.", **checks)


def _share(description: str):
    return _measure(description, in_range={"min_value": 0.0, "max_value": 1.0})


class ModelPerformance(Contract):
    """How predictions came out: one row per model and judged month, of the members scored fifteen months before.

    Months that were scored before the first outcome year could be judged have no row.
    """

    model_name: str = c.required("Registered name of the model.", isin=[m.name for m in MODELS])
    claim_month: str = c.required("Judged month, 15 months after the index.", str_matches=c.MONTH_PATTERN)
    index_month: str = c.required("Month whose members were scored.", str_matches=c.MONTH_PATTERN)
    model_version: c.Whole = c.optional("Version that scored the index month; NULL: the rule did.", ge=1)
    members: c.Count = c.count("Members with a prediction and a known outcome.")
    events: c.Count = c.optional("Members with the event; NULL: one to ten, or the model predicts an amount.", ge=0)
    measure: str = c.required("Measure by which such models are compared.", isin=["average_precision", "r2"])
    value: c.Number = _measure("That measure, of the predictions as they stood.", le=1.0)
    holdout_value: c.Number = c.optional("The same on the version's hold-out; NULL: the rule scored.")
    holdout_lower: c.Number = c.optional("Lower end of its 95 % interval.")
    holdout_upper: c.Number = c.optional("Upper end of its 95 % interval.")
    auc: c.Number = _share("Area under the ROC curve, of a classifier.")
    precision: c.Number = _share("Share of flagged members with the event.")
    recall: c.Number = _share("Share of members with the event who were flagged.")
    mae: c.Number = _measure("Mean absolute error of an amount.", ge=0.0)
    rmse: c.Number = _measure("Root mean squared error of an amount.", ge=0.0)
    calibration_ratio: c.Number = _measure("Sum predicted to sum observed; 1 is right on the whole.", ge=0.0)
    absent: str = c.optional("Why measures are missing.")
    serving_status: str = c.required("What serves in the judged month.", isin=list(MODEL_STATUSES))
    serving_version: c.Whole = c.optional("The version that does; NULL: the rule.", ge=1)
    serving_age_days: c.Whole = c.optional("Days from the end of its training month to that of the judged one.", ge=0)
    needs_retraining: bool = c.flag("Whether there is a reason to train anew.")
    reasons: c.Words = c.required(f"The reasons: {', '.join(REASONS)}.")

    class Config:
        unique = ["model_name", "claim_month"]


@table(
    ModelPerformance,
    phi="none",
    domain="risk",
    freshness=MONTHLY,
    deps=[dg.AssetKey(["models", "promotion"])],
    resources=("tracking",),
)
def model_performance(
    gold_member_risk_predictions: AtIndex, gold_risk_training_rows: DataFrame, tracking: Tracking, months: list[str]
) -> DataFrame:
    """Measures of the predictions of the index months, their hold-outs, and reasons to train."""
    found = measured(gold_member_risk_predictions, gold_risk_training_rows)
    known = in_service(tracking, months)
    session = found.sparkSession
    holdouts = session.createDataFrame([h for k in known for h in k.holdouts], HOLDOUT)
    serving = session.createDataFrame([s for k in known for s in k.serving], SERVING)
    return (
        found.join(holdouts, ["model_name", "model_version"], "left")
        .join(serving, ["model_name", MONTH], "left")
        .withColumn("serving_age_days", _age())
        .withColumn("reasons", _reasons())
        .withColumn("needs_retraining", F.size("reasons") > 0)
    )


HOLDOUT = "model_name string, model_version int, holdout_value double, holdout_lower double, holdout_upper double"
SERVING = f"model_name string, {MONTH} string, serving_status string, serving_version int, trained_month string"


@dataclass(frozen=True)
class InService:
    """What the registry says of one model, as rows of HOLDOUT and SERVING."""

    holdouts: list[tuple]
    serving: list[tuple]


def in_service(tracking: Tracking, months: Sequence[str]) -> list[InService]:
    """The hold-out of each version that may have scored, and who serves in each of the judged months."""
    return [_of_model(tracking, model, months) for model in MODELS]


def _of_model(tracking: Tracking, model: RiskModel, months: Sequence[str]) -> InService:
    versions = tracking.versions(model.name)
    scored = {found[0] for month in months if (found := choose(versions, add_months(month, -JUDGED_MONTHS)))}
    serving = []
    for month in months:
        version, status = choose(versions, month) or (None, RULE)
        trained = (version.version, version.as_of_month) if version else (None, None)
        serving.append((model.name, month, status, *trained))
    return InService([_holdout(tracking, model, v) for v in scored], serving)


def _holdout(tracking: Tracking, model: RiskModel, version: ModelVersion) -> tuple:
    metrics, _ = tracking.results(version)
    name = TEST + model.primary
    return (model.name, version.version, *[metrics.get(n) for n in (name, name + LOW, name + HIGH)])


def _age() -> Column:
    ends = [F.last_day(F.to_date(F.concat(F.col(n), F.lit("-01")))) for n in (MONTH, "trained_month")]
    return F.datediff(*ends).cast("int")


def _reasons() -> Column:
    """Never NULL; what can't be told is no reason."""
    return F.array_compact(
        F.array(
            F.when(F.col("value") < F.col("holdout_lower"), F.lit(BELOW_HOLDOUT)),
            F.when(F.col("serving_age_days") > MOST_DAYS, F.lit(TOO_OLD)),
        )
    )


MEASURED = [
    n
    for n in compiled(ModelPerformance).columns
    if not n.startswith(("holdout_", "serving_")) and n not in ("needs_retraining", "reasons")
]


def measured(predictions: DataFrame, rows: DataFrame) -> DataFrame:
    """MEASURED of each model and judged month, of the members that both frames hold."""
    outcomes = sorted({f"outcome_{m.outcome}" for m in MODELS})
    said = [n for m in MODELS for n in (m.column, target_of(m).prediction, m.version_column) if n]
    happened = rows.select("member_id", MONTH, "index_month", *[F.col(n).cast("double").alias(n) for n in outcomes])
    predicted = predictions.select("member_id", F.col(MONTH).alias("index_month"), *said)
    kinds = compiled(ModelPerformance).columns
    schema = ", ".join(f"{n} {kinds[n].simpleString()}" for n in MEASURED)
    return happened.join(predicted, ["member_id", "index_month"]).groupBy(MONTH).applyInPandas(of_month, schema)


def of_month(rows: "pd.DataFrame") -> "pd.DataFrame":
    """MEASURED of each model on the members of one judged month."""
    import pandas as pd

    # Sums of floats depend on the order, and the engine gives a group in any.
    rows = rows.sort_values("member_id")
    found = [dict.fromkeys(MEASURED) | _of(model, rows) for model in MODELS]
    # As objects, because a column in which all is missing would else be one of numbers, also where it is text.
    return pd.DataFrame(found, columns=pd.Index(MEASURED), dtype=object)


def _of(model: RiskModel, rows: "pd.DataFrame") -> dict[str, Any]:
    import pandas as pd

    version = rows[model.version_column].iloc[0]
    about = {
        "model_name": model.name,
        MONTH: rows[MONTH].iloc[0],
        "index_month": rows["index_month"].iloc[0],
        "model_version": None if pd.isna(version) else int(version),
        "members": len(rows),
        "measure": model.primary,
    }
    return about | (_of_classifier(model, rows) if model.is_classifier else _of_amount(model, rows))


def _of_classifier(model: RiskModel, rows: "pd.DataFrame") -> dict[str, Any]:
    label = labels(model, rows)
    event, flagged = label > 0, rows[str(target_of(model).prediction)].to_numpy() == 1
    scored = Scored(label, event, rows[model.column].to_numpy("float64"), flagged)
    events, others = int(event.sum()), int((~event).sum())
    shown = {"events": events if not 0 < events < LEAST_MEMBERS else None}
    if min(events, others) < LEAST_MEMBERS:
        return shown | {"absent": f"fewer than {LEAST_MEMBERS} members with the event, or without"}
    found = _values(scored, model.primary, CLASSIFIER_MEASURES)
    hits = int((event & flagged).sum())
    if flagged.sum() < LEAST_MEMBERS or 0 < hits < LEAST_MEMBERS:
        why = f"fewer than {LEAST_MEMBERS} members were flagged, or flagged and had the event"
        found |= {"precision": None, "recall": None, "absent": why}
    return shown | found


def _of_amount(model: RiskModel, rows: "pd.DataFrame") -> dict[str, Any]:
    import numpy as np

    if len(rows) < LEAST_MEMBERS:
        return {"absent": f"fewer than {LEAST_MEMBERS} members"}
    nobody = np.zeros(len(rows), dtype=bool)
    scored = Scored(labels(model, rows), nobody, rows[model.column].to_numpy("float64"), nobody)
    return _values(scored, model.primary, REGRESSION_MEASURES)


def _values(scored: Scored, primary: str, others: Sequence[str]) -> dict[str, Any]:
    """The measures by column; what can't be computed is missing and named."""
    import numpy as np

    names = {"value": primary, "calibration_ratio": "predicted_to_observed"} | {n: n for n in others}
    found = {column: float(measure(name, scored)[0]) for column, name in names.items()}
    missing = [column for column, value in found.items() if not np.isfinite(value)]
    values: dict[str, Any] = {column: None if column in missing else value for column, value in found.items()}
    return values | ({"absent": f"{', '.join(missing)}: the outcomes are all the same"} if missing else {})
