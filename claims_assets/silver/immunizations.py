"""Vaccine doses with evidence: one row per member, vaccine and day, from registry, medical and pharmacy claims.

Here: which evidence is of the same dose. Elsewhere: every piece of evidence, also what does not count and why
(`silver/immunization_evidence.py`), the codes (`sources/code_sets/vaccine_codes.csv`), schedules and gaps
(`features/immunization_gaps.py`). A member without a row has no evidence of a
dose: doses paid in cash, by another payer or in another state are missing, so it never means "not vaccinated".
"""

from typing import Annotated

from pyspark.sql import DataFrame
from pyspark.sql import Window as Over
from pyspark.sql import functions as F

from claims_assets import columns as c
from claims_assets.contracts import Contract
from claims_assets.partitions import add_months
from claims_assets.silver.immunization_evidence import (
    COUNTS,
    EVIDENCE,
    of_medical_claims,
    of_pharmacy_claims,
    of_registry,
    with_vaccine,
)
from claims_assets.sources.code_sets import CODE_SYSTEMS, VACCINES, fingerprint
from claims_assets.table import Window, table

SinceLastMonth = Annotated[DataFrame, Window(2)]
"""An input read for each asked month and the one before: a dose may show up again across the month's border."""

DaysSinceLastMonth = Annotated[DataFrame, Window(2, by_span=True)]
"""The same of an input without claim months, whose rows speak of the month of their day."""

SAME_DOSE_DAYS = 4
"""Evidence of one vaccine at most this many days apart is of one dose. It is the grace period of ACIP's general best
practices, and every schedule's shortest interval is far longer."""


class Immunizations(Contract):
    """Vaccine doses with evidence: one row per member, vaccine and day of the dose."""

    member_id: str = c.member_id()
    vaccine: str = c.required("Vaccine; a combined one has a row for each vaccine in it.", isin=VACCINES)
    administered_date: c.Date = c.required("Earliest day with evidence of the dose.")
    claim_month: str = c.claim_month()
    product: str = c.required("Our own short label of the product, as far as the best evidence's code tells.")
    code_system: str = c.required("CVX, CPT, HCPCS or NDC.", isin=CODE_SYSTEMS)
    code: str = c.required("Code of the best evidence.")
    evidence: str = c.required("registry, medical_claim or pharmacy_claim: the best there is.", isin=EVIDENCE)
    is_administration_only: bool = c.flag("No code names a product, only that a dose was given: weaker evidence.")
    known_from: str = c.known_from()
    source_id: str = c.required("Claim id, or registry file and line, of the best evidence.")

    class Config:
        unique = ["member_id", "vaccine", "administered_date"]


@table(Immunizations, domain="members", code_version=fingerprint("vaccine_codes.csv"))
def immunizations(
    silver_medical_claims: SinceLastMonth,
    silver_pharmacy_claims: SinceLastMonth,
    bronze_immunizations: DaysSinceLastMonth,
    months: list[str],
) -> DataFrame:
    """Doses of the asked months.

    Evidence is a paid claim line, or a registry record whose status is completed or missing, of a day not ahead of the
    month it was known in. A dose keeps the month in
    which it became known first. Evidence of a dose that began in the month before makes no new dose, and evidence of
    the next month does not change one: a month is the same whichever months are asked for with it.
    """
    read = sorted({m for month in months for m in (month, add_months(month, -1))})
    return (
        of_registry(bronze_immunizations)
        .unionByName(of_medical_claims(silver_medical_claims))
        .unionByName(of_pharmacy_claims(silver_pharmacy_claims))
        .where(F.col("standing") == COUNTS)
        .withColumn("claim_month", F.date_format("administered_date", "yyyy-MM"))
        .where(F.col("claim_month").isin(read) & F.col("member_id").isNotNull())
        .transform(with_vaccine)
        .transform(_with_dose_start)
        .where(F.col("claim_month").isin(months))
        .transform(_best_evidence)
    )


def _with_dose_start(evidence: DataFrame) -> DataFrame:
    """Add `dose_start`: the first day of the run of evidence without a gap over SAME_DOSE_DAYS that a row is in."""
    by_day = Over.partitionBy("member_id", "vaccine").orderBy("administered_date")
    day = F.col("administered_date")
    before = F.lag(day).over(by_day)
    starts = before.isNull() | (F.datediff(day, before) > SAME_DOSE_DAYS)
    # Rows of one day are equal to the order, so the window includes all of them in whichever order they come.
    start = F.max("_start").over(by_day.rangeBetween(Over.unboundedPreceding, Over.currentRow))
    return evidence.withColumn("_start", F.when(starts, day)).withColumn("dose_start", start).drop("_start")


def _best_evidence(evidence: DataFrame) -> DataFrame:
    """One row per dose that begins in the month of the evidence."""
    dose = Over.partitionBy("member_id", "vaccine", "dose_start")
    rank = F.element_at(F.create_map(*[F.lit(x) for i, e in enumerate(EVIDENCE) for x in (e, i)]), F.col("evidence"))
    best = dose.orderBy("administration", rank, "administered_date", "code_system", "code", "source_id", "known_from")
    return (
        evidence.where(F.date_format("dose_start", "yyyy-MM") == F.col("claim_month"))
        .withColumn("_known_first", F.min("known_from").over(dose))
        .withColumn("_best", F.row_number().over(best))
        .where("_best = 1")
        .withColumns({"known_from": F.col("_known_first"), "administered_date": F.col("dose_start")})
        .withColumnRenamed("administration", "is_administration_only")
        .drop("_best", "_known_first", "dose_start", "standing", "cancelled_on")
    )
