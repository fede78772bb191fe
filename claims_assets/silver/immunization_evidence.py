"""Every piece of evidence of a vaccine dose, and why it does not count where it does not: nothing is lost.

Here: which records speak of a dose, from when to when they stood, and whether they can count at all. A table beside
the doses (`silver/immunizations.py`), not a column of it: a dose is made of several pieces, and what does not count
makes no dose. Elsewhere: whether a dose was too early or too soon, which depends on the member and the schedule
(`features/vaccine_status.py`), the codes (`sources/code_sets/vaccine_codes.csv`).
"""

from collections.abc import Mapping, Sequence
from functools import reduce
from operator import or_

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from claims_assets import columns as c
from claims_assets.bronze.claim_links import MEDICAL, PHARMACY
from claims_assets.contracts import Contract
from claims_assets.silver.codes import is_paid, is_void, normal_id, normal_ndc
from claims_assets.sources.code_sets import CODE_SYSTEMS, VACCINES, fingerprint, vaccine_codes
from claims_assets.table import Whole, table

EVIDENCE = ("registry", "medical_claim", "pharmacy_claim")
"""Best first: who gave the dose, who billed for it, who dispensed it."""
COMPLETED, NOT_DONE = "COMPLETED", "NOT-DONE"
"""Status of an immunization record (HL7 FHIR R4, Immunization.status)."""

COUNTS = "counts"
NOT_GIVEN, ENTERED_IN_ERROR, NOT_PAID, IN_THE_FUTURE = "not_given", "entered_in_error", "not_paid", "in_the_future"
STANDINGS = (COUNTS, NOT_GIVEN, ENTERED_IN_ERROR, NOT_PAID, IN_THE_FUTURE)

STRAY = 0.1
"""A month with less than this share of an average month's lines holds strays, and does not begin the history."""


class ImmunizationEvidence(Contract):
    """Evidence of vaccine doses: one row per member, vaccine, day, code, source, standing and month it became known."""

    member_id: str = c.member_id()
    vaccine: str = c.required("Vaccine; a combined one has a row for each vaccine in it.", isin=VACCINES)
    administered_date: c.Date = c.required("Day of the dose, or of the decision not to give it.")
    product: str = c.required("Our own short label of the product, as far as the code tells.")
    code_system: str = c.required("CVX, CPT, HCPCS or NDC.", isin=CODE_SYSTEMS)
    code: str = c.required("The code.")
    evidence: str = c.required("registry, medical_claim or pharmacy_claim.", isin=EVIDENCE)
    is_administration_only: bool = c.flag("The code names no product, only that a dose was given: weaker evidence.")
    source_id: str = c.required("Claim id, or registry file and line.")
    standing: str = c.required(
        "counts; not_given: the registry says so, as after a refusal; entered_in_error: any other status of the"
        " registry; not_paid: the claim was not; in_the_future: known before the month of its day.",
        isin=STANDINGS,
    )
    known_from: str = c.known_from()
    cancelled_on: str = c.month("First month in which the claim was known to be voided or replaced; NULL: it stands.")
    first_month: str = c.month("First as-of month that it speaks of: known by then, and its day has come.")
    last_month: str = c.month("Last as-of month that it speaks of; NULL: it stands.")
    claims_from: str = c.month(
        "First claim month of the lake with more than strays: a dose before it can only be known from the registry."
    )

    class Config:
        unique = [
            "member_id",
            "vaccine",
            "administered_date",
            "code_system",
            "code",
            "evidence",
            "source_id",
            "standing",
            "known_from",
        ]


@table(
    ImmunizationEvidence,
    partitioned=False,
    domain="members",
    span=("first_month", "last_month"),
    ends_told_by=("cancelled_on",),
    code_version=fingerprint("vaccine_codes.csv"),
)
def immunization_evidence(silver_claim_versions: Whole, bronze_immunizations: Whole) -> DataFrame:
    """All that registry and claims say of doses, of every year and every version of a claim."""
    lines = silver_claim_versions.where(~is_void())
    key = ["member_id", "administered_date", "code_kind", "code", "evidence", "source_id", "standing", "known_from"]
    found = (
        of_registry(bronze_immunizations)
        .unionByName(of_medical_claims(lines.where(F.col("claim_feed") == MEDICAL)))
        .unionByName(of_pharmacy_claims(lines.where(F.col("claim_feed") == PHARMACY)))
        .where(F.col("member_id").isNotNull() & F.col("administered_date").isNotNull())
    )
    # Two lines of a claim with one code are one piece; it stands as long as one of them does.
    once = found.withColumn("_until", F.coalesce("cancelled_on", F.lit("9999"))).groupBy(*key).agg(
        F.max("_until").alias("_until")
    )  # fmt: skip
    until = F.when(F.col("_until") != "9999", F.col("_until"))
    return (
        once.transform(with_vaccine)
        .crossJoin(_first_full_month(silver_claim_versions))
        .withColumnRenamed("administration", "is_administration_only")
        .withColumns(
            {
                "cancelled_on": until,
                "first_month": F.greatest("known_from", F.date_format("administered_date", "yyyy-MM")),
                "last_month": _month_before(until),
            }
        )
        .drop("_until")
    )


def of_registry(records: DataFrame) -> DataFrame:
    """One piece of evidence for the CVX and one for the NDC of a record, given or not."""
    status = F.coalesce(normal_id(F.upper("status")), F.lit(COMPLETED))
    number = F.trim("cvx_code").try_cast("int")
    # CVX has at least two digits, and feeds that keep it as a number lose the zero.
    cvx = F.when(number < 10, F.lpad(number.cast("string"), 2, "0")).otherwise(number.cast("string"))
    place = F.concat_ws(":", "source_file", "source_line")
    standing = (
        F.when(status == NOT_DONE, NOT_GIVEN)
        .when(status != COMPLETED, ENTERED_IN_ERROR)
        .when(F.date_format("administered_date", "yyyy-MM") > F.col("known_from"), IN_THE_FUTURE)
        .otherwise(COUNTS)
    )
    return _evidence(
        records.withColumn("cancelled_on", _no_month()),
        "registry",
        F.col("administered_date"),
        {"CVX": [cvx], "NDC": [normal_ndc(F.col("ndc_code"))]},
        place,
        standing,
    )


def of_medical_claims(claims: DataFrame) -> DataFrame:
    """One piece of evidence for each procedure and drug code of a line."""
    procedures = [F.col("procedure_code_1"), F.col("procedure_code_2")]
    codes = {"procedure": procedures, "NDC": [normal_ndc(F.col("ndc_code"))]}
    return _of_claims(claims, "medical_claim", "service_from_date", codes)


def of_pharmacy_claims(claims: DataFrame) -> DataFrame:
    """One piece of evidence for the drug of a fill."""
    return _of_claims(claims, "pharmacy_claim", "fill_date", {"NDC": [normal_ndc(F.col("ndc_code"))]})


def with_vaccine(evidence: DataFrame) -> DataFrame:
    """The pieces whose code is of a vaccine, with vaccine, code system, product and `administration`."""
    kind = {"CPT": "procedure", "HCPCS": "procedure"}
    rows = [
        (kind.get(v.code_system, v.code_system), v.code, v.code_system, v.vaccine, v.product, v.administration_only)
        for v in vaccine_codes()
    ]
    schema = "code_kind string, code string, code_system string, vaccine string, product string, administration boolean"
    lookup = evidence.sparkSession.createDataFrame(rows, schema)
    return evidence.join(lookup, ["code_kind", "code"]).drop("code_kind")


def _first_full_month(claims: DataFrame) -> DataFrame:
    """One row, `claims_from`."""
    # One engine fails to group a stored table by its partition column, which is never NULL; of `when` it may be.
    month = F.when(F.col("claim_month") != "", F.col("claim_month")).alias("claim_month")
    lines = claims.select(month).groupBy("claim_month").agg(F.count("*").alias("n"))
    months = F.collect_list(F.struct("n", "claim_month")).alias("months")
    full = F.filter("months", lambda month: month["n"] >= F.col("average") * STRAY)
    first = F.array_min(F.transform(full, lambda month: month["claim_month"]))
    return lines.agg(months, F.avg("n").alias("average")).select(first.alias("claims_from"))


def _of_claims(claims: DataFrame, evidence: str, day: str, codes: Mapping[str, Sequence[Column]]) -> DataFrame:
    known = [v.code for v in vaccine_codes()]
    # Most lines are no vaccine; leaving them out before the codes are spread keeps the rest small.
    given = [code for several in codes.values() for code in several]
    names_one = reduce(or_, [F.coalesce(code.isin(known), F.lit(False)) for code in given])
    told = claims if "cancelled_on" in claims.columns else claims.withColumn("cancelled_on", _no_month())
    early = F.date_format(day, "yyyy-MM") > F.col("known_from")
    standing = F.when(~is_paid(), NOT_PAID).when(early, IN_THE_FUTURE).otherwise(COUNTS)
    return _evidence(told.where(names_one), evidence, F.col(day), codes, F.col("claim_id"), standing)


def _evidence(
    rows: DataFrame,
    evidence: str,
    day: Column,
    codes: Mapping[str, Sequence[Column]],
    source_id: Column,
    standing: Column,
) -> DataFrame:
    """The one shape of evidence: who, when, which code, known from when, found where.

    `codes`: kind of code -> codes of a row; `procedure` stands for CPT and HCPCS, which share no code.
    """
    kinds = [F.struct(F.lit(k).alias("code_kind"), code.alias("code")) for k, given in codes.items() for code in given]
    return (
        rows.select(
            normal_id(F.col("member_id")).alias("member_id"),
            day.alias("administered_date"),
            "known_from",
            "cancelled_on",
            F.lit(evidence).alias("evidence"),
            source_id.alias("source_id"),
            F.coalesce(standing, F.lit(COUNTS)).alias("standing"),
            F.explode(F.array(*kinds)).alias("_code"),
        )
        .select("*", "_code.code_kind", "_code.code")
        .drop("_code")
    )


def _no_month() -> Column:
    return F.lit(None).cast("string")


def _month_before(month: Column) -> Column:
    return F.date_format(F.add_months(F.to_date(F.concat(month, F.lit("-01"))), -1), "yyyy-MM")
