"""Member risk over the next twelve months, by as-of month.

Here: the table. Elsewhere: which version scores which month, and the scores (`scoring.py`); the models (`models/`).
This transform takes a resource, the model registry: the scores of a month depend on what is registered when it is
built. Building it again with the same versions gives the same bits.
"""

import dagster as dg
import pyspark.sql.types as T
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from claims_assets import columns as c
from claims_assets.contracts import Contract
from claims_assets.features.scores import RISK_TIERS
from claims_assets.predictions.scoring import MODEL_STATUSES, MODELS, score, scorers_for
from claims_assets.runtime.tracking import Tracking
from claims_assets.table import table


def _decision(score: str):
    return c.required(f"1 where {score} reaches the threshold of its version (0.5 for the rule), else 0.", isin=[0, 1])


def _model_version(model: str):
    return c.optional(f"Version of {model} that scored; NULL: the rule did.", ge=1)


class MemberRiskPredictions(Contract):
    """Member risk over the next twelve months: one row per member enrolled in the as-of month.

    A month is scored by the champion if it was trained as of that month or before, else by the newest version that was,
    else by a rule (next year will be like last year).
    """

    member_id: str = c.member_id()
    claim_month: str = c.claim_month()
    risk_tier: str = c.required("Risk tier as of the month, from the year before it.", isin=list(RISK_TIERS))
    er_utilization_risk_score: c.Number = c.share("Probability of three or more emergency visits.")
    er_utilization_prediction: c.Whole = _decision("er_utilization_risk_score")
    high_cost_risk_score: c.Number = c.share("Probability of cost of 25,000 USD or more, medical and pharmacy.")
    high_cost_prediction: c.Whole = _decision("high_cost_risk_score")
    predicted_total_cost: c.Number = c.required("Expected cost, medical and pharmacy, USD.", ge=0.0)
    high_risk_score: c.Number = c.share("Probability of a risk tier of High or Medium a year later.")
    high_risk_prediction: c.Whole = _decision("high_risk_score")
    model_status: str = c.required("champion, candidate or rule: the least of the four.", isin=list(MODEL_STATUSES))
    er_utilization_model_version: c.Whole = _model_version("er_utilization_predictor")
    high_cost_model_version: c.Whole = _model_version("high_cost_predictor")
    total_cost_model_version: c.Whole = _model_version("total_cost_predictor")
    high_risk_model_version: c.Whole = _model_version("high_risk_predictor")
    prediction_timestamp: T.TimestampType = c.required(
        "Last second of the as-of month, UTC: the moment whose knowledge the scores use, not that of the run."
    )

    class Config:
        unique = ["member_id", "claim_month"]


@table(
    MemberRiskPredictions,
    domain="risk",
    deps=[dg.AssetKey(["models", m.name]) for m in MODELS],
    resources=("tracking",),
)
def member_risk_predictions(gold_member_features: DataFrame, tracking: Tracking, months: list[str]) -> DataFrame:
    """Scores of the members enrolled in the asked months."""
    end = F.concat(F.last_day(F.concat("claim_month", F.lit("-01"))).cast("string"), F.lit(" 23:59:59"))
    scored = score(gold_member_features, scorers_for(tracking, months), months)
    return scored.withColumn("prediction_timestamp", F.to_timestamp(end))


__all__ = ["MODEL_STATUSES", "MemberRiskPredictions", "member_risk_predictions"]
