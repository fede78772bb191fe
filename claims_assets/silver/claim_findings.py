"""What is doubtful about a medical line that stands, as columns that the warn rules of `silver/medical_claims.py` read.

Here: diagnoses against the code list in force, headers against the other lines of their claim, the form of the claim.
Nothing here drops or changes a line. Elsewhere: shapes of codes (`bronze/medical_claims.py`), their clean forms
(`silver/codes.py`), the list (`bronze/diagnosis_codes.py`); docs/code_sets.md says what is judged how.
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from claims_assets.silver.codes import is_inpatient
from claims_assets.sources.code_sets import ICD_9_CM, ICD_10_CM, ICD_10_CM_FISCAL_YEAR

DIAGNOSES = tuple(f"diagnosis_code_{position}" for position in range(1, 13))
HEADER = ("member_id", "claim_type", "bill_type_code", "admit_date", "discharge_date", "drg_code")
"""Columns that a claim has once: one value on all its lines (Tuva input layer, medical claim). The provider is none of
them, as each line of a professional claim may name another one (CMS-1500, item 24J)."""
INSTITUTIONAL, PROFESSIONAL = CLAIM_FORMS = ("institutional", "professional")

_CLAIM = ["claim_id", "claim_month"]
_LINE = [*_CLAIM, "claim_line_number"]
MONTHS_TO_OCTOBER = 3
"""A fiscal year begins in October of the year before."""
FIRST_YEAR, LAST_YEAR = 0, 9999
"""Stand for the open ends of a code's years."""


def with_diagnosis_findings(lines: DataFrame, codes: DataFrame) -> DataFrame:
    """Adds `unknown_diagnosis_count` and `heading_diagnosis_count`, NULL for a line without a diagnosis.

    Only doubtful codes are grouped and joined back to the lines: they are few.
    """
    written = lines.select(
        *_LINE, _coding_year().alias("_year"), F.explode(F.array_compact(F.array(*DIAGNOSES))).alias("_code")
    )
    doubtful = (
        written.join(_by_year(codes), _in_force(), "left")
        .where(~F.coalesce("_is_billable", F.lit(False)))
        .groupBy(*_LINE)
        .agg(
            F.count(F.when(F.col("_is_billable").isNull(), 1)).alias("_unknown"),
            F.count("_is_billable").alias("_headings"),
        )
    )
    has_diagnosis = F.coalesce(*DIAGNOSES).isNotNull()
    counts = {"unknown_diagnosis_count": "_unknown", "heading_diagnosis_count": "_headings"}
    return (
        lines.join(doubtful, _LINE, "left")
        .withColumns({n: F.when(has_diagnosis, F.coalesce(found, F.lit(0))).cast("int") for n, found in counts.items()})
        .drop(*counts.values())
    )


def with_header_findings(lines: DataFrame) -> DataFrame:
    """Adds `header_conflicts` and `has_line_gap`, the same on all lines that the claim has in the month."""
    least_and_most = [
        f(n).alias(f"_{side}_{n}")
        for n in (*HEADER, "claim_line_number")
        for side, f in (("least", F.min), ("most", F.max))
    ]
    differing = [F.when(F.col(f"_least_{n}") != F.col(f"_most_{n}"), F.lit(n)) for n in HEADER]
    numbers = F.col("_most_claim_line_number") - F.col("_least_claim_line_number") + 1
    doubtful = (
        lines.groupBy(*_CLAIM)
        .agg(F.count("*").alias("_lines"), *least_and_most)
        .select(
            *_CLAIM,
            F.array_compact(F.array(*differing)).alias("_conflicts"),
            (numbers != F.col("_lines")).alias("_gap"),
        )
        .where((F.size("_conflicts") > 0) | F.col("_gap"))
    )
    return (
        lines.join(doubtful, _CLAIM, "left")
        .withColumns(
            {
                "header_conflicts": F.coalesce("_conflicts", F.array().cast("array<string>")),
                "has_line_gap": F.coalesce("_gap", F.lit(False)),
            }
        )
        .drop("_conflicts", "_gap")
    )


def claim_form() -> Column:
    """Institutional or professional, by what only one of the two forms carries; NULL where the line has neither.

    As in the Tuva input layer. An admission counts only without a place of service: a professional claim for services
    to an inpatient gives the hospital's dates as well (CMS-1500, item 18).
    """
    facility = [F.col(n) for n in ("bill_type_code", "drg_code", "revenue_code")]
    return (
        F.when(F.coalesce(*facility).isNotNull(), F.lit(INSTITUTIONAL))
        .when(F.col("place_of_service").isNotNull(), F.lit(PROFESSIONAL))
        .when(F.col("admit_date").isNotNull(), F.lit(INSTITUTIONAL))
    )


def _coding_year() -> Column:
    """Fiscal year whose codes the line must use: of its service, for an inpatient bill of its last day (CMS SE1408)."""
    last = F.greatest("service_from_date", "service_to_date", "discharge_date")
    day = F.when(is_inpatient(), last).otherwise(F.col("service_from_date"))
    return F.year(F.add_months(day, MONTHS_TO_OCTOBER))


def _by_year(codes: DataFrame) -> DataFrame:
    """The list under names of its own, with numbers for its open ends."""
    return codes.select(
        F.col("code").alias("_listed"),
        F.col("code_system").alias("_system"),
        F.col("is_billable").alias("_is_billable"),
        F.coalesce("first_fiscal_year", F.lit(FIRST_YEAR)).alias("_first"),
        F.coalesce("last_fiscal_year", F.lit(LAST_YEAR)).alias("_last"),
    )


def _in_force() -> Column:
    """The list names the code for that year. At most one of its rows does, so no diagnosis counts twice."""
    year = F.col("_year")
    system = F.when(year < ICD_10_CM_FISCAL_YEAR, F.lit(ICD_9_CM)).otherwise(F.lit(ICD_10_CM))
    same = (F.col("_code") == F.col("_listed")) & (F.col("_system") == system)
    return same & (F.col("_first") <= year) & (F.col("_last") >= year)
