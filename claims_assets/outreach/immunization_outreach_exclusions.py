"""Who is not on the outreach list, and the one primary reason: with the list it holds every enrolled member once."""

from pyspark.sql import DataFrame

from claims_assets import columns as c
from claims_assets.contracts import Contract
from claims_assets.outreach.candidates import EXCLUSIONS, candidates
from claims_assets.table import LastYear, Whole, table


class ImmunizationOutreachExclusions(Contract):
    """Enrolled members who are not to be contacted: one row per member and as-of month."""

    member_id: str = c.member_id()
    claim_month: str = c.claim_month()
    exclusion_reason: str = c.required("The first reason that holds.", isin=EXCLUSIONS)
    last_influenza_dose_date: c.Date = c.optional("Last influenza dose of the season, the evidence for `complete`.")

    class Config:
        unique = ["member_id", "claim_month"]


@table(ImmunizationOutreachExclusions, domain="outreach")
def immunization_outreach_exclusions(
    silver_member_months_as_known: DataFrame, silver_immunizations: LastYear, bronze_member_contacts: Whole
) -> DataFrame:
    """Members whom death, age, a dose, or an opt-out of every channel keeps off the list."""
    everyone = candidates(silver_member_months_as_known, silver_immunizations, bronze_member_contacts)
    return everyone.where("exclusion_reason is not null")
