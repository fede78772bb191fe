"""Whom to contact about missing vaccines: one row per member to be contacted and as-of month, most urgent first.

Here: the listed rows of `immunization_targeting.py`, with what a call centre needs. Elsewhere: how they were chosen
(there), who is not listed and why (`immunization_outreach_exclusions.py`), the constants (`formulas.py`).
"""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from claims_assets import columns as c
from claims_assets.contracts import Contract
from claims_assets.features.scores import RISK_TIERS
from claims_assets.outreach import formulas
from claims_assets.outreach.immunization_targeting import HUNDRED, LISTED
from claims_assets.outreach.policy import CHANNELS
from claims_assets.predictions.scoring import MODEL_STATUSES
from claims_assets.table import table


class ImmunizationMasterOutreachList(Contract):
    """Members to contact about missing vaccines: one row per member and as-of month.

    No dose on file is not proof of no dose: it may have been paid in cash, by another payer or in another state.
    """

    member_id: str = c.member_id()
    claim_month: str = c.claim_month()
    outreach_rank: c.Whole = c.required("Place in the month's list, households together, 1 first.", ge=1)
    outreach_tier: str = c.required("Tier of the outreach score.", isin=[t[1] for t in formulas.TIERS])
    recommended_channel: str = c.required("Contact that the tier recommends.", isin=[t[2] for t in formulas.TIERS])
    contact_channel: str = c.required("Channel to use.", isin=list(CHANNELS))
    also_by_mail: bool = c.flag("A letter goes out beside the call.")
    contact_week: c.Whole = c.required("Week of the contact, 1 first.", ge=1)
    letter_week: c.Whole = c.optional("Week of the letter beside the call; NULL: none.", ge=1)
    contact_member_id: str = c.required(
        "Who is contacted: the member, or for a minor an adult of the household, or the first sibling whose guardian it"
        " is."
    )
    reachable_channels: c.Words = c.required("Channels on file, of whom is contacted, that nobody opted out of.")
    reason: str = c.required("Why the member is listed, in this tier and through this channel.")
    outreach_priority_score: c.Number = c.required("0-100, decides tier and rank.", in_range=HUNDRED)
    immunization_priority_score: c.Number = c.required("0-100 from tier, age, conditions.", in_range=HUNDRED)
    vaccines_due: c.Words = c.required("Vaccines whose dose is due now, the overdue ones included.")
    vaccines_overdue: c.Words = c.required("Vaccines whose dose is overdue.")
    vaccines_no_evidence: c.Words = c.required("Vaccines to ask about: a dose may have been given elsewhere.")
    vaccines_contraindicated: c.Words = c.required("Vaccines that must not be given.")
    first_due_since: c.Date = c.optional("Since when the oldest due or overdue dose is due; NULL: none, or not dated.")
    estimated_preventable_cost: c.Money = c.required("USD an avoided admission would save; an assumption.", ge=0)
    risk_tier: str = c.required("Risk tier as of the month.", isin=list(RISK_TIERS))
    chronic_condition_count: c.Count = c.count("Chronic conditions as of the month.")
    high_risk_score: c.Number = c.share("Score of high_risk_predictor.")
    er_utilization_risk_score: c.Number = c.share("Score of er_utilization_predictor.")
    high_cost_risk_score: c.Number = c.share("Score of high_cost_predictor.")
    predicted_total_cost: c.Number = c.required("Next twelve months, USD.", ge=0)
    model_status: str = c.required("Which kind of model scored the row.", isin=list(MODEL_STATUSES))
    age: c.Whole = c.optional("Completed years at the end of the month.", ge=0)
    gender: str = c.optional("M, F or U.")
    county: str = c.optional("County of residence.")
    zip_code: str = c.optional("ZIP, 5 digits.")
    household_id: str = c.optional("Household, so that one call serves all its members.")
    preferred_language: str = c.optional("From the contact file, else from eligibility.")
    last_contacted_at: c.Date = c.optional("Last contact by the end of the month.")

    class Config:
        unique = ["member_id", "claim_month"]


@table(ImmunizationMasterOutreachList, domain="outreach")
def immunization_master_outreach_list(gold_immunization_targeting: DataFrame) -> DataFrame:
    """The members whom the policy's capacity reaches, scored, tiered and ranked."""
    return gold_immunization_targeting.where(F.col("disposition") == LISTED)
