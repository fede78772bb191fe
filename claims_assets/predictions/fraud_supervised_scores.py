"""What investigators would say of each claim, learnt from their decisions; no rows before a version passed its gate.

Here: the table. Elsewhere: what is learnt and when it may score (`models/fraud_supervised.py`), the unsupervised scores
(`claim_fraud_scores.py`), the cases (`fraud_cases.py`). Scores meet claims by claim id and month.
"""

from collections.abc import Mapping

import dagster as dg
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from claims_assets import columns as c
from claims_assets.contracts import Contract
from claims_assets.models.fraud_supervised import ERRORS, NAME, PLAIN, SCORE, load_version, version_at
from claims_assets.models.label_artifact import LabelModel
from claims_assets.partitions import MONTH
from claims_assets.runtime.tracking import Tracking
from claims_assets.table import table

Versions = Mapping[str, tuple[int, LabelModel]]
"""Claim month -> version that scores it, and its regression."""


class FraudSupervisedScores(Contract):
    """Supervised fraud scores: one row per claim and claim month that has a fraud score, once a version passed."""

    claim_id: str = c.claim_id()
    claim_month: str = c.claim_month()
    supervised_score: c.Number = c.share("Probability that an investigator who opens the claim confirms it as fraud.")
    model_version: c.Whole = c.required("Version of fraud_supervised that scored.", ge=1)

    class Config:
        unique = ["claim_id", "claim_month"]


@table(FraudSupervisedScores, domain="risk", deps=[dg.AssetKey(["models", NAME])], resources=("tracking",))
def fraud_supervised_scores(
    gold_claim_fraud_features: DataFrame, gold_fraud_scores_xgboost: DataFrame, tracking: Tracking, months: list[str]
) -> DataFrame:
    """Claims of the asked months, each by the version of its month; a month before the first version has no rows."""
    versions = tracking.versions(NAME)
    chosen = {month: found for month in months if (found := version_at(versions, month))}
    loaded = {v.version: load_version(tracking, v) for v in chosen.values()}
    known = {month: (v.version, loaded[v.version]) for month, v in chosen.items()}
    return scored(gold_claim_fraud_features, gold_fraud_scores_xgboost, known)


def scored(features: DataFrame, scores: DataFrame, versions: Versions) -> DataFrame:
    """Scores of the claims in the months of `versions`; nothing is looked up."""
    errors = [F.get("feature_errors", i).alias(name) for i, name in enumerate(ERRORS)]
    claims = features.select("claim_id", MONTH, *PLAIN).join(
        scores.select("claim_id", MONTH, SCORE, *errors), ["claim_id", MONTH]
    )
    return claims.where(F.col(MONTH).isin(list(versions))).select(
        "claim_id",
        MONTH,
        _of_month({m: model.column() for m, (_, model) in versions.items()}, "double").alias("supervised_score"),
        _of_month({m: F.lit(number) for m, (number, _) in versions.items()}, "int").alias("model_version"),
    )


def _of_month(columns: Mapping[str, Column], kind: str) -> Column:
    found = F.lit(None).cast(kind)
    for month, column in columns.items():
        found = F.when(F.col(MONTH) == month, column).otherwise(found)
    return found
