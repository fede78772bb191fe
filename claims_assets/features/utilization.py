"""What members used and cost in the twelve months up to an as-of month: sums, counts, last dates.

Four parts, each one row per member and as-of month: `lines` (what adds up over lines), `claims` and `stays` (whose own
sum or length changes with what is known), `events` (what is counted once, however many lines tell of it). Elsewhere:
when a line counts (`as_of.py`), conditions (`conditions.py`), scores (`scores.py`), demography (`member_features.py`).
"""

from collections.abc import Callable, Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from claims_assets.bronze.claim_links import MEDICAL, PHARMACY
from claims_assets.bronze.pharmacy_claims import DAYS_SUPPLY
from claims_assets.features.as_of import (
    BITS,
    RECENT_MONTHS,
    SPAN,
    as_of_number,
    counting,
    is_recent,
    joined,
    spread,
    spread_bits,
)
from claims_assets.silver.codes import is_emergency, is_inpatient
from claims_assets.silver.medical_claims import HIGH_COST
from claims_assets.silver.pharmacy_claims import CONTROLLED, GENERIC, HIGH_COST_RX

KEY = ("member_id", "as_of")

Part = Callable[[DataFrame], DataFrame]
"""From counting lines to one row per member and as-of month."""


def with_utilization(
    members: DataFrame,
    claim_versions: DataFrame,
    months: Sequence[str],
    *,
    run_out: int = 0,
    parts: Sequence[Part] | None = None,
) -> DataFrame:
    """The rows of `members` (member_id, claim_month, ...) with what counts for them as of their month.

    Numbers are 0 and flags false where nothing counts; `last_*_date` is NULL then. `parts` says which columns are
    wanted; by default those of this module.
    """
    counted = counting(claim_versions, months, run_out)
    made = [part(counted) for part in parts or (lines, claims, stays, events)]
    joined = members.withColumn("as_of", as_of_number())
    for part in made:
        joined = joined.join(part, list(KEY), "left")
    numbers = [n for part in made for n, kind in part.dtypes if n not in KEY and kind != "date"]
    flags = [n for n in numbers if n.startswith("has_")]
    filled = joined.fillna(0, [n for n in numbers if n not in flags])
    # An empty list of columns would mean all of them, the unknowns of the members included.
    return (filled.fillna(False, flags) if flags else filled).drop("as_of")


def lines(counted: DataFrame) -> DataFrame:
    """Amounts, fills and last dates: whatever adds up, or has a maximum, over lines."""
    return spread(_sums_by_span(counted)).groupBy(*KEY).agg(
        F.sum("paid").alias("total_paid_12mo"),
        F.sum(F.when(is_recent(), F.col("paid"))).alias("recent_paid_90d"),
        F.sum("rx_paid").alias("total_rx_paid_12mo"),
        F.sum("fills").alias("rx_fill_count_12mo"),
        F.sum("generic").alias("generic_fill_count"),
        F.sum("controlled").alias("controlled_substance_count"),
        F.sum("high_cost").alias("high_cost_rx_count"),
        F.sum("supplies").alias("supplies"),
        F.sum("supplied_days").alias("supplied_days"),
        F.max("last_medical").alias("last_medical_claim_date"),
        F.max("last_er").alias("last_er_visit_date"),
        F.max("last_fill").alias("last_rx_fill_date"),
    )  # fmt: skip


def _sums_by_span(counted: DataFrame) -> DataFrame:
    """Lines of one member, service month and span as one row, before they are spread."""
    medical, fill = F.col("claim_feed") == MEDICAL, F.col("claim_feed") == PHARMACY
    paid, day = F.coalesce("paid_amount", F.lit(0)), F.col("service_from_date")
    known_supply = fill & F.col("days_supply").between(DAYS_SUPPLY["min_value"], DAYS_SUPPLY["max_value"])
    return counted.groupBy("member_id", "served", *SPAN).agg(
        F.sum(F.when(medical, paid)).alias("paid"),
        F.sum(F.when(fill, paid)).alias("rx_paid"),
        _number_of(fill).alias("fills"),
        _number_of(fill & F.col("generic_indicator").isin(*GENERIC)).alias("generic"),
        _number_of(fill & F.col("therapeutic_class").rlike(CONTROLLED)).alias("controlled"),
        _number_of(fill & (paid > HIGH_COST_RX)).alias("high_cost"),
        _number_of(known_supply).alias("supplies"),
        F.sum(F.when(known_supply, F.col("days_supply")).cast("bigint")).alias("supplied_days"),
        F.max(F.when(medical, day)).alias("last_medical"),
        F.max(F.when(is_emergency(), day)).alias("last_er"),
        F.max(F.when(fill, day)).alias("last_fill"),
    )


DAY_EVENTS = ("service_days_12mo", "er_visit_count_12mo", "recent_er_visits_90d")
"""Counted once a member and day: facility and professional lines of one emergency visit are one visit."""
THINGS = {
    "unique_provider_count": "provider_id",
    "unique_drug_count": "ndc_code",
    "unique_therapy_class_count": "therapeutic_class",
}
"""Counted once a member; column of `silver.claim_versions` that tells them apart."""


def emergency_visits(counted: DataFrame) -> DataFrame:
    """Emergency visits alone, for labels."""
    return events(counted, ["er_visit_count_12mo"])


def events(counted: DataFrame, kinds: Sequence[str] = (*DAY_EVENTS, *THINGS)) -> DataFrame:
    """Days of service, emergency visits, distinct providers, drugs and classes; of these the `kinds`."""
    sums = [_number_of(F.col("kind") == kind).alias(kind) for kind in kinds]
    once = joined(_told_by_lines(counted, kinds), ("member_id", "kind", "event"))
    alike = once.groupBy("member_id", *BITS).agg(*sums)
    return spread_bits(alike).groupBy(*KEY).agg(*[F.sum(kind).alias(kind) for kind in kinds])


def _told_by_lines(counted: DataFrame, kinds: Sequence[str]) -> DataFrame:
    """One row for each kind of event that a line tells of: kind, event (a day or an id) and span."""
    event = F.col("service_from_date").cast("string")
    for kind, name in THINGS.items():
        event = F.when(F.col("kind") == kind, F.col(name)).otherwise(event)
    recent = F.least(F.col("span_end"), F.col("served") + RECENT_MONTHS - 1)
    last = F.when(F.col("kind") == "recent_er_visits_90d", recent).otherwise(F.col("span_end"))
    columns = ["member_id", "served", *SPAN, "service_from_date", *THINGS.values()]
    return (
        counted.select(*columns, F.explode(_kinds_told(kinds)).alias("kind"))
        .withColumns({"span_end": last, "event": event})
        .where("span_start <= span_end")
    )


def _kinds_told(kinds: Sequence[str]) -> Column:
    """Those of `kinds` that a line tells of, as an array."""
    medical, fill = F.col("claim_feed") == MEDICAL, F.col("claim_feed") == PHARMACY
    told = {
        "service_days_12mo": medical,
        "er_visit_count_12mo": is_emergency(),
        "recent_er_visits_90d": is_emergency(),
        "unique_provider_count": medical & F.col("provider_id").isNotNull(),
        "unique_drug_count": fill & F.col("ndc_code").isNotNull(),
        "unique_therapy_class_count": fill & F.col("therapeutic_class").isNotNull(),
    }
    found = [F.when(F.coalesce(told[kind], F.lit(False)), kind) for kind in kinds]
    return F.array_compact(F.array(*found))


def claims(counted: DataFrame) -> DataFrame:
    """Medical claims: how many, how many recent, the largest, those of high cost. A claim is all its lines."""
    medical = counted.where(F.col("claim_feed") == MEDICAL)
    per_span = medical.groupBy("member_id", "claim_id", *SPAN).agg(
        F.sum(F.coalesce("paid_amount", F.lit(0))).alias("paid"), F.max("served").alias("served")
    )
    summed = [F.sum("paid").alias("paid"), F.max("served").alias("served")]
    per_claim = spread(per_span).groupBy(*KEY, "claim_id").agg(*summed)
    return per_claim.groupBy(*KEY).agg(
        F.count("claim_id").alias("claim_count_12mo"),
        _number_of(is_recent()).alias("recent_claim_count_90d"),
        F.max("paid").alias("max_claim_amount"),
        _number_of(F.col("paid") > HIGH_COST).alias("high_cost_claim_count"),
    )


def stays(counted: DataFrame) -> DataFrame:
    """Inpatient stays and their lengths: one per member and day of admission (of service, where that is missing).

    The length is discharge minus admission, 0 for the same day; unknown where a discharge is missing or earlier.
    """
    admitted = F.coalesce("admit_date", "service_from_date").alias("admitted")
    facility = counted.where(is_inpatient()).select("member_id", *SPAN, admitted, "discharge_date")
    per_span = facility.groupBy("member_id", "admitted", *SPAN).agg(F.max("discharge_date").alias("discharged"))
    per_stay = spread(per_span).groupBy(*KEY, "admitted").agg(F.max("discharged").alias("discharged"))
    days = F.when(F.col("discharged") >= F.col("admitted"), F.datediff("discharged", "admitted").cast("bigint"))
    return per_stay.withColumn("days", days).groupBy(*KEY).agg(
        F.count("admitted").alias("inpatient_admit_count_12mo"),
        F.sum("days").alias("total_inpatient_days"),
        F.count("days").alias("stays_of_known_length"),
        F.max("admitted").alias("last_admission_date"),
    )  # fmt: skip


def _number_of(condition: Column) -> Column:
    return F.sum(F.when(condition, 1).otherwise(0).cast("bigint"))
