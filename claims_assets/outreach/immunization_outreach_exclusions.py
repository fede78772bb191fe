"""Who is not on the outreach list, and the one primary reason: with the list it holds every enrolled member once."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from claims_assets import columns as c
from claims_assets.contracts import Contract
from claims_assets.outreach.immunization_targeting import EXCLUDED
from claims_assets.outreach.standing import EXCLUSIONS
from claims_assets.table import table


class ImmunizationOutreachExclusions(Contract):
    """Enrolled members who are not to be contacted: one row per member and as-of month."""

    member_id: str = c.member_id()
    claim_month: str = c.claim_month()
    exclusion_reason: str = c.required("The first reason that holds.", isin=list(EXCLUSIONS))
    reason: str = c.required("The same in a sentence, with the day or the vaccines that decided.")
    vaccines_due: c.Words = c.required("Vaccines whose dose is due now all the same.")
    vaccines_no_evidence: c.Words = c.required("Vaccines without a dose on file that may have been given elsewhere.")
    vaccines_to_discuss: c.Words = c.required("Vaccines that a clinician decides about.")
    vaccines_contraindicated: c.Words = c.required("Vaccines that must not be given.")
    vaccines_complete: c.Words = c.required("Vaccines with evidence of all doses.")
    vaccines_not_yet: c.Words = c.required("Vaccines whose next dose is due later.")
    dose_evidence: c.Words = c.required("The evidence of `complete`: source ids of the doses, as `vaccine: ids`.")
    last_contacted_at: c.Date = c.optional("The evidence of `cooldown`: last contact by the end of the month.")
    last_hospice_date: c.Date = c.optional("The evidence of `hospice`: last day of it within a year.")
    is_holdout: bool = c.flag("The household is held out for comparison in this program year.")

    class Config:
        unique = ["member_id", "claim_month"]


@table(ImmunizationOutreachExclusions, domain="outreach")
def immunization_outreach_exclusions(gold_immunization_targeting: DataFrame) -> DataFrame:
    """Members who are kept off the list, the held-out households among them."""
    return gold_immunization_targeting.where(F.col("disposition") == EXCLUDED)
