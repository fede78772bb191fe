"""Providers for investigators to look at: one row per provider and claim month, the surest excess of flags first.

Here: what is counted of a provider in the year up to the month, and what an investigator reads. Elsewhere: the scores
and rules of a claim (`claim_fraud_scores.py`), how an excess is weighed against volume (`case_ranking.py`), the
decisions that come back (`bronze/fraud_labels.py`) and what is learnt from them (`fraud_supervised_scores.py`).
Scores point at what to look at; they are no finding of fraud.
"""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from claims_assets import columns as c
from claims_assets.contracts import Contract, rule
from claims_assets.partitions import MONTH, add_months
from claims_assets.predictions.case_ranking import SIGNAL, with_lower_bounds
from claims_assets.predictions.fraud_cases_plot import picture
from claims_assets.predictions.fraud_labels_as_known import CLEARED, CONFIRMED, latest_labels
from claims_assets.predictions.fraud_rules import SEVERITIES
from claims_assets.table import LastYear, Spans, table

LOOK_BACK = 12
"""Months of claims that a case rests on, its own month included. One month holds too few claims of most providers to
tell habit from chance; records must be kept, and may be asked for, far longer (42 CFR 438.3(u): ten years)."""
MOST_REASONS, MOST_CLAIMS = 3, 5
WORST_FIRST = tuple(s for s in reversed(SEVERITIES) if s != "none")
"""Of the business rules of a claim, worst first."""
PLACE = ("provider_id", MONTH)
LISTS = ("top_reasons", "rule_severities", "claims_to_open")


class FraudCases(Contract):
    """Providers with flagged claims: one row per provider and claim month, over the twelve months up to it.

    `case_rank` follows `excess_lower`, so volume counts: 1 flagged claim of 1 ranks below 40 of 100.
    """

    provider_id: str = c.required("Provider who billed, as in gold.claim_fraud_scores.")
    claim_month: str = c.claim_month()
    case_rank: c.Count = c.required("1 is the first to look at in the month; no two are equal.", ge=1)
    is_case: bool = c.flag(f"excess_lower is at least {SIGNAL:g}, and a flagged claim is undecided.")
    claims: c.Count = c.required("Claims of the year up to the month.", ge=1)
    flagged: c.Count = c.required("Of these, claims whose fraud score is above the threshold.", ge=1)
    flagged_this_month: c.Count = c.count("Of these, claims of the month itself.")
    expected: c.Number = c.required("Flagged claims that the volume lets expect: claims times the plan's rate.", ge=0.0)
    excess: c.Number = c.required("Flagged claims beyond that, shrunken towards none: (rate_ratio - 1) x expected.")
    excess_lower: c.Number = c.required("The same by rate_ratio_lower: credibly at least so many; may be below 0.")
    rate_ratio: c.Number = c.required("Rate beside the plan's, shrunken by how little is known (mean).", ge=0.0)
    rate_ratio_lower: c.Number = c.required("Its 5 % quantile: the rate is credibly at least this.", ge=0.0)
    confirmed: c.Count = c.count("Claims of the year confirmed as fraud, as known at the end of the month.")
    cleared: c.Count = c.count("Claims of the year cleared of it, as known at the end of the month.")
    undecided: c.Count = c.count("Flagged claims on which nobody has decided.")
    amount_at_stake: c.Total = c.required("Amounts of the undecided flagged claims, USD.")
    expected_confirmed: c.Number = c.optional(
        "How many of the undecided ones an investigator would confirm: their supervised scores, added up; NULL: none.",
        ge=0.0,
    )
    top_reasons: c.Words = c.required("What the flagged claims stand out by most often, as `feature (claims)`.")
    rule_severities: c.Words = c.required("Business rules that the claims break, as `severity (claims)`, worst first.")
    claims_to_open: c.Words = c.required(
        "Ids of the undecided flagged claims to begin with: by supervised, then by ensemble score."
    )

    class Config:
        unique = list(PLACE)
        metadata = {
            "rules": {
                "counts_add_up": rule(
                    "flagged <= claims and undecided <= flagged and flagged_this_month <= flagged",
                    severity="block",
                    about=["flagged", "claims", "undecided", "flagged_this_month"],
                )
            }
        }


@table(FraudCases, domain="providers", picture=picture)
def fraud_cases(
    gold_claim_fraud_scores: LastYear,
    gold_fraud_supervised_scores: LastYear,
    bronze_fraud_labels: Spans,
    months: list[str],
) -> DataFrame:
    """Providers with at least one flagged claim in the year up to each asked month."""
    scored = gold_claim_fraud_scores.where("provider_id is not null and fraud_score is not null")
    learnt = gold_fraud_supervised_scores.select("claim_id", MONTH, "supervised_score")
    scored = scored.join(learnt, ["claim_id", MONTH], "left")
    claims = _in_reach(scored, months).transform(_with_labels, latest_labels(bronze_fraud_labels, months))
    counted = claims.groupBy(*PLACE).agg(*_counts()).transform(with_lower_bounds, by=MONTH).where("flagged > 0")
    return (
        counted.join(_most_often(_reasons(claims), "top_reasons"), list(PLACE), "left")
        .join(_severities(claims), list(PLACE), "left")
        .join(_to_open(claims), list(PLACE), "left")
        .withColumns({n: F.coalesce(n, _no_words()) for n in LISTS})
        .withColumn("is_case", (F.col("excess_lower") >= SIGNAL) & (F.col("undecided") > 0))
        .withColumn("case_rank", _rank())
    )


def _in_reach(scored: DataFrame, months: Sequence[str]) -> DataFrame:
    """Each claim once for every asked month whose year it is in: `served` is its own month, MONTH the asked one."""
    reach = [(month, add_months(month, -back)) for month in months for back in range(LOOK_BACK)]
    pairs = scored.sparkSession.createDataFrame(reach, f"as_of_month string, {MONTH} string")
    return scored.join(pairs, MONTH).withColumnsRenamed({MONTH: "served", "as_of_month": MONTH})


def _with_labels(claims: DataFrame, labels: DataFrame) -> DataFrame:
    known = labels.select("claim_id", F.col("as_of_month").alias(MONTH), "label")
    return claims.join(known, ["claim_id", MONTH], "left")


def _counts() -> list[Column]:
    is_open = F.col("is_flagged") & F.col("label").isNull()
    # Decimals, because a sum of doubles depends on the order of rows.
    amount = F.when(is_open, F.col("claim_amount")).cast("decimal(18,2)")
    return [
        F.count("*").alias("claims"),
        F.count_if("is_flagged").alias("flagged"),
        F.count_if(F.col("is_flagged") & (F.col("served") == F.col(MONTH))).alias("flagged_this_month"),
        F.count_if(F.col("label") == CONFIRMED).alias("confirmed"),
        F.count_if(F.col("label") == CLEARED).alias("cleared"),
        F.count_if(is_open).alias("undecided"),
        F.sum(F.when(is_open, F.col("supervised_score")).cast("decimal(18,6)"))
        .cast("double")
        .alias("expected_confirmed"),
        F.coalesce(F.sum(amount), F.lit(0).cast("decimal(18,2)")).alias("amount_at_stake"),
    ]


def _reasons(claims: DataFrame) -> DataFrame:
    """One row for each feature that a flagged claim stands out by; its values are of one claim, and stay there."""
    return claims.where("is_flagged").select(*PLACE, F.explode("top_features").alias("word"))


def _most_often(words: DataFrame, name: str) -> DataFrame:
    counted = words.groupBy(*PLACE, "word").agg(F.count("*").alias("n"))
    return _first(counted, [F.desc("n"), F.col("word")], MOST_REASONS, _with_count(), name)


def _severities(claims: DataFrame) -> DataFrame:
    broken = claims.where(F.col("rule_severity").isin(*WORST_FIRST)).withColumn("word", F.col("rule_severity"))
    counted = broken.groupBy(*PLACE, "word").agg(F.count("*").alias("n"))
    worst = F.array_position(F.array(*[F.lit(s) for s in WORST_FIRST]), F.col("word"))
    return _first(counted, [worst], len(WORST_FIRST), _with_count(), "rule_severities")


def _to_open(claims: DataFrame) -> DataFrame:
    still = claims.where(F.col("is_flagged") & F.col("label").isNull())
    order = [F.desc_nulls_last("supervised_score"), F.desc("ensemble_score"), F.col("claim_id"), F.col("served")]
    return _first(still, order, MOST_CLAIMS, F.col("claim_id"), "claims_to_open")


def _with_count() -> Column:
    return F.concat("word", F.lit(" ("), F.col("n").cast("string"), F.lit(")"))


def _first(rows: DataFrame, order: Sequence[Column], most: int, said: Column, name: str) -> DataFrame:
    """The first `most` rows of each provider and month as one list of words."""
    nth = rows.withColumn("_nth", F.row_number().over(Window.partitionBy(*PLACE).orderBy(*order)))
    words = [F.max(F.when(F.col("_nth") == i, said)).alias(f"_{i}") for i in range(1, most + 1)]
    found = nth.where(F.col("_nth") <= most).groupBy(*PLACE).agg(*words)
    return found.select(*PLACE, F.array_compact(F.array(*[f"_{i}" for i in range(1, most + 1)])).alias(name))


def _no_words() -> Column:
    return F.array().cast("array<string>")


def _rank() -> Column:
    """Cases first; the provider's id settles what else is equal."""
    order = [F.desc("is_case"), F.desc("excess_lower"), F.desc("amount_at_stake"), F.col("provider_id")]
    return F.row_number().over(Window.partitionBy(MONTH).orderBy(*order))
