"""Are members treated alike, month by month? Rates by group of every decision about members, with their verdicts.

Here: counting who was flagged, listed or called suspicious, and of judged predictions what happened. Elsewhere: what
follows from the counts, and what may be shown (`fairness_of_decision.py`), the limits
(`models/governance/thresholds.py`), the picture (`fairness_plot.py`).

A decision is compared on those for whom it was made in the month; what it meant, on those whose outcome year is judged
in the month. Counts of one to ten are left out, and with them what would tell them by subtraction.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from claims_assets import columns as c
from claims_assets.contracts import Contract, compiled
from claims_assets.features.risk_training_rows import JUDGED_MONTHS
from claims_assets.models.governance.fairness import ATTRIBUTES, FLAGGED, FOUND, MEANT, RATES, RIGHT, UNKNOWN
from claims_assets.models.registered import MODELS
from claims_assets.monitoring.fairness_of_decision import FAIR, NOT_JUDGED, UNFAIR, compared
from claims_assets.monitoring.fairness_plot import picture
from claims_assets.monitoring.group_rates import VERDICTS
from claims_assets.partitions import MONTH
from claims_assets.predictions.monthly_profiles import micro
from claims_assets.table import Window, table

if TYPE_CHECKING:
    import pandas as pd

LISTED, SUSPICIOUS = "listed", "is_flagged"
"""Beside predictions: on the outreach list, and a claim above the 95th percentile of fraud scores."""
PREDICTIONS = {m.prediction: m for m in MODELS if m.prediction}
"""Decision -> the model that makes it."""
DECISIONS = (*PREDICTIONS, LISTED, SUSPICIOUS)
SUMS = ("members", "flagged", "events", "both", "predicted", "residual", "squares")
"""What is added up of the members of a group; the last three in millionths, the last one in their squares."""

AtIndex = Annotated[DataFrame, Window(1, lag=JUDGED_MONTHS)]


def _told(description: str, **checks: Any):
    return c.optional(f"{description} NULL: see `absent`, or there is none.", **checks)


class FairnessResults(Contract):
    """Whether groups are treated alike: one row per claim month, decision, attribute, measure and group."""

    claim_month: str = c.claim_month()
    decision: str = c.required("A prediction of a model, listed, or is_flagged (of claims).", isin=list(DECISIONS))
    attribute: str = c.required("Attribute of members.", isin=list(ATTRIBUTES))
    measure: str = c.required(
        "flagged: of all (disparate impact). found: of those with the event, flagged (equal opportunity). right: of"
        " the flagged, with the event (predictive parity). predicted to observed: calibration within groups.",
        isin=list(RATES),
    )
    group_name: str = c.required("Group; unknown: the attribute is not known of them.")
    reference_group: str = c.required("The group that it is compared with: the largest, or with most events.")
    hits: c.Count = _told("Members whom the measure counts; of calibration, those with the event.", ge=0)
    members: c.Count = _told("Members among whom; of is_flagged, scored claims.", ge=0)
    rate: c.Number = _told("Their share; of calibration, predicted to observed.", ge=0.0)
    rate_lower: c.Number = _told("Lower end of its 95 % interval (Wilson).", ge=0.0)
    rate_upper: c.Number = _told("Upper end of its 95 % interval.", ge=0.0)
    ratio: c.Number = _told("Rate to that of the reference: disparate impact.", ge=0.0)
    ratio_lower: c.Number = _told("Lower end of its 95 % interval (Katz).", ge=0.0)
    ratio_upper: c.Number = _told("Upper end of its 95 % interval.", ge=0.0)
    effect_size: c.Number = _told("Cohen's h; .2 is small, .5 medium, .8 large.")
    p: c.Number = _told("Probability of such a difference if both had one rate.", ge=0.0, le=1.0)
    verdict: str = c.required("reference, fair, unfair, zero_rate, by_chance or too_few.", isin=list(VERDICTS))
    decides: bool = c.flag("Whether a difference counts; need itself differs by age and dual eligibility.")
    attribute_verdict: str = c.required(
        "Of all its groups: unfair if one is; not_judged where no two can be compared; else fair.",
        isin=[FAIR, UNFAIR, NOT_JUDGED],
    )
    absent: str = c.optional("Why numbers are left out.")

    class Config:
        unique = ["claim_month", "decision", "attribute", "measure", "group_name"]


@table(FairnessResults, phi="none", domain="risk", picture=picture)
def fairness_results(
    gold_member_features: DataFrame,
    gold_member_risk_predictions: Annotated[DataFrame, Window(JUDGED_MONTHS + 1)],
    gold_risk_training_rows: DataFrame,
    gold_immunization_targeting: DataFrame,
    gold_claim_fraud_scores: DataFrame,
    months: list[str],
) -> DataFrame:
    """Rates by group of all decisions of the asked months."""
    now = gold_member_risk_predictions.where(F.col(MONTH).isin(months))
    decided = _decided(gold_member_features, now, gold_immunization_targeting)
    suspected = _suspected(gold_member_features, gold_claim_fraud_scores)
    judged = _judged(gold_risk_training_rows, gold_member_risk_predictions)
    counted = (
        _summed(decided, (*PREDICTIONS, LISTED))
        .unionByName(_summed(suspected, (SUSPICIOUS,)))
        .unionByName(_summed(judged, tuple(PREDICTIONS)))
    )
    return counted.groupBy(MONTH).applyInPandas(of_month, compiled(FairnessResults).spark_schema())


def _decided(features: DataFrame, predictions: DataFrame, targeting: DataFrame) -> DataFrame:
    """Members of a month, their groups, and what was decided about each; NULL: nothing was."""
    flags = [F.col(n).alias(f"{n}_flagged") for n in PREDICTIONS]
    listed = F.when(F.col("disposition") == LISTED, 1).otherwise(0).alias(f"{LISTED}_flagged")
    return (
        features.select("member_id", MONTH, *ATTRIBUTES)
        .join(predictions.select("member_id", MONTH, *flags), ["member_id", MONTH], "left")
        .join(targeting.select("member_id", MONTH, listed), ["member_id", MONTH], "left")
    )


def _suspected(features: DataFrame, scores: DataFrame) -> DataFrame:
    """Scored claims of a month, and the groups of their members; of a member who has left they are unknown."""
    scored = scores.where(F.col("fraud_score").isNotNull())
    flag = F.col(SUSPICIOUS).cast("int").alias(f"{SUSPICIOUS}_flagged")
    return scored.select("member_id", MONTH, flag).join(
        features.select("member_id", MONTH, *ATTRIBUTES), ["member_id", MONTH], "left"
    )


def _judged(rows: DataFrame, predictions: DataFrame) -> DataFrame:
    """Members judged in a month, their groups as of the index, what was predicted then and what happened."""
    events = [(F.col(f"outcome_{m.outcome}") >= m.at_least).cast("int").alias(f"{n}_event") for n, m in _models()]
    said = [F.col(n).alias(f"{n}_flagged") for n in PREDICTIONS]
    scores = [F.col(m.column).alias(f"{n}_predicted") for n, m in _models()]
    at_index = predictions.select("member_id", F.col(MONTH).alias("index_month"), *said, *scores)
    return rows.select("member_id", MONTH, "index_month", *ATTRIBUTES, *events).join(
        at_index, ["member_id", "index_month"]
    )


def _models() -> Iterable[tuple[str, Any]]:
    return PREDICTIONS.items()


def _summed(members: DataFrame, decisions: Sequence[str]) -> DataFrame:
    """SUMS by month, decision, attribute and group."""
    sums = [s.alias(f"{d}_{n}") for d in decisions for n, s in _sums(d, members.columns).items()]
    group = F.element_at(F.array(*[F.lit(a) for a in ATTRIBUTES]), F.col("place") + 1)
    by_group = (
        members.select("*", F.posexplode(F.array(*[_group(a) for a in ATTRIBUTES])).alias("place", "group_name"))
        .groupBy(MONTH, "place", "group_name")
        .agg(*sums)
    )
    each = [
        F.struct(F.lit(d).alias("decision"), *[F.col(f"{d}_{n}").alias(n) for n in SUMS]) for d in decisions
    ]  # fmt: skip
    judged = F.lit("index_month" in members.columns).alias("is_judged")
    return by_group.select(
        MONTH, judged, group.alias("attribute"), "group_name", F.explode(F.array(*each)).alias("of")
    ).select(MONTH, "is_judged", "attribute", "group_name", "of.*")  # fmt: skip


def _group(attribute: str) -> Column:
    """As text; a missing value and the word for it are one group."""
    word = F.coalesce(F.col(attribute).cast("string"), F.lit(UNKNOWN))
    return F.when(F.lower(word) == UNKNOWN, UNKNOWN).otherwise(word)


def _sums(decision: str, columns: Sequence[str]) -> dict[str, Column]:
    flagged = F.col(f"{decision}_flagged")
    zero = F.lit(0).cast("bigint")
    found = {"members": F.count(flagged), "flagged": _whole(flagged)} | dict.fromkeys(SUMS[2:], F.max(zero))
    if f"{decision}_event" in columns:
        event, score = F.col(f"{decision}_event"), F.col(f"{decision}_predicted")
        residual = micro(event - score)
        found |= {
            "events": _whole(event),
            "both": _whole(event * flagged),
            "predicted": _whole(micro(score)),
            "residual": _whole(residual),
            "squares": _whole(residual * residual),
        }
    return found


def _whole(value: Column) -> Column:
    """A sum that does not depend on the order; 0 of nobody."""
    return F.coalesce(F.sum(value.cast("bigint")), F.lit(0).cast("bigint"))


def of_month(rows: "pd.DataFrame") -> "pd.DataFrame":
    """Rows of FairnessResults of one month."""
    import pandas as pd

    found = []
    for decision, of in rows.groupby("decision"):
        for is_judged, part in of.groupby("is_judged"):
            tables = {str(a): groups.to_dict("records") for a, groups in part.groupby("attribute")}
            measures = (FOUND, RIGHT, MEANT) if is_judged else (FLAGGED,)
            found += compared(rows[MONTH].iloc[0], str(decision), tables, measures)
    return pd.DataFrame(found, columns=pd.Index(compiled(FairnessResults).columns), dtype=object)
