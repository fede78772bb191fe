"""Whom to contact about which vaccines, and whom not: every member enrolled in the as-of month, once, with the reason.

Here: the columns, and the order of the steps. Elsewhere: what a member needs (`vaccine_needs.py`), through whom and how
a member is reached (`contact_ways.py`), reasons not to list (`standing.py`), scores and tiers (`formulas.py`), places
within the capacity (`places.py`, `capacity.py`), the sentence of a row (`reasons.py`), and how to read it
(docs/outreach.md).
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from claims_assets import columns as c
from claims_assets.contracts import Contract, compiled, rule
from claims_assets.features.scores import RISK_TIERS
from claims_assets.outreach import formulas, standing
from claims_assets.outreach.contact_ways import with_contact_ways
from claims_assets.outreach.funnel import COLUMNS, picture
from claims_assets.outreach.outreach_policy import of_the_month
from claims_assets.outreach.places import places
from claims_assets.outreach.policy import CHANNELS
from claims_assets.outreach.reasons import reason
from claims_assets.outreach.vaccine_needs import no_needs, vaccine_needs
from claims_assets.predictions.scoring import MODEL_STATUSES
from claims_assets.silver.demographics import AGE_GROUPS, ETHNICITIES, GENDERS, RACES
from claims_assets.table import Spans, Whole, table

KEY = ["member_id", "claim_month"]
LISTED, EXCLUDED = DISPOSITIONS = ("listed", "excluded")
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
HUNDRED = {"min_value": 0.0, "max_value": 100.0}


class ImmunizationTargeting(Contract):
    """Outreach about vaccines: one row per member enrolled in the as-of month, listed or excluded with one reason."""

    member_id: str = c.member_id()
    claim_month: str = c.claim_month()
    disposition: str = c.required("listed or excluded.", isin=list(DISPOSITIONS))
    exclusion_reason: str = c.optional("The first reason that holds; NULL: listed.", isin=list(standing.EXCLUSIONS))
    reason: str = c.required("Why, in plain English, from the row alone.")
    household_id: str = c.optional("Household; NULL: not known, the member stands alone.")
    contact_member_id: str = c.required(
        "Who is contacted: the member, or for a minor an adult of the household, or the first sibling whose guardian it"
        " is."
    )
    vaccines_overdue: c.Words = c.required("Vaccines whose dose is overdue.")
    vaccines_due: c.Words = c.required("Vaccines whose dose is due now, the overdue ones included.")
    vaccines_no_evidence: c.Words = c.required("Vaccines without a dose on file that may have been given elsewhere.")
    vaccines_to_discuss: c.Words = c.required("Vaccines that a clinician decides about.")
    vaccines_contraindicated: c.Words = c.required("Vaccines that must not be given.")
    vaccines_complete: c.Words = c.required("Vaccines with evidence of all doses.")
    vaccines_not_yet: c.Words = c.required("Vaccines whose next dose is due later.")
    dose_evidence: c.Words = c.required("Source ids of the doses that complete a vaccine, as `vaccine: ids`.")
    first_due_since: c.Date = c.optional("Since when the oldest due or overdue dose is due; NULL: none, or not dated.")
    immunization_priority_score: c.Number = c.required("0-100 from risk tier, age, conditions.", in_range=HUNDRED)
    outreach_priority_score: c.Number = c.required("0-100, decides tier and order.", in_range=HUNDRED)
    outreach_tier: str = c.required("Tier of the outreach score.", isin=[t[1] for t in formulas.TIERS])
    recommended_channel: str = c.required("Contact that the tier recommends.", isin=[t[2] for t in formulas.TIERS])
    reachable_channels: c.Words = c.required("Channels on file, of whom is contacted, that nobody opted out of.")
    contact_channel: str = c.optional("Channel of the contact; NULL: excluded.", isin=list(CHANNELS))
    also_by_mail: bool = c.flag("A letter goes out beside the call.")
    contact_week: c.Whole = c.optional("Week of the contact, 1 first; NULL: excluded.", ge=1)
    letter_week: c.Whole = c.optional("Week of the letter beside the call; NULL: none.", ge=1)
    contact_tier: str = c.optional(
        "Tier of the most urgent member whom the same contact serves; it chose the channel. NULL: excluded.",
        isin=[t[1] for t in formulas.TIERS],
    )
    outreach_rank: c.Whole = c.optional("Place in the month's list, households together, 1 first.", ge=1)
    estimated_preventable_cost: c.Money = c.required("USD an avoided admission would save; an assumption.", ge=0)
    is_holdout: bool = c.flag("The household is held out for comparison in this program year, listed or not.")
    within_capacity: bool = c.flag("Would be contacted if nobody were held out: those to be compared with each other.")
    last_contacted_at: c.Date = c.optional("Last contact by the end of the month, of the member or who is contacted.")
    last_hospice_date: c.Date = c.optional("Last day of hospice care within a year.")
    preferred_language: str = c.optional("From the contact file, else from eligibility.")
    risk_tier: str = c.required("Risk tier as of the month.", isin=list(RISK_TIERS))
    chronic_condition_count: c.Count = c.count("Chronic conditions as of the month.")
    high_risk_score: c.Number = c.share("Score of high_risk_predictor.")
    er_utilization_risk_score: c.Number = c.share("Score of er_utilization_predictor.")
    high_cost_risk_score: c.Number = c.share("Score of high_cost_predictor.")
    predicted_total_cost: c.Number = c.required("Next twelve months, USD.", ge=0)
    model_status: str = c.required("Which kind of model scored the row.", isin=list(MODEL_STATUSES))
    age: c.Whole = c.optional("Completed years at the end of the month.", ge=0)
    age_group: str = c.optional("0-17, 18-44, 45-64 or 65+.", isin=AGE_GROUPS)
    gender: str = c.required("M, F or U.", isin=GENDERS)
    race: str = c.required("One of seven groups or Unknown.", isin=RACES)
    ethnicity: str = c.required("Hispanic, Not Hispanic or Unknown.", isin=ETHNICITIES)
    county: str = c.optional("County of residence.")
    zip_code: str = c.optional("ZIP, 5 digits.")

    class Config:
        unique = ["member_id", "claim_month"]
        metadata = {
            "rules": {
                "a_member_is_listed_or_has_a_reason": rule(
                    "(disposition = 'listed') = (exclusion_reason is null)", severity="block"
                ),
                "who_is_listed_has_a_place": rule(
                    "(disposition = 'listed') = (outreach_rank is not null and contact_channel is not null"
                    " and contact_week is not null)",
                    severity="block",
                ),
                "who_is_listed_is_offered_something": rule(
                    "disposition = 'excluded' or size(vaccines_due) + size(vaccines_no_evidence)"
                    " + size(vaccines_to_discuss) > 0",
                    severity="block",
                ),
                "who_is_held_out_is_not_listed": rule("disposition = 'excluded' or not is_holdout", severity="block"),
            }
        }


@table(
    ImmunizationTargeting,
    domain="outreach",
    keeps_rows_of=["silver_member_months_as_known"],
    picture=picture,
    picture_of=COLUMNS,
)
def immunization_targeting(
    silver_member_months_as_known: DataFrame,
    gold_immunization_gaps: DataFrame,
    gold_member_features: DataFrame,
    gold_member_risk_predictions: DataFrame,
    gold_hospice_days: Spans,
    gold_outreach_policy: Spans,
    bronze_member_contacts: Whole,
    bronze_outreach_contacts: Spans,
) -> DataFrame:
    """Members of the asked months with what they need, how they are reached, and whether and when they are contacted.

    As it was known at the end of the month, by the policy of the month. Each month is placed by itself.
    """
    described = (
        of_the_month(silver_member_months_as_known, gold_outreach_policy)
        .withColumn("_month_end", F.last_day(F.to_date(F.concat("claim_month", F.lit("-01")))))
        .transform(_with_hospice, gold_hospice_days)
        .withColumns(_who())
    )
    reached = with_contact_ways(described, bronze_member_contacts, bronze_outreach_contacts)
    needs = reached.join(vaccine_needs(gold_immunization_gaps), KEY, "left").withColumns(no_needs())
    scored = needs.join(gold_member_features.select(*KEY, *FEATURES), KEY, "left").join(
        gold_member_risk_predictions.select(*KEY, *SCORES), KEY, "left"
    )
    judged = _judged(scored)
    placed = judged.join(places(judged.where("_before is null")), KEY, "left")
    return placed.transform(_decided).withColumn("reason", reason()).select(*compiled(ImmunizationTargeting).columns)


def _with_hospice(members: DataFrame, hospice_days: DataFrame) -> DataFrame:
    day = F.struct("service_date", "first_month", "last_month")
    of_member = hospice_days.groupBy("member_id").agg(F.collect_list(day).alias("_hospice"))
    counts = F.filter("_hospice", lambda d: F.col("claim_month").between(d["first_month"], d["last_month"]))
    last = F.array_max(F.transform(counts, lambda d: d["service_date"]))
    return members.join(of_member, "member_id", "left").withColumn("last_hospice_date", last).drop("_hospice")


def _who() -> dict[str, Column]:
    """Whether somebody else speaks for the member, or the member may be asked about children."""
    minor = F.coalesce(F.col("age") < F.col("minor_age"), F.lit(False))
    dead = F.coalesce(F.col("death_date") <= F.col("_month_end"), F.lit(False))
    return {
        "is_minor": minor,
        "may_guard": ~dead & standing.enrolled_at_the_end() & F.col("last_hospice_date").isNull()
        & F.col("age").isNotNull(),
    }  # fmt: skip


def _judged(scored: DataFrame) -> DataFrame:
    """Scores, tier, and `_before`: the reason that holds before places are given; NULL: a candidate."""
    return (
        scored.withColumn("immunization_priority_score", formulas.priority_score())
        .withColumn("outreach_priority_score", formulas.outreach_score())
        .withColumns({"outreach_tier": formulas.by_tier(1), "recommended_channel": formulas.by_tier(2)})
        .withColumns(
            {
                "estimated_preventable_cost": formulas.preventable_cost(),
                "preferred_language": F.coalesce("contact_language", "language"),
                "is_holdout": standing.is_holdout(),
                "_before": standing.reason_before_places(),
            }
        )
    )


def _decided(placed: DataFrame) -> DataFrame:
    """The disposition; what belongs to a contact is only on rows that are listed."""
    late = F.when(F.col("is_holdout"), standing.HOLDOUT).when(F.col("contact_channel").isNull(), standing.OVER_CAPACITY)
    listed = F.col("_before").isNull() & F.col("contact_channel").isNotNull()
    no = F.lit(False)
    return placed.withColumns(
        {
            "exclusion_reason": F.coalesce("_before", late),
            "disposition": F.when(listed, LISTED).otherwise(EXCLUDED),
            "contact_tier": F.when(listed, F.col("contact_tier")),
            "within_capacity": F.coalesce("within_capacity", no),
            "also_by_mail": F.coalesce("also_by_mail", no),
        }
    )
