"""Member months: one row per member and month with at least one enrolled day, with who the member was then.

Here: the table as all records say today, and the attributes as of the month. Elsewhere: the same as it was known at
the end of each month (`silver/member_months_as_known.py`), which records stand (`silver/eligibility.py`), days and gaps
(`silver/enrolment.py`), the vocabulary (`silver/demographics.py`), the history of attributes (`silver/members.py`).
"""

from collections.abc import Sequence

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from claims_assets import columns as c
from claims_assets.contracts import Contract, rule
from claims_assets.silver.demographics import (
    AGE_GROUPS,
    ATTRIBUTES,
    ETHNICITIES,
    GENDERS,
    RACES,
    age_group,
    age_on,
    with_common_words,
)
from claims_assets.silver.eligibility import MEMBER, enrolment_spans, standing_records
from claims_assets.silver.enrolment import DAY_DIGITS, DAYS_OF_YEAR, by_month, enrolment_by_month, last_day
from claims_assets.table import Spans, table

AGE = {"min_value": 0, "max_value": 120}
"""Years; the range that the source system's quality rules hold to be plausible."""


class MemberMonths(Contract):
    """Member months: one row per member and month with at least one enrolled day."""

    member_id: str = c.member_id()
    claim_month: str = c.claim_month()
    birth_date: c.Date = c.optional("Date of birth.")
    age: c.Whole = c.optional("Completed years on the last day of the month; 0 before birth.", in_range=AGE)
    age_group: str = c.optional("0-17, 18-44, 45-64 or 65+.", isin=AGE_GROUPS)
    gender: str = c.required("M, F or U.", isin=GENDERS)
    race: str = c.required("One of seven groups or Unknown.", isin=RACES)
    ethnicity: str = c.required("Hispanic, Not Hispanic or Unknown.", isin=ETHNICITIES)
    zip_code: str = c.optional("Five digits.", str_matches=r"^[0-9]{5}$")
    county: str = c.optional("County as written.")
    language: str = c.optional("Language as written.")
    eligibility_category: str = c.optional("Eligibility category as written.")
    aid_category: str = c.optional("Aid category as written.")
    dual_eligible: bool = c.optional("Has Medicare too; NULL: not reported.")
    ltss_indicator: bool = c.optional("Gets long-term services and supports; NULL: not reported.")
    smoker: bool = c.optional("Smokes; NULL: not reported.")
    bmi: c.Number = c.optional("Body mass index, kg/m2.")
    household_id: str = c.optional("Household.")
    death_date: c.Date = c.optional("Day of death, in the month of death only: no earlier month knows of it.")
    enrolled_days: c.Whole = c.required("Days enrolled in the month.", in_range={"min_value": 1, "max_value": 31})
    days_in_month: c.Whole = c.required("Days of the month.", in_range={"min_value": 28, "max_value": 31})
    enrolled_share: c.Number = c.share("Enrolled days over the days of the month.")
    enrolled_since: c.Date = c.required("First day of the enrolment without gap that reaches latest into the month.")
    enrolment_by_day: str = c.required(
        "One digit a day of the month, the first day first: 1 enrolled, 0 not.", str_matches=DAY_DIGITS
    )
    enrolled_days_12mo: c.Whole = c.required(
        "Days enrolled in the twelve months up to the month's end.", in_range=DAYS_OF_YEAR
    )
    gap_count_12mo: c.Whole = c.required(
        "Runs of days without enrolment in those twelve months, one before the first enrolment included.", ge=0
    )
    longest_gap_days_12mo: c.Whole = c.required("Days of the longest of them; 0: none.", in_range=DAYS_OF_YEAR)
    continuously_enrolled_12mo: bool = c.flag("At most one gap, of at most 45 days, in those twelve months.")

    class Config:
        unique = ["member_id", "claim_month"]
        metadata = {
            "rules": {
                "enrolled_days_fit_the_month": rule("enrolled_days <= days_in_month", severity="block"),
                "enrolment_by_day_has_every_day": rule("length(enrolment_by_day) = days_in_month", severity="block"),
                "enrolment_by_day_counts_the_days": rule(
                    "length(replace(enrolment_by_day, '0', '')) = enrolled_days", severity="block"
                ),
            }
        }


@table(MemberMonths, domain="members")
def member_months(bronze_member_eligibility: Spans, months: list[str]) -> DataFrame:
    """Members enrolled on any day of the asked months, with the attributes of the latest record in force then.

    Spans without an end count as enrolled to the end of the month. What comes after it changes nothing.
    """
    return described_months(standing_records(bronze_member_eligibility), months)


def described_months(records: DataFrame, months: list[str], of: Sequence[str] = MEMBER) -> DataFrame:
    """Enrolment and attributes of the asked months.

    Args:
        records: `standing_records`, or `records_as_known` with `of` = MEMBER_AS_KNOWN.
        months: the asked ones.
        of: whose records are read together.
    """
    enrolled = enrolment_by_month(enrolment_spans(records, last_day(max(months)), of), months, of)
    in_force = _record_in_force(records, months, of)
    described = records.transform(with_common_words).select(*of, "effective_date", "died_on", *ATTRIBUTES)
    return (
        enrolled.join(in_force, [*of, "claim_month"]).join(described, [*of, "effective_date"]).transform(_as_of_month)
    )


def _record_in_force(records: DataFrame, months: list[str], of: Sequence[str]) -> DataFrame:
    """For each member and asked month the effective date of the latest record that is in force on a day of it."""
    until = F.lit(last_day(max(months)))
    days = records.select(*of, "effective_date", F.coalesce("ends_on", until).alias("end"))
    following = Window.partitionBy(*of).orderBy("effective_date")
    # A record that the next one outlives says nothing from that one's first day on. Without this cut a feed that sends
    # an open record a month would repeat each of them to the end: 666 rows for one member's three years.
    outlived = F.lead("end").over(following) >= F.col("end")
    reach = F.when(outlived, F.least("end", F.lead("effective_date").over(following))).otherwise(F.col("end"))
    return (
        days.withColumn("reach", reach)
        .transform(lambda d: by_month(d, F.col("effective_date"), F.col("reach"), months, of))
        .groupBy(*of, "claim_month")
        .agg(F.max("effective_date").alias("effective_date"))
    )


def _as_of_month(rows: DataFrame) -> DataFrame:
    """Ages, shares and death as they stand on the last day of the month."""
    last = F.last_day(F.concat("claim_month", F.lit("-01")))
    days = F.dayofmonth(last)
    return (
        rows.withColumn("days_in_month", days)
        .withColumn("enrolled_share", F.col("enrolled_days").cast("double") / days.cast("double"))
        .withColumn("death_date", F.when(F.col("died_on") <= last, F.col("died_on")))
        .withColumn("age", age_on(F.col("birth_date"), last))
        .withColumn("age_group", age_group(F.col("age")))
    )
