"""How unusual each claim is: score, percentile, reasons, rule flags and rank, one row per claim and claim month.

Here: the table that investigators, fairness and case lists read. Elsewhere: the scores of one algorithm
(`fraud_scores_xgboost.py`, `fraud_scores_catboost.py`), the rules (`fraud_rules.py`), what a score is
(`models/fraud_artifact.py`). Scores and features meet by claim id and month. A score says that a claim is unusual, and
never that somebody has done wrong.
"""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from claims_assets import columns as c
from claims_assets.contracts import Contract, rule
from claims_assets.models.fraud_plot import reasons_picture
from claims_assets.partitions import MONTH
from claims_assets.predictions.fraud_rules import SEVERITIES, is_rapid, rule_flags, severity
from claims_assets.table import table

ALGORITHMS = ("xgboost", "catboost")
"""The first one that scored a claim gives the score and the reasons; the ensemble is the mean of all that did."""
SCORED = ("fraud_score", "fraud_percentile", "is_flagged", "top_reasons", "top_features", "model_version")
DECIMALS = 4


class ClaimFraudScores(Contract):
    """Fraud scores: one row per claim and claim month of `gold.claim_fraud_features`."""

    claim_id: str = c.claim_id()
    claim_month: str = c.claim_month()
    member_id: str = c.member_id()
    provider_id: str = c.optional("Provider of most of the claim's amount.")
    service_from_date: c.Date = c.required("First day of service in the month.")
    claim_type: str = c.optional("IP, OP, ER, PROF, LTC or DENTAL.")
    claim_amount: c.Number = c.optional("Billed, all lines; where nothing is billed: allowed, else paid. USD.")
    fraud_score: c.Number = c.optional(
        "How unusual the claim is for what else is known of it; NULL: no model is registered.", ge=0.0
    )
    fraud_percentile: c.Number = c.optional(
        "Share of the held-out claims of the training with a lower score.",
        in_range={"min_value": 0.0, "max_value": 1.0},
    )
    is_flagged: bool = c.flag("The score reaches the 95th percentile of the held-out claims; false without a score.")
    top_reasons: c.Words = c.optional(
        "What raised the score of a flagged claim most, largest first, as `feature = value, expected ...`."
    )
    top_features: c.Words = c.optional("The features of these reasons, in the same order.")
    algorithm: str = c.optional("Which model gave score and reasons.", isin=ALGORITHMS)
    model_version: c.Whole = c.optional("Its version.", ge=1)
    rule_flags: c.Words = c.required("Rules of thumb that the claim trips, by name; often empty.")
    rule_count: c.Whole = c.required("How many they are.", ge=0)
    rule_severity: str = c.required("none, low (1), medium (from 2) or high (from 4).", isin=SEVERITIES)
    is_rapid_alert: bool = c.flag("The member has 10 or more claims in the 365 days before.")
    impossible_combinations: c.Words = c.required("What excludes itself in the claim, by name; often empty.")
    ensemble_score: c.Number = c.optional("Mean of the scores of all registered algorithms.", ge=0.0)
    ensemble_rank: c.Whole = c.required(
        "1 is looked at first: by ensemble score, then rules, then amount, then claim id; of all claims of the month.",
        ge=1,
    )

    class Config:
        unique = ["claim_id", "claim_month"]
        metadata = {
            "rules": {
                "score_has_reasons": rule(
                    "not is_flagged or size(top_reasons) > 0", severity="warn", about=["fraud_score"]
                )
            }
        }


@table(ClaimFraudScores, domain="risk", keeps_rows_of=("gold_claim_fraud_features",), picture=reasons_picture)
def claim_fraud_scores(
    gold_claim_fraud_features: DataFrame, gold_fraud_scores_xgboost: DataFrame, gold_fraud_scores_catboost: DataFrame
) -> DataFrame:
    """Every claim with the scores that the registered models gave it, and the rules."""
    joined = gold_claim_fraud_features
    for name, scores in zip(ALGORITHMS, (gold_fraud_scores_xgboost, gold_fraud_scores_catboost), strict=True):
        own = [F.col(column).alias(f"{name}_{column}") for column in SCORED]
        joined = joined.join(scores.select("claim_id", MONTH, *own), ["claim_id", MONTH], "left")
    judged = joined.withColumns(
        {
            **{column: _first(column) for column in SCORED},
            "algorithm": F.coalesce(*[F.when(_scored_by(n), F.lit(n)) for n in ALGORITHMS]),
            "ensemble_score": _mean([F.col(f"{n}_fraud_score") for n in ALGORITHMS]),
            "rule_flags": rule_flags(),
            "is_rapid_alert": is_rapid(),
        }
    )
    return judged.withColumns(
        {
            "is_flagged": F.coalesce("is_flagged", F.lit(False)),
            "rule_count": F.size("rule_flags").cast("int"),
            "rule_severity": severity(F.col("rule_flags")),
            "ensemble_rank": F.row_number().over(_order()).cast("int"),
        }
    )


def _scored_by(algorithm: str) -> Column:
    return F.col(f"{algorithm}_fraud_score").isNotNull()


def _first(column: str) -> Column:
    """Of the first algorithm that scored the claim."""
    return F.coalesce(*[F.col(f"{n}_{column}") for n in ALGORITHMS])


def _mean(scores: list[Column]) -> Column:
    """Of those that are there; NULL without any."""
    known = sum((s.isNotNull().cast("double") for s in scores), F.lit(0.0))
    total = sum((F.coalesce(s, F.lit(0.0)) for s in scores), F.lit(0.0))
    return F.when(known > 0, total / known)


def _order():
    """A score is worth more than any rule: rules are known to every biller."""
    return Window.partitionBy(MONTH).orderBy(
        F.desc_nulls_last("ensemble_score"),
        F.desc(F.size("rule_flags")),
        F.desc_nulls_last("claim_amount"),
        "claim_id",
    )
