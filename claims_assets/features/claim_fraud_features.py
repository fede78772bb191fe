"""What fraud models know of a claim: the claim, its member and provider, and what both did in the year before.

Here: the columns; every derived input is defined here and nowhere else. Elsewhere: what can't be true of a claim
(`claim_combinations.py`), what a model makes of the columns (`models/fraud_artifact.py`), the rules of thumb
(`predictions/fraud_rules.py`). A month reads the twelve months before it and never a later day, so it is the same
whichever months are built with it.
"""

from typing import Annotated

from pyspark.sql import DataFrame
from pyspark.sql import Window as Over
from pyspark.sql import functions as F

from claims_assets import columns as c
from claims_assets.contracts import Contract
from claims_assets.features.claim_combinations import (
    QUARTER_HOURS,
    VISIT,
    VISIT_PLACES,
    impossible_combinations,
)
from claims_assets.partitions import MONTH
from claims_assets.silver.demographics import GENDERS, age_on
from claims_assets.silver.member_months import AGE
from claims_assets.table import Whole, Window, table

YEAR_BEFORE = Annotated[DataFrame, Window(13)]
"""The month and the twelve before it: they hold the 365 days before each day of the month."""
DAYS_BEFORE, DAYS_OF_MONTH, DAYS_OF_WEEK = 365, 30, 7
DAYS_A_YEAR = 365.25
SEPARATE = ("59", "XE", "XP", "XS", "XU")
"""Modifiers that say a procedure is separate from the others of the day; CMS, NCCI policy manual, chapter 1."""
KEY = ("claim_id", MONTH)
LINE_COLUMNS = (
    *KEY, "claim_line_number", "member_id", "provider_id", "provider_key", "service_from_date", "service_to_date",
    "claim_status", "claim_type", "diagnosis_code_1", "procedure_code_1", "place_of_service", "inpatient_flag",
    "admit_date", "discharge_date", "amount", "allowed_amount", "units", "day_units", "visit_day_units",
    "quarter_day_units", "is_separate",
)  # fmt: skip
"""What is used of a line; the wide rest would take the engine's memory along."""


class ClaimFraudFeatures(Contract):
    """Inputs of fraud models: one row per claim and claim month of the medical claims that stand, paid or not."""

    claim_id: str = c.claim_id()
    claim_month: str = c.claim_month()
    member_id: str = c.member_id()
    provider_id: str = c.optional("Provider of most of the amount's line.")
    service_from_date: c.Date = c.required("First day of service in the month.")
    claim_status: str = c.required("PAID, DENIED or PENDING; missing counts as PAID.")

    claim_amount: c.Number = c.optional("Billed, all lines; where nothing is billed: allowed, else paid. USD.")
    patient_age: c.Whole = c.optional("Completed years on the first day; NULL: not enrolled, or unknown.", in_range=AGE)
    provider_experience_years: c.Number = c.optional(
        "Years from the provider's first active day to the first day of service, at least 0; NULL: day unknown.", ge=0.0
    )
    days_since_last_claim: c.Whole = c.optional(
        "Days since the member's last earlier day with a claim; NULL: none in 365 days.",
        in_range={"min_value": 1, "max_value": DAYS_BEFORE},
    )
    num_previous_claims: c.Count = c.count("Claims of the member in the 365 days before the first day.")
    average_claim_amount: c.Number = c.optional("Mean claim_amount of those, USD; NULL: none.")
    claim_duration_days: c.Whole = c.required("Days from the first to the last day of service, both counted.", ge=1)

    claim_type: str = c.optional("IP, OP, ER, PROF, LTC or DENTAL.")
    provider_specialty: str = c.optional("Specialty of the provider on the first day, as written.")
    diagnosis_code: str = c.optional("First diagnosis, without dot.")
    procedure_code: str = c.optional("Procedure of the line with the largest amount.")
    patient_gender: str = c.optional("M, F or U; NULL: not enrolled in the month.", isin=GENDERS)
    geographic_region: str = c.optional("County of the member in the month, upper case; else the first three of ZIP.")

    place_of_service: str = c.optional("Place of service of the line with the largest amount.")
    allowed_amount: c.Number = c.optional("Allowed, all lines, USD; NULL unless the claim is paid with an amount.")
    line_count: c.Count = c.count("Lines.")
    service_units: c.Number = c.required("Most units of one line; missing counts as 1, a negative number as it is.")
    units_per_day: c.Number = c.required("Most units of one line for each day of that line.")
    distinct_procedures: c.Count = c.count("Procedures that the provider bills for the member on the first day.")
    repeated_lines: c.Count = c.count("Lines of that day beyond the first with the same procedure.")
    separate_lines: c.Count = c.count("Lines whose modifier says that they are separate from the others.")
    claims_same_day: c.Count = c.count("Claims of the member that begin on the same day, this one included.")
    claims_week: c.Count = c.count("Claims of the member in the 7 days up to the first day, that day's included.")
    claims_month: c.Count = c.count("The same in 30 days.")
    previous_claims_with_provider: c.Count = c.count("Claims of the member with the provider in the 365 days before.")
    provider_claims_same_day: c.Count = c.count("Claims of the provider that begin on the same day, all members.")
    is_provider_of_region: bool = c.optional("Provider and member share the first three digits of their ZIP codes.")
    impossible_combinations: c.Words = c.required("What excludes itself in the claim, by name; often empty.")
    impossible_count: c.Whole = c.required("How many they are.", ge=0)

    class Config:
        unique = ["claim_id", "claim_month"]


@table(ClaimFraudFeatures, domain="risk")
def claim_fraud_features(
    silver_medical_claims: YEAR_BEFORE,
    silver_member_months: DataFrame,
    silver_providers: Whole,
    months: list[str],
) -> DataFrame:
    """Claims of the asked months with what was so on their first day, and in the year before it."""
    lines = silver_medical_claims.transform(_priced)
    asked = lines.where(F.col(MONTH).isin(months))
    counted = lines.transform(_claims).transform(_with_history).where(F.col(MONTH).isin(months))
    return (
        counted.join(_services_of_day(asked), ["member_id", "provider_key", "service_from_date"], "left")
        .join(_during_stay(asked, lines), list(KEY), "left")
        .transform(_with_member, silver_member_months)
        .transform(_with_provider, silver_providers)
        .transform(_finished)
    )


def _priced(lines: DataFrame) -> DataFrame:
    """Lines with the numbers that a claim adds up."""
    units = F.coalesce(F.col("service_units"), F.lit(1)).cast("double")
    days = F.greatest(F.datediff(F.coalesce("service_to_date", "service_from_date"), "service_from_date") + 1, F.lit(1))
    is_visit, in_quarters = F.col("procedure_code_1").rlike(VISIT), F.col("procedure_code_1").isin(*QUARTER_HOURS)
    modifiers = [F.coalesce(F.col(f"procedure_modifier_{i}").isin(*SEPARATE), F.lit(False)) for i in (1, 2)]
    return lines.withColumns(
        {
            "amount": F.coalesce("billed_amount", "allowed_amount", "paid_amount"),
            "provider_key": F.coalesce("provider_id", F.lit("")),
            "units": units,
            "day_units": units / days.cast("double"),
            "visit_day_units": F.when(is_visit, units / days.cast("double")),
            "quarter_day_units": F.when(in_quarters, units / days.cast("double")),
            "is_separate": (modifiers[0] | modifiers[1]).cast("int"),
        }
    ).select(*LINE_COLUMNS)


def _claims(lines: DataFrame) -> DataFrame:
    """One row a claim and month; what a line says is taken from the line with the largest amount."""
    by_size = Over.partitionBy(*KEY).orderBy(F.desc_nulls_last("amount"), "claim_line_number")
    # Not max of a struct: one engine keeps every text of every group in memory for it.
    ranked = lines.withColumn("is_largest", F.row_number().over(by_size) == 1)
    said = {
        "claim_type": "claim_type",
        "diagnosis_code_1": "diagnosis_code",
        "procedure_code_1": "procedure_code",
        "place_of_service": "place_of_service",
        "provider_id": "provider_id",
    }
    grouped = ranked.groupBy(*KEY).agg(
        F.min("member_id").alias("member_id"),
        F.min("service_from_date").alias("service_from_date"),
        F.max("service_to_date").alias("service_to_date"),
        F.max(F.coalesce("claim_status", F.lit("PAID"))).alias("claim_status"),
        F.sum("amount").cast("double").alias("claim_amount"),
        F.sum("allowed_amount").cast("double").alias("allowed"),
        F.count("*").alias("line_count"),
        F.max("units").alias("service_units"),
        F.max("day_units").alias("units_per_day"),
        F.max("visit_day_units").alias("visit_units_per_day"),
        F.max("quarter_day_units").alias("quarter_hours_per_day"),
        F.sum("is_separate").alias("separate_lines"),
        *[F.max(F.when(F.col("is_largest"), F.col(name))).alias(alias) for name, alias in said.items()],
    )
    return grouped.withColumns(
        {
            "provider_key": F.coalesce("provider_id", F.lit("")),
            "day": F.datediff("service_from_date", F.lit("1970-01-01").cast("date")),
        }
    )


def _with_history(claims: DataFrame) -> DataFrame:
    """What the member, and the provider, did before and on the first day."""
    member = Over.partitionBy("member_id").orderBy("day")
    pair = Over.partitionBy("member_id", "provider_key").orderBy("day")
    before = member.rangeBetween(-DAYS_BEFORE, -1)
    return claims.withColumns(
        {
            "num_previous_claims": F.count("*").over(before),
            "last_day": F.max("day").over(before),
            # Of whole cents: a sum of doubles would depend on the order of the claims.
            "cents_before": F.sum(F.floor(F.col("claim_amount") * 100 + 0.5)).over(before),
            "amounts_before": F.count("claim_amount").over(before),
            "claims_week": F.count("*").over(member.rangeBetween(1 - DAYS_OF_WEEK, 0)),
            "claims_month": F.count("*").over(member.rangeBetween(1 - DAYS_OF_MONTH, 0)),
            "claims_same_day": F.count("*").over(member.rangeBetween(0, 0)),
            "previous_claims_with_provider": F.count("*").over(pair.rangeBetween(-DAYS_BEFORE, -1)),
            "provider_claims_same_day": F.count("*").over(Over.partitionBy("provider_key", "day")),
        }
    )


def _services_of_day(lines: DataFrame) -> DataFrame:
    """Procedures that a provider bills for a member on a day, and lines that repeat one."""
    day = ["member_id", "provider_key", "service_from_date"]
    each = (
        lines.where(F.col("procedure_code_1").isNotNull())
        .groupBy(*day, "procedure_code_1")
        .agg(F.count("*").alias("n"))
    )
    return each.groupBy(*day).agg(
        F.count("*").alias("distinct_procedures"), F.sum(F.col("n") - 1).alias("repeated_lines")
    )


def _during_stay(asked: DataFrame, lines: DataFrame) -> DataFrame:
    """Claims with a visit in an office or at home strictly inside a hospital stay of the member."""
    stays = (
        lines.where("inpatient_flag and discharge_date > admit_date")
        .select("member_id", "admit_date", "discharge_date", F.col(MONTH).alias("stay_month"))
        .distinct()
    )
    visits = asked.where(F.col("place_of_service").isin(*VISIT_PLACES)).select(*KEY, "member_id", "service_from_date")
    inside = (F.col("service_from_date") > F.col("admit_date")) & (F.col("service_from_date") < F.col("discharge_date"))
    # What is not read when the month is built alone must not count when others are built with it.
    first, stayed = (F.concat(m, F.lit("-01")).cast("date") for m in (MONTH, "stay_month"))
    is_read = F.datediff(first, stayed).between(0, DAYS_BEFORE + 1)
    found = visits.join(stays, "member_id").where(inside & is_read)
    return found.select(*KEY).distinct().withColumn("during_stay", F.lit(True))


def _with_member(claims: DataFrame, member_months: DataFrame) -> DataFrame:
    of_member = member_months.select(
        "member_id",
        MONTH,
        "birth_date",
        "death_date",
        F.col("gender").alias("patient_gender"),
        F.upper(F.coalesce("county", F.substring("zip_code", 1, 3))).alias("geographic_region"),
        F.substring("zip_code", 1, 3).alias("member_area"),
    )
    return claims.join(of_member, ["member_id", MONTH], "left")


def _with_provider(claims: DataFrame, providers: DataFrame) -> DataFrame:
    """The provider's version of the first day: each holds until the next, the first one also before it."""
    versions = Over.partitionBy("provider_id").orderBy(F.asc_nulls_first("active_from"))
    tiled = providers.select(
        F.col("provider_id").alias("provider_key"),
        F.when(F.row_number().over(versions) > 1, F.col("active_from")).alias("from_day"),
        F.lead("active_from").over(versions).alias("until_day"),
        F.min("active_from").over(Over.partitionBy("provider_id")).alias("first_active"),
        F.max(F.col("active_from").isNull()).over(Over.partitionBy("provider_id")).alias("since_ever"),
        F.col("specialty").alias("provider_specialty"),
        F.substring("zip_code", 1, 3).alias("provider_area"),
    )
    day = F.col("service_from_date")
    in_force = (
        (F.col("provider_key") == F.col("_provider"))
        & (F.col("from_day").isNull() | (F.col("from_day") <= day))
        & (F.col("until_day").isNull() | (day < F.col("until_day")))
    )
    return claims.join(tiled.withColumnRenamed("provider_key", "_provider"), in_force, "left")


def _finished(claims: DataFrame) -> DataFrame:
    """What follows from the columns of one row."""
    is_paid = (F.col("claim_status") == "PAID") & (F.col("allowed") > 0)
    served = F.when(~F.col("since_ever"), F.datediff("service_from_date", "first_active"))
    # Not greatest alone: it skips a missing number, and who is unknown would be new.
    experience = F.when(served.isNotNull(), F.greatest(served, F.lit(0)))
    length = F.datediff("service_to_date", "service_from_date") + 1
    whole = claims.withColumns(
        {
            "patient_age": age_on(F.col("birth_date"), F.col("service_from_date")),
            "provider_experience_years": experience.cast("double") / DAYS_A_YEAR,
            "days_since_last_claim": (F.col("day") - F.col("last_day")).cast("int"),
            "average_claim_amount": F.col("cents_before").cast("double")
            / F.nullif(F.col("amounts_before"), F.lit(0))
            / 100.0,
            "claim_duration_days": F.greatest(F.coalesce(length, F.lit(1)), F.lit(1)).cast("int"),
            "allowed_amount": F.when(is_paid, F.col("allowed")),
            "distinct_procedures": F.coalesce("distinct_procedures", F.lit(0)),
            "repeated_lines": F.coalesce("repeated_lines", F.lit(0)),
            "is_provider_of_region": F.col("member_area") == F.col("provider_area"),
        }
    )
    named = whole.withColumn("impossible_combinations", impossible_combinations())
    return named.withColumn("impossible_count", F.size("impossible_combinations").cast("int"))
