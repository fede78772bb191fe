"""Days of hospice care, with when they were known: whoever had one within a year is not asked to be vaccinated.

Here: the codes of `sources/code_sets/hospice_codes.csv` found in claims; the table holds all months and is small.
Elsewhere: who is excluded by it (`outreach/immunization_targeting.py`).
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from claims_assets import columns as c
from claims_assets.bronze.claim_links import MEDICAL
from claims_assets.contracts import Contract
from claims_assets.silver.codes import counts_as_cost
from claims_assets.sources.code_sets import fingerprint, hospice_codes
from claims_assets.table import Whole, table

HOSPICE_CODES = "hospice_codes.csv"
LOOK_BACK_MONTHS = 12
"""As-of months that a day of hospice speaks of, its own included; quality measures exclude the measure year (AIS-E)."""
OPEN = "9999-12"
"""Later than any month."""


class HospiceDays(Contract):
    """Days of hospice care: one row per member, day and run of months in which its claim stood.

    Of paid claims. The months are those for whose lists it counts: the year that begins with the month of service, not
    before it was known, not after its claim was voided or replaced.
    """

    member_id: str = c.member_id()
    service_date: c.Date = c.required("First day of the service.")
    first_month: str = c.required("First as-of month that it speaks of.", str_matches=c.MONTH_PATTERN)
    last_month: str = c.required("Last as-of month that it speaks of.", str_matches=c.MONTH_PATTERN)

    class Config:
        unique = ["member_id", "service_date", "first_month"]


@table(
    HospiceDays,
    partitioned=False,
    domain="risk",
    span=("first_month", "last_month"),
    code_version=fingerprint(HOSPICE_CODES),
)
def hospice_days(silver_claim_versions: Whole) -> DataFrame:
    """Every day on which a paid claim bills hospice care."""
    told = silver_claim_versions.where((F.col("claim_feed") == MEDICAL) & counts_as_cost() & is_hospice()).select(
        "member_id",
        F.col("service_from_date").alias("service_date"),
        F.greatest("known_from", "claim_month").alias("first_month"),
        F.least(
            _moved(F.coalesce("cancelled_on", F.lit(OPEN)), -1), _moved(F.col("claim_month"), LOOK_BACK_MONTHS - 1)
        ).alias("last_month"),
    )
    return (
        told.where(F.col("last_month") >= F.col("first_month"))
        .groupBy("member_id", "service_date", "first_month")
        .agg(F.max("last_month").alias("last_month"))
    )


def is_hospice() -> Column:
    """The line bills hospice care: by revenue code, type of bill, procedure or place of service."""
    found = F.col("revenue_code").isin(*hospice_codes("revenue"))
    for column, kind in (
        (F.substring("bill_type_code", 1, 3), "bill_type"),
        (F.col("procedure_code_1"), "procedure"),
        (F.col("procedure_code_2"), "procedure"),
        (F.col("place_of_service"), "place_of_service"),
    ):
        found = F.coalesce(found, F.lit(False)) | F.coalesce(column.isin(*hospice_codes(kind)), F.lit(False))
    return found


def _moved(month: Column, months: int) -> Column:
    return F.date_format(F.add_months(F.to_date(F.concat(month, F.lit("-01"))), months), "yyyy-MM")
