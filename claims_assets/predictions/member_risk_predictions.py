"""Member risk over the next twelve months, by as-of month.

Here: the table. Elsewhere: which version scores which month, and the scores (`scoring.py`); the models (`models/`).
This transform takes a resource, the model registry: the scores of a month depend on who was champion in that month.
Building it again gives the same bits, also after a later champion.
"""

import dagster as dg
import pyspark.sql.types as T
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from claims_assets import columns as c
from claims_assets.contracts import Contract
from claims_assets.features.scores import RISK_TIERS
from claims_assets.models.registered import MODELS
from claims_assets.predictions.scoring import MODEL_STATUSES, score, scorers_for
from claims_assets.runtime.tracking import Tracking
from claims_assets.table import table

RISK_BANDS = {"critical": 85, "high": 60, "medium": 30, "low": 0}
"""Band -> least health risk score. Limits of the batch scoring of the public project juanlamadrid20/insurance-mlops."""
REVIEW_ABOVE = 90
"""Health risk score above which a person looks at the member (same source)."""
HIGHEST_SCORE = 100


def _decision(score: str):
    return c.required(f"1 where {score} reaches the threshold of its version (0.5 for the rule), else 0.", isin=[0, 1])


def _reasons(prediction: str):
    return c.optional(
        f"Inputs that raised the score most, largest first, as `input = value`; NULL: {prediction} is 0, or the rule"
        " scored."
    )


def _end(which: str, what: str):
    return c.optional(f"{which} end of the 80 % interval of {what}; NULL: the version knows none, or the rule scored.")


def _model_version(model: str):
    return c.optional(f"Version of {model} that scored; NULL: the rule did.", ge=1)


class MemberRiskPredictions(Contract):
    """Member risk over the next twelve months: one row per member enrolled in the as-of month.

    A month is scored by the version that was champion in it, else by the newest version of that time that missed a
    floor of quality only (candidate), else by a rule (next year will be like last year).
    """

    member_id: str = c.member_id()
    claim_month: str = c.claim_month()
    risk_tier: str = c.required("Risk tier as of the month, from the year before it.", isin=list(RISK_TIERS))
    er_utilization_risk_score: c.Number = c.share("Probability of three or more emergency visits.")
    er_utilization_prediction: c.Whole = _decision("er_utilization_risk_score")
    er_utilization_reasons: c.Words = _reasons("er_utilization_prediction")
    high_cost_risk_score: c.Number = c.share("Probability of cost of 25,000 USD or more, medical and pharmacy.")
    high_cost_prediction: c.Whole = _decision("high_cost_risk_score")
    high_cost_reasons: c.Words = _reasons("high_cost_prediction")
    predicted_total_cost: c.Number = c.required("Expected cost, medical and pharmacy, USD.", ge=0.0)
    predicted_total_cost_lower: c.Number = _end("Lower", "predicted_total_cost, USD")
    predicted_total_cost_upper: c.Number = _end("Upper", "predicted_total_cost, USD")
    high_risk_score: c.Number = c.share("Probability of a risk tier of High or Medium a year later.")
    high_risk_prediction: c.Whole = _decision("high_risk_score")
    high_risk_reasons: c.Words = _reasons("high_risk_prediction")
    health_risk_score: c.Number = c.required(
        "Expected composite risk score a year later, 0 to 100.", in_range={"min_value": 0.0, "max_value": HIGHEST_SCORE}
    )
    health_risk_score_lower: c.Number = _end("Lower", "health_risk_score")
    health_risk_score_upper: c.Number = _end("Upper", "health_risk_score")
    risk_band: str = c.required(
        "Of health_risk_score: from 30 medium, from 60 high, from 85 critical; else low.", isin=list(RISK_BANDS)
    )
    human_review: bool = c.flag("A person looks first: health_risk_score above 90, or a smoker above 60 years.")
    model_status: str = c.required("champion, candidate or rule: the least of the five.", isin=list(MODEL_STATUSES))
    er_utilization_model_version: c.Whole = _model_version("er_utilization_predictor")
    high_cost_model_version: c.Whole = _model_version("high_cost_predictor")
    total_cost_model_version: c.Whole = _model_version("total_cost_predictor")
    high_risk_model_version: c.Whole = _model_version("high_risk_predictor")
    health_risk_model_version: c.Whole = _model_version("health_risk_score")
    prediction_timestamp: T.TimestampType = c.required(
        "Last second of the as-of month, UTC: the moment whose knowledge the scores use, not that of the run."
    )

    class Config:
        unique = ["member_id", "claim_month"]


@table(
    MemberRiskPredictions,
    domain="risk",
    deps=[dg.AssetKey(["models", name]) for name in (*[m.name for m in MODELS], "promotion")],
    resources=("tracking",),
)
def member_risk_predictions(gold_member_features: DataFrame, tracking: Tracking, months: list[str]) -> DataFrame:
    """Scores of the members enrolled in the asked months."""
    scorers = scorers_for(tracking, months, gold_member_features.columns)
    return score(gold_member_features, scorers, months).transform(finished)


def finished(scored: DataFrame) -> DataFrame:
    """What follows from the scores of a row: its band, whether a person looks, and of when it is."""
    end = F.concat(F.last_day(F.concat("claim_month", F.lit("-01"))).cast("string"), F.lit(" 23:59:59"))
    return scored.withColumns(
        {
            "risk_band": _risk_band(),
            "human_review": (F.col("health_risk_score") > REVIEW_ABOVE) | F.col("is_older_smoker"),
            "prediction_timestamp": F.to_timestamp(end),
        }
    )


def _risk_band() -> Column:
    band = F.lit("low")
    for name, least in reversed(list(RISK_BANDS.items())):
        band = F.when(F.col("health_risk_score") >= least, F.lit(name)).otherwise(band)
    return band


__all__ = ["MODEL_STATUSES", "MemberRiskPredictions", "member_risk_predictions"]
