"""Fraud scores by the catboost models alone, one row per claim and claim month; none before a model is registered.

catboost is an extra (`pip install 'claims-assets[catboost]'`): without it nothing is registered.
Elsewhere: how a claim is scored (`fraud_scoring.py`), the scores that are read (`claim_fraud_scores.py`).
"""

from pyspark.sql import DataFrame

from claims_assets.predictions.fraud_scoring import FraudScoreColumns, asset_of, scored
from claims_assets.runtime.tracking import Tracking
from claims_assets.table import table

ALGORITHM = "catboost"


class FraudScoresCatboost(FraudScoreColumns):
    """Fraud scores by catboost: one row per claim and claim month, once a detector is registered."""

    class Config:
        unique = ["claim_id", "claim_month"]


@table(FraudScoresCatboost, domain="risk", deps=[asset_of(ALGORITHM)], resources=("tracking",))
def fraud_scores_catboost(gold_claim_fraud_features: DataFrame, tracking: Tracking, months: list[str]) -> DataFrame:
    """Claims of the asked months, each by the version of its month; no rows where none is registered."""
    return scored(gold_claim_fraud_features, tracking, ALGORITHM, months)
