"""Which claim cancels which: every version of a claim that voids or replaces another, or is voided or replaced.

Reads the landing stage, not bronze: a void that breaks a row rule is quarantined there, and must cancel all the same.
Claims that nobody adjusts never appear, so the table stays small. Here: who takes part, and when it became known.
Elsewhere: the order inside a chain (`bronze/chains.py`), what becomes of the lines (`silver/claim_versions.py`).
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from claims_assets import columns as c
from claims_assets.bronze.chains import CHAIN_STATES, ORIGINAL, REPLACEMENT, SEPARATOR, VOID, resolved
from claims_assets.bronze.known import with_known_from
from claims_assets.contracts import Contract
from claims_assets.table import Whole, table

MEDICAL, PHARMACY = "medical", "pharmacy"
CLAIM_FEEDS = (MEDICAL, PHARMACY)

NO_CLAIM = r"^0+$"
"""How feeds that must fill `original_claim_id` say that there is none; taken as a name it would chain strangers."""

INDICATORS = (ORIGINAL, VOID, REPLACEMENT)
REVERSED = "REVERSED"
"""Claim status of a payment taken back."""

_FOUND = (
    "claim_feed string, claim_id string, adjustment_indicator string, original_claim_id string,"
    " first_claim_month string, last_claim_month string, paid_date string, known_from string,"
    " root_claim_id string, cancelled_on string, cancelled_by string, chain_state string"
)


class ClaimLinks(Contract):
    """Which claim cancels which: one row per version of a claim that takes part in a chain."""

    claim_feed: str = c.required("medical or pharmacy; chains never cross feeds.", isin=CLAIM_FEEDS)
    claim_id: str = c.claim_id()
    adjustment_indicator: str = c.required(
        "0 original (or any other value), 1 void, 4 replacement; see `acting_indicator`.", isin=INDICATORS
    )
    original_claim_id: str = c.optional("Claim that this version names; of several the smallest, all are cancelled.")
    root_claim_id: str = c.required("Claim at the top of the chain, held by a file or only named.")
    first_claim_month: str = c.month("First claim month of its lines.")
    last_claim_month: str = c.month("Last claim month of its lines.")
    paid_date: c.Date = c.optional("Latest paid date of its lines.")
    known_from: str = c.known_from()
    cancelled_on: str = c.month("First month in which a later version of the chain was known; NULL: it is the last.")
    cancelled_by: str = c.optional("Claim id of the version that stood last in that month.")
    chain_state: str = c.required("Whether the claim it names is known, and the chain ends.", isin=CHAIN_STATES)

    class Config:
        unique = ["claim_feed", "claim_id", "adjustment_indicator"]


@table(ClaimLinks, partitioned=False, span=("first_claim_month", "last_claim_month"))
def claim_links(landing_medical_claims: Whole, landing_pharmacy_claims: Whole) -> DataFrame:
    """Resolves the chains of both feeds, whatever the months and the order in which their files came.

    - A chain is an original and every claim that names it, directly or through others; a void or replacement that bears
      the id of its original, and names it or nothing, belongs to that original. Two originals never share a chain
      unless one names the other.
    - A line without indicator that names another claim and takes money back is a void of it (`acting_indicator`).
    - Where the lines of one version name several claims it adjusts all of them: to leave one out would count it twice.
    - The last version stands: nothing if it is a void, only the replacement if it is one. If B replaces A, and V voids
      B, nothing stands: A does not come back. A void and a replacement of A paid the same day leave the replacement.
    - The order follows names first (nothing comes before the claim it names), then paid dates; see `chains.resolve`.
      An earlier version that arrives late therefore never stands.
    - Lines of one version may carry several paid dates (the latest counts) and months (the earliest known one counts).
    """
    versions = _versions(MEDICAL, landing_medical_claims).unionByName(_versions(PHARMACY, landing_pharmacy_claims))
    links = versions.groupBy("claim_feed").applyInPandas(resolved, _FOUND)
    smallest = F.split_part("original_claim_id", F.lit(SEPARATOR), F.lit(1))
    return links.withColumns(
        {"paid_date": F.col("paid_date").cast("date"), "original_claim_id": unless_blank(smallest)}
    )


def normal_indicator(indicator: Column) -> Column:
    """0, 1 or 4: whatever is neither a void nor a replacement (missing too) is an original."""
    written = F.trim(indicator)
    return F.when(written.isin(VOID, REPLACEMENT), written).otherwise(F.lit(ORIGINAL))


def acting_indicator() -> Column:
    """The indicator a line acts by, never NULL: a payer without indicators voids a claim by naming it and taking back.

    Taking back is a negative amount or the status REVERSED; a negative line that names no other claim may be a payment
    (a deductible above what was due), or take back a line of its own claim (`silver/line_versions.py`).
    """
    written, named = normal_indicator(F.col("adjustment_indicator")), named_claim()
    takes_back = (stated_amount() < 0) | (F.upper(F.trim("claim_status")) == REVERSED)
    voids = (written == ORIGINAL) & (named != F.trim("claim_id")) & takes_back
    return F.when(voids, F.lit(VOID)).otherwise(written)


def stated_amount() -> Column:
    """What a line says was paid; what it says was allowed where nothing was paid, as on a line the member owes."""
    paid, allowed = (F.col(n).try_cast("decimal(12,2)") for n in ("paid_amount", "allowed_amount"))
    return F.coalesce(F.when(paid != 0, paid), allowed, paid)


def named_claim() -> Column:
    """The claim that a line names as its original, or NULL."""
    claim = F.trim("original_claim_id")
    return F.when((claim != "") & ~claim.rlike(NO_CLAIM), claim)


def unless_blank(text: Column) -> Column:
    """The text, or NULL where it is empty."""
    return F.when(text != "", text)


def _versions(feed: str, landed: DataFrame) -> DataFrame:
    """One row per version that takes part in a chain of one feed."""
    lines = landed.transform(with_known_from).select(
        F.trim("claim_id").alias("claim_id"),
        acting_indicator().alias("adjustment_indicator"),
        named_claim().alias("original_claim_id"),
        "claim_month",
        F.col("paid_date").try_cast("date").cast("string").alias("paid_date"),
        "known_from",
    )
    lines = lines.where((F.col("claim_id") != "") & F.col("known_from").isNotNull())
    return (
        lines.join(_adjusted(lines), "claim_id", "left_semi")
        .groupBy("claim_id", "adjustment_indicator")
        .agg(
            F.array_join(F.array_sort(F.collect_set("original_claim_id")), SEPARATOR).alias("original_claim_id"),
            F.min("claim_month").alias("first_claim_month"),
            F.max("claim_month").alias("last_claim_month"),
            F.max("paid_date").alias("paid_date"),
            F.min("known_from").alias("known_from"),
        )
        .withColumn("claim_feed", F.lit(feed))
    )


def _adjusted(lines: DataFrame) -> DataFrame:
    """Ids of the claims that adjust another, and of those they name."""
    names_another = F.coalesce(F.col("original_claim_id") != F.col("claim_id"), F.lit(False))
    adjusting = lines.where(names_another | (F.col("adjustment_indicator") != ORIGINAL))
    both = F.explode(F.array("claim_id", "original_claim_id")).alias("claim_id")
    return adjusting.select(both).where("claim_id is not null").distinct()
