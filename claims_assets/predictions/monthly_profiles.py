"""How the values of a month are spread: members by range of value, of every model input, prediction and attribute.

Here: counting, in one pass over a month, into ranges that are the same for ever. So profiles of months can be added up,
a month's profile does not depend on any other month, and whatever bins are wanted later can be made of it without
reading members again. Elsewhere: what months are compared with, and how (`monitoring/`).

A range may hold one member, so the table is as limited as members' own rows; what is told of it in `monitoring` is not.
"""

import math
from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from claims_assets import columns as c
from claims_assets.contracts import Contract
from claims_assets.models.inputs import CATEGORIES, INPUTS
from claims_assets.models.registered import MODELS
from claims_assets.table import table

FEATURES, POPULATION, FRAUD = "features", "population", "fraud_autoencoder"
"""Subjects beside the risk models: what these read of members, who the members are, and the scores of claims."""
ATTRIBUTES = ("age_group", "gender", "race", "ethnicity", "dual_eligible", "ltss_indicator", "county")
NUMBER, WORD, MISSING = "number", "word", "missing"
KINDS = (NUMBER, WORD, MISSING)
SMALLEST = 0.001
"""Values nearer to zero share the range of zero: half a thousandth of a probability, a tenth of a cent."""
WIDTH = math.log(1.02)
"""A range reaches from a value to one 2 % larger: a fiftieth of a decile at most, in all that is counted here."""
Named = tuple[str, str]
"""Subject and name of a column."""
PREDICTIONS: tuple[Named, ...] = tuple((m.name, n) for m in MODELS for n in (m.column, m.prediction) if n)
MICRO = 1_000_000
"""Sums are of whole millionths, so that they are the same in any order of rows."""


class MonthlyProfiles(Contract):
    """How values are spread: one row per claim month, subject, column and range of values.

    The ranges of numbers follow from the value alone: rank r > 0 holds 0.001 x 1.02^(r-1) up to 0.001 x 1.02^r, rank
    0 what lies nearer to zero, and negative ranks the same below it.
    """

    claim_month: str = c.claim_month()
    subject: str = c.required("features, population, fraud_autoencoder, or the registered name of the model.")
    column_name: str = c.required("Column of the members' features or predictions, or of the claims' scores.")
    value_kind: str = c.required("number, word or missing.", isin=list(KINDS))
    rank: c.Whole = c.required("Range of a number; 0 for words and missing values.")
    word: str = c.required("The word; empty for numbers and missing values.")
    model_version: c.Whole = c.optional("Version that predicted; NULL: the rule did, or it is no prediction.", ge=1)
    members: c.Count = c.count("Members with such a value; of fraud_autoencoder, claims.")
    total: c.Number = c.required("Sum of their values; 0 for words and missing values.")

    class Config:
        unique = ["claim_month", "subject", "column_name", "value_kind", "rank", "word"]


@table(MonthlyProfiles, phi="limited", domain="risk")
def monthly_profiles(
    gold_member_features: DataFrame, gold_member_risk_predictions: DataFrame, gold_claim_fraud_scores: DataFrame
) -> DataFrame:
    """Members by range of value, of the model inputs, the attributes and the predictions; and claims by fraud score."""
    of_members = _numbers(gold_member_features, [(FEATURES, n) for n in INPUTS if n not in CATEGORIES])
    predicted = _numbers(gold_member_risk_predictions, PREDICTIONS)
    scored = gold_claim_fraud_scores.where(F.col("fraud_score").isNotNull())
    suspicious = _numbers(scored, [(FRAUD, "fraud_score")])
    words = _words(gold_member_features, [(FEATURES, n) for n in CATEGORIES] + [(POPULATION, n) for n in ATTRIBUTES])
    return (
        of_members.unionByName(predicted)
        .unionByName(suspicious)
        .unionByName(words)
        .join(_versions(gold_member_risk_predictions, scored), ["claim_month", "subject"], "left")
    )


def _numbers(members: DataFrame, columns: Sequence[Named]) -> DataFrame:
    """Members by range; values are counted by place, because names would make every row many times as wide."""
    values = F.array(*[F.col(name).cast("double") for _, name in columns])
    one = members.select("claim_month", F.posexplode(values).alias("place", "value"))
    # NaN is how some engines store what could not be computed.
    known = F.when(~F.isnan("value"), F.col("value"))
    counted = (
        one.select("claim_month", "place", rank_of(known).alias("rank"), micro(known).alias("micro"))
        .groupBy("claim_month", "place", "rank")
        .agg(F.count("*").alias("members"), F.sum("micro").alias("micro"))
    )
    kind = F.when(F.col("rank").isNull(), F.lit(MISSING)).otherwise(F.lit(NUMBER))
    total = F.coalesce(F.col("micro").cast("double") / MICRO, F.lit(0.0))
    return counted.select(
        "claim_month", *_names(columns), kind.alias("value_kind"), F.coalesce("rank", F.lit(0)).alias("rank"),
        F.lit("").alias("word"), "members", total.alias("total"),
    )  # fmt: skip


def _words(members: DataFrame, columns: Sequence[Named]) -> DataFrame:
    values = F.array(*[F.col(name).cast("string") for _, name in columns])
    one = members.select("claim_month", F.posexplode(values).alias("place", "word"))
    counted = one.groupBy("claim_month", "place", "word").agg(F.count("*").alias("members"))
    kind = F.when(F.col("word").isNull(), F.lit(MISSING)).otherwise(F.lit(WORD))
    return counted.select(
        "claim_month", *_names(columns), kind.alias("value_kind"), F.lit(0).alias("rank"),
        F.coalesce("word", F.lit("")).alias("word"), "members", F.lit(0.0).alias("total"),
    )  # fmt: skip


def _names(columns: Sequence[Named]) -> list[Column]:
    """Subject and column by place."""
    found = []
    for i, alias in enumerate(("subject", "column_name")):
        names = F.array(*[F.lit(column[i]) for column in columns])
        found.append(F.element_at(names, F.col("place") + 1).alias(alias))
    return found


def _versions(predictions: DataFrame, scored: DataFrame) -> DataFrame:
    """Month and model -> the version that predicted; a month has one of each model."""
    newest = predictions.groupBy("claim_month").agg(*[F.max(m.version_column).alias(m.name) for m in MODELS])
    each = [F.struct(F.lit(m.name).alias("subject"), F.col(m.name).alias("model_version")) for m in MODELS]
    of_claims = scored.groupBy("claim_month").agg(F.max("model_version").alias("model_version"))
    of_members = newest.select("claim_month", F.explode(F.array(*each)).alias("of")).select("claim_month", "of.*")
    return of_members.unionByName(of_claims.withColumn("subject", F.lit(FRAUD)))


def micro(value: Column) -> Column:
    """A number as whole millionths."""
    return F.floor(value * MICRO + 0.5).cast("bigint")


def rank_of(value: Column) -> Column:
    """Range of a number, as MonthlyProfiles says; NULL of NULL, which `greatest` would pass over."""
    size = F.abs(value)
    rank = F.floor(F.log(F.greatest(size, F.lit(SMALLEST)) / SMALLEST) / WIDTH).cast("int") + 1
    found = F.when(size < SMALLEST, 0).when(value < 0, -rank).otherwise(rank)
    return F.when(value.isNotNull(), found)


def value_of(rank: int) -> float:
    """Upper end of a range (of a negative one, the end nearer to zero)."""
    if rank == 0:
        return SMALLEST
    size = SMALLEST * math.exp(WIDTH * (rank if rank > 0 else -rank - 1))
    return size if rank > 0 else -size
