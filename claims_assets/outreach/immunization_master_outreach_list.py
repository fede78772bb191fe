"""Whom to contact about a missing vaccine: one row per member to be contacted and as-of month, most urgent first.

Here: who is listed, with the score, tier and channel. Elsewhere: who is not listed and why
(`immunization_outreach_exclusions.py`), the constants (`formulas.py`). Influenza is the vaccine of this first form;
a claim, fill or registry dose closes the gap. No evidence is not proof of no dose: a member may have paid cash.
"""

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from claims_assets import columns as c
from claims_assets.contracts import Contract
from claims_assets.outreach import formulas
from claims_assets.outreach.candidates import INFLUENZA, candidates
from claims_assets.predictions.member_risk_predictions import MODEL_STATUSES
from claims_assets.table import LastYear, Whole, table

SCORES = (
    "high_risk_score",
    "er_utilization_risk_score",
    "high_cost_risk_score",
    "predicted_total_cost",
    "model_status",
)
FEATURES = (
    "risk_tier",
    "chronic_condition_count",
    "er_visit_count_12mo",
    "has_diabetes",
    "has_copd_asthma",
    "has_heart_failure",
)


class ImmunizationMasterOutreachList(Contract):
    """Members to contact about a missing vaccine: one row per member and as-of month."""

    member_id: str = c.member_id()
    claim_month: str = c.claim_month()
    outreach_rank: c.Whole = c.required("Place in the month's list, 1 first; ties break by member id.", ge=1)
    outreach_tier: str = c.required("Tier of the outreach score.", isin=[t[1] for t in formulas.TIERS])
    recommended_channel: str = c.required("Channel of the tier.", isin=[t[2] for t in formulas.TIERS])
    reachable_channels: c.Words = c.optional("Channels on file that the member has not opted out of.")
    outreach_priority_score: c.Number = c.required(
        "0-100, decides tier and rank.", in_range={"min_value": 0.0, "max_value": 100.0}
    )
    immunization_priority_score: c.Number = c.required(
        "0-100 from tier, age, conditions.", in_range={"min_value": 0.0, "max_value": 100.0}
    )
    vaccines_due: c.Words = c.required("Vaccines without evidence of a dose.")
    estimated_preventable_cost: c.Money = c.required("USD an avoided admission would save; an assumption.", ge=0)
    risk_tier: str = c.required("Risk tier as of the month.")
    chronic_condition_count: c.Count = c.count("Chronic conditions as of the month.")
    high_risk_score: c.Number = c.share("Score of high_risk_predictor.")
    er_utilization_risk_score: c.Number = c.share("Score of er_utilization_predictor.")
    high_cost_risk_score: c.Number = c.share("Score of high_cost_predictor.")
    predicted_total_cost: c.Number = c.required("Next twelve months, USD.", ge=0)
    model_status: str = c.required("Which kind of model scored the row.", isin=MODEL_STATUSES)
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
def immunization_master_outreach_list(
    gold_member_risk_predictions: DataFrame,
    gold_member_features: DataFrame,
    silver_member_months_as_known: DataFrame,
    silver_immunizations: LastYear,
    bronze_member_contacts: Whole,
) -> DataFrame:
    """Enrolled members with no influenza dose in the season, scored, tiered and ranked."""
    key = ["member_id", "claim_month"]
    listed = candidates(silver_member_months_as_known, silver_immunizations, bronze_member_contacts).where(
        "exclusion_reason is null"
    )
    scored = (
        listed.join(gold_member_features.select(*key, *FEATURES), key)
        .join(gold_member_risk_predictions.select(*key, *SCORES), key)
        .withColumn("immunization_priority_score", formulas.priority_score())
        .withColumn("outreach_priority_score", formulas.outreach_score())
        .withColumn("outreach_tier", formulas.by_tier(1))
        .withColumn("recommended_channel", formulas.by_tier(2))
        .withColumn("estimated_preventable_cost", formulas.preventable_cost())
        .withColumn("vaccines_due", F.array(F.lit(INFLUENZA)))
        .withColumn("preferred_language", F.coalesce("preferred_language", "language"))
    )
    urgency = Window.partitionBy("claim_month").orderBy(F.desc("outreach_priority_score"), "member_id")
    return scored.withColumn("outreach_rank", F.row_number().over(urgency))
