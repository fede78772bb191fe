"""Days on which a claim named a condition that decides about vaccines, with when that was known.

Here: the conditions of `sources/code_sets/vaccine_condition_codes.csv`, such as asplenia, a transplant or an earlier
anaphylaxis. They may lie years back, so the table holds all months and is small. Elsewhere: how many days are enough
(`vaccine_months.py`), chronic conditions of the last twelve months (`member_conditions.py`).
"""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from claims_assets import columns as c
from claims_assets.bronze.claim_links import MEDICAL
from claims_assets.contracts import Contract
from claims_assets.features.evidence import DIAGNOSES, ICD_10_CM_FROM, is_test_only
from claims_assets.features.vaccine_schedule import CONDITION_CODES, coded_conditions
from claims_assets.silver.codes import counts_as_cost, is_inpatient
from claims_assets.sources.code_sets import ICD_9_CM, ICD_10_CM, fingerprint
from claims_assets.table import Whole, table

OPEN = "9999"
"""Later than any month."""


class VaccineConditionDays(Contract):
    """Days that name a condition: one row per member, condition, day, kind of day and run of months in which it stood.

    Of paid claims, as in `gold.member_conditions`: every position counts, lines that bill tests only do not.
    """

    member_id: str = c.member_id()
    condition: str = c.required("Condition of vaccine_condition_codes.csv.")
    service_date: c.Date = c.required("First day of the service that named it.")
    is_inpatient: bool = c.flag("Named by an inpatient stay.")
    first_month: str = c.required("First as-of month that it speaks of: its own month, or the one it was known in.")
    last_month: str = c.month("Last as-of month before the claim was voided or replaced; NULL: it stands.")

    class Config:
        unique = ["member_id", "condition", "service_date", "is_inpatient", "first_month"]


@table(
    VaccineConditionDays,
    partitioned=False,
    domain="risk",
    span=("first_month", "last_month"),
    code_version=fingerprint(CONDITION_CODES),
)
def vaccine_condition_days(silver_claim_versions: Whole) -> DataFrame:
    """Every day of every year on which a paid claim names one of the conditions."""
    lines = silver_claim_versions.where((F.col("claim_feed") == MEDICAL) & counts_as_cost() & ~is_test_only())
    before = F.coalesce(F.col("service_from_date") < F.lit(ICD_10_CM_FROM), F.lit(False))
    told = lines.select(
        "member_id",
        F.col("service_from_date").alias("service_date"),
        is_inpatient().alias("is_inpatient"),
        F.greatest("known_from", "claim_month").alias("first_month"),
        F.coalesce("cancelled_on", F.lit(OPEN)).alias("_end"),
        F.when(before, ICD_9_CM).otherwise(ICD_10_CM).alias("code_system"),
        F.explode(F.array_compact(F.array(*DIAGNOSES))).alias("code"),
    )
    month_before = F.add_months(F.to_date(F.concat("_end", F.lit("-01"))), -1)
    return (
        told.where(F.col("_end") > F.col("first_month"))
        .join(_named(told), ["code_system", "code"])
        .groupBy("member_id", "condition", "service_date", "is_inpatient", "first_month")
        .agg(F.max("_end").alias("_end"))
        .withColumn("last_month", F.when(F.col("_end") != OPEN, F.date_format(month_before, "yyyy-MM")))
        .drop("_end")
    )


def _named(told: DataFrame) -> DataFrame:
    """Each code of the claims that names a condition, with the condition: a code is matched once, not once a line."""
    rows = [(name, *code) for name, condition in coded_conditions().items() for code in condition.codes]
    lists = told.sparkSession.createDataFrame(rows, "condition string, code_system string, beginning string")
    codes = told.select("code_system", "code").distinct()
    found = codes.join(lists, "code_system").where(F.col("code").startswith(F.col("beginning")))
    return found.select("code_system", "code", "condition").distinct()
