"""The months in which members were enrolled, as it was known at the end of a month: also of those who have left since.

Here: the table. Elsewhere: who is enrolled in a month and how (`silver/member_months_as_known.py`), which records were
known when (`silver/known_records.py`).
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from claims_assets import columns as c
from claims_assets.contracts import Contract
from claims_assets.silver.eligibility import MEMBER_AS_KNOWN, enrolment_spans
from claims_assets.silver.enrolment import by_month, last_day
from claims_assets.silver.known_records import records_as_known
from claims_assets.table import WholeAsKnown, table

MONTHS_TOLD = 27
"""A year before an index month, the year after it, and the three months in which late news of that year comes in."""


class EnrolmentAsKnown(Contract):
    """Enrolment as known then: one row per as-of month and member with an enrolled day in the 27 months up to it."""

    member_id: str = c.member_id()
    claim_month: str = c.required("As-of month: only records known by its end count.", str_matches=c.MONTH_PATTERN)
    enrolled_months: str = c.required(
        "One digit a month, that of 26 months before first, the as-of month last: 1 with an enrolled day, 0 without.",
        str_matches=rf"^[01]{{{MONTHS_TOLD}}}$",
    )
    died_on: c.Date = c.optional("Day of death, up to the end of the as-of month.")

    class Config:
        unique = ["member_id", "claim_month"]


@table(EnrolmentAsKnown, domain="members")
def enrolment_as_known(bronze_member_eligibility: WholeAsKnown, months: list[str]) -> DataFrame:
    """Months with an enrolled day, by the records received by the end of each asked month."""
    records = records_as_known(bronze_member_eligibility, months)
    spans = enrolment_spans(records, last_day(max(months)), MEMBER_AS_KNOWN)
    told = by_month(spans, F.col("span_start"), F.add_months("span_end", MONTHS_TOLD - 1), months, MEMBER_AS_KNOWN)
    deaths = records.groupBy(*MEMBER_AS_KNOWN).agg(F.max("died_on").alias("_died"))
    end = F.last_day(F.concat("claim_month", F.lit("-01")))
    return (
        told.groupBy(*MEMBER_AS_KNOWN, "claim_month")
        .agg(F.bit_or(_digits(end)).alias("digits"))
        .join(deaths, list(MEMBER_AS_KNOWN))
        .select(
            "member_id",
            "claim_month",
            F.lpad(F.bin("digits"), F.lit(MONTHS_TOLD), F.lit("0")).alias("enrolled_months"),
            F.when(F.col("_died") <= end, F.col("_died")).alias("died_on"),
        )
    )


def enrolled_in(first: int, last: int) -> Column:
    """How many of some months a row of `silver.enrolment_as_known` holds as enrolled.

    Args:
        first: months before the as-of month, of the oldest month that counts.
        last: the same of the newest one, included; 0 is the as-of month itself.
    """
    digits = F.substring("enrolled_months", MONTHS_TOLD - first, first - last + 1)
    return F.length(F.regexp_replace(digits, "0", ""))


def _digits(end: Column) -> Column:
    """The months of a span as binary digits, the as-of month the lowest; those out of the months told are cut off."""
    month = F.year(end) * 12 + F.month(end)
    newest = F.greatest(month - _month("span_end"), F.lit(0))
    oldest = F.least(month - _month("span_start"), F.lit(MONTHS_TOLD - 1))
    return (F.pow(F.lit(2), oldest + 1) - F.pow(F.lit(2), newest)).cast("bigint")


def _month(day: str) -> Column:
    return F.year(day) * 12 + F.month(day)
