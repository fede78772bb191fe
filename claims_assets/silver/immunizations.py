"""Vaccine doses with evidence: one row per member, vaccine and day, from registry, medical and pharmacy claims.

Here: which records are evidence, and which evidence is of the same dose. Elsewhere: the codes
(`sources/code_sets/vaccine_codes.csv`), schedules and gaps (`features/`). A member without a row has no evidence of a
dose: doses paid in cash, by another payer or in another state are missing, so it never means "not vaccinated".
"""

from functools import reduce
from operator import or_
from typing import Annotated

from pyspark.sql import Column, DataFrame
from pyspark.sql import Window as Over
from pyspark.sql import functions as F

from claims_assets import columns as c
from claims_assets.contracts import Contract
from claims_assets.partitions import add_months
from claims_assets.silver.codes import is_paid, normal_id, normal_ndc
from claims_assets.sources.code_sets import CODE_SYSTEMS, VACCINES, vaccine_codes
from claims_assets.table import Whole, Window, table

SinceLastMonth = Annotated[DataFrame, Window(2)]
"""An input read for each asked month and the one before: a dose may show up again across the month's border."""

EVIDENCE = ("registry", "medical_claim", "pharmacy_claim")
"""Best first: who gave the dose, who billed for it, who dispensed it."""
SAME_DOSE_DAYS = 4
"""Evidence of one vaccine at most this many days apart is of one dose. It is the grace period of ACIP's general best
practices, and every schedule's shortest interval is far longer."""
COMPLETED = "COMPLETED"


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


@table(Immunizations, domain="members")
def immunizations(
    silver_medical_claims: SinceLastMonth,
    silver_pharmacy_claims: SinceLastMonth,
    bronze_immunizations: Whole,
    months: list[str],
) -> DataFrame:
    """Doses of the asked months.

    Evidence is a paid claim line, or a registry record whose status is completed or missing. A dose keeps the month in
    which it became known first. Evidence of a dose that began in the month before makes no new dose, and evidence of
    the next month does not change one: a month is the same whichever months are asked for with it.
    """
    read = sorted({m for month in months for m in (month, add_months(month, -1))})
    lookup = _lookup(silver_medical_claims)
    return (
        _of_registry(bronze_immunizations)
        .unionByName(_of_medical_claims(silver_medical_claims))
        .unionByName(_of_pharmacy_claims(silver_pharmacy_claims))
        .withColumn("claim_month", F.date_format("administered_date", "yyyy-MM"))
        .where(F.col("claim_month").isin(read) & F.col("member_id").isNotNull())
        .join(lookup, ["code_kind", "code"])
        .transform(_with_dose_start)
        .where(F.col("claim_month").isin(months))
        .transform(_best_evidence)
    )


def _of_registry(records: DataFrame) -> DataFrame:
    """Given doses; one piece of evidence for the CVX and one for the NDC of a record."""
    status = F.coalesce(normal_id(F.upper("status")), F.lit(COMPLETED))
    number = F.trim("cvx_code").try_cast("int")
    # CVX has at least two digits, and feeds that keep it as a number lose the zero.
    cvx = F.when(number < 10, F.lpad(number.cast("string"), 2, "0")).otherwise(number.cast("string"))
    codes = _codes({"CVX": [cvx], "NDC": [normal_ndc(F.col("ndc_code"))]})
    place = F.concat_ws(":", "source_file", "source_line")
    return records.where(status == COMPLETED).transform(
        lambda kept: _evidence(kept, "registry", F.col("administered_date"), codes, place)
    )


def _of_medical_claims(claims: DataFrame) -> DataFrame:
    procedures = [F.col("procedure_code_1"), F.col("procedure_code_2")]
    drugs = [normal_ndc(F.col("ndc_code"))]
    codes = _codes({"procedure": procedures, "NDC": drugs})
    known = [v.code for v in vaccine_codes()]
    # Most lines are no vaccine; leaving them out before the codes are spread keeps the rest small.
    names_one = reduce(or_, [F.coalesce(code.isin(known), F.lit(False)) for code in (*procedures, *drugs)])
    return claims.where(is_paid() & names_one).transform(
        lambda kept: _evidence(kept, "medical_claim", F.col("service_from_date"), codes, F.col("claim_id"))
    )


def _of_pharmacy_claims(claims: DataFrame) -> DataFrame:
    codes = _codes({"NDC": [normal_ndc(F.col("ndc_code"))]})
    return claims.where(is_paid()).transform(
        lambda kept: _evidence(kept, "pharmacy_claim", F.col("fill_date"), codes, F.col("claim_id"))
    )


def _codes(given: dict[str, list[Column]]) -> Column:
    """Array of all codes of a row with their kind; `procedure` stands for CPT and HCPCS, which share no code."""
    kinds = [F.struct(F.lit(k).alias("code_kind"), code.alias("code")) for k, codes in given.items() for code in codes]
    return F.array(*kinds)


def _evidence(rows: DataFrame, evidence: str, day: Column, codes: Column, source_id: Column) -> DataFrame:
    """The one shape of evidence: who, when, which code, known from when, found where."""
    return (
        rows.select(
            normal_id(F.col("member_id")).alias("member_id"),
            day.alias("administered_date"),
            "known_from",
            F.lit(evidence).alias("evidence"),
            source_id.alias("source_id"),
            F.explode(codes).alias("_code"),
        )
        .select("*", "_code.code_kind", "_code.code")
        .drop("_code")
    )


def _lookup(any_frame: DataFrame) -> DataFrame:
    """The vaccine codes as a frame of the same session."""
    kind = {"CPT": "procedure", "HCPCS": "procedure"}
    rows = [
        (kind.get(v.code_system, v.code_system), v.code, v.code_system, v.vaccine, v.product, v.administration_only)
        for v in vaccine_codes()
    ]
    schema = "code_kind string, code string, code_system string, vaccine string, product string, administration boolean"
    return any_frame.sparkSession.createDataFrame(rows, schema)


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
        .drop("_best", "_known_first", "dose_start", "code_kind")
    )
