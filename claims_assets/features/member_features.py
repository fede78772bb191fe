"""What was known of a member at the end of an as-of month: utilization, cost, conditions, trends, demography, scores.

Here: the columns, and whatever follows from the counts of one row. Elsewhere: what counts when (`as_of.py`), the counts
(`utilization.py`), conditions (`member_conditions.py`), scores (`scores.py`), labels of models (`outcomes.py`).
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from claims_assets import columns as c
from claims_assets.contracts import Contract, compiled
from claims_assets.features.as_of import RECENT_MONTHS, WINDOW_MONTHS
from claims_assets.features.conditions import CONDITIONS
from claims_assets.features.member_conditions import CHARLSON, ELIXHAUSER, bounds
from claims_assets.features.scores import (
    BMI_CATEGORIES,
    HIGHEST_COMPOSITE,
    RISK_TIERS,
    actuarial_age_risk,
    bmi_category,
    smoking_factor,
    with_risk_tier,
)
from claims_assets.features.utilization import with_utilization
from claims_assets.silver.demographics import AGE_GROUPS, ETHNICITIES, GENDERS, RACES
from claims_assets.silver.member_months import AGE
from claims_assets.table import LastYearAsKnown, table

NEVER_DAYS = 366
"""Days since an event that the twelve months do not hold, and the most days any event is held to lie back."""
LARGEST_TREND = 10.0
"""A trend above this counts as this, so does activity after none: the ratio has no meaning there, and no bound."""
DAYS_A_YEAR = 365.0
"""As the source system counts years of eligibility."""

RECENCY = {
    "medical_claim": "last_medical_claim_date",
    "er_visit": "last_er_visit_date",
    "admission": "last_admission_date",
    "rx_fill": "last_rx_fill_date",
}
"""Event -> its last date in `with_utilization`."""


def _days_since(event: str):
    return c.required(
        f"Days from the last {event} to the end of the month, at most 366; 366 where the twelve months hold none.",
        in_range={"min_value": 0, "max_value": NEVER_DAYS},
    )


def _trend(what: str):
    return c.required(
        f"Change of {what}: recent three months scaled to nine, against the prior nine; 0.5 is half as much again.",
        in_range={"min_value": -1.0, "max_value": LARGEST_TREND},
    )


def _score(description: str, lowest: int, highest: int):
    return c.required(description, in_range={"min_value": lowest, "max_value": highest})


class MemberFeatures(Contract):
    """Member features: one row per member enrolled in the as-of month, from what was known at its end.

    Twelve months are the as-of month and the eleven before it, "recent" (`_90d`) the last three of them, "prior"
    (`_275d`) the other nine. Paid claims only.
    """

    member_id: str = c.member_id()
    claim_month: str = c.claim_month()

    age: c.Whole = c.optional("Completed years at the end of the month.", in_range=AGE)
    age_group: str = c.optional("0-17, 18-44, 45-64 or 65+.", isin=AGE_GROUPS)
    gender: str = c.required("M, F or U.", isin=GENDERS)
    race: str = c.required("One of seven groups or Unknown.", isin=RACES)
    ethnicity: str = c.required("Hispanic, Not Hispanic or Unknown.", isin=ETHNICITIES)
    zip_code: str = c.optional("Five digits.")
    county: str = c.optional("County as written.")
    dual_eligible: bool = c.optional("Has Medicare too; NULL: not reported.")
    ltss_indicator: bool = c.optional("Gets long-term services and supports; NULL: not reported.")
    high_risk_flag: bool = c.flag("Dual eligible or in long-term services; not reported counts as no.")
    eligibility_years: c.Number = c.required("Years of 365 days since the enrolment without gap began.", ge=0.0)
    smoker: bool = c.optional("Smokes; NULL: not reported.")
    smoking_factor: c.Number = c.optional("Age, times 2.5 for smokers.", ge=0.0)
    bmi: c.Number = c.optional("Body mass index, kg/m2.")
    bmi_category: str = c.optional("For adults from 20 years.", isin=BMI_CATEGORIES)

    has_diabetes: bool = c.flag("Diabetes mellitus: one inpatient or two outpatient days with a diagnosis.")
    has_hypertension: bool = c.flag("Hypertensive disease, same evidence.")
    has_copd_asthma: bool = c.flag("Chronic obstructive lung disease or asthma, same evidence.")
    has_heart_failure: bool = c.flag("Heart failure, same evidence.")
    has_ckd: bool = c.flag("Chronic kidney disease, same evidence.")
    has_mental_health: bool = c.flag("Mental disorder, neither organic nor by substance use, same evidence.")
    has_obesity: bool = c.flag("Obesity, same evidence.")
    has_cancer: bool = c.flag("Cancer other than non-melanoma skin cancer, same evidence.")
    has_substance_use: bool = c.flag("Substance use, tobacco included, same evidence; not in chronic_condition_count.")
    chronic_condition_count: c.Count = _score("How many of the eight conditions from has_diabetes to has_cancer.", 0, 8)
    charlson_index: c.Whole = c.required("Charlson index, weights of 1987.", in_range=bounds(CHARLSON))
    elixhauser_index: c.Whole = c.required(
        "Elixhauser categories weighted by van Walraven 2009.", in_range=bounds(ELIXHAUSER)
    )

    claim_count_12mo: c.Count = c.count("Medical claims.")
    service_days_12mo: c.Count = c.count("Days with a medical service.")
    total_paid_12mo: c.Total = c.amount("Medical paid, USD.")
    avg_claim_amount: c.Number = c.required("Medical paid per claim, USD; 0 without claims.")
    max_claim_amount: c.Total = c.amount("Paid for the largest medical claim, all its lines, USD; 0 without claims.")
    er_visit_count_12mo: c.Count = c.count("Emergency visits: days with an emergency line of any provider.")
    inpatient_admit_count_12mo: c.Count = c.count("Inpatient stays: distinct days of admission.")
    high_cost_claim_count: c.Count = c.count("Medical claims of more than 10,000 USD.")
    avg_length_of_stay: c.Number = c.required("Days per stay of known length; 0 without one.", ge=0.0)
    total_inpatient_days: c.Count = c.count("Days from admission to discharge, all stays of known length.")
    unique_provider_count: c.Count = c.count("Distinct providers of medical claims.")

    rx_fill_count_12mo: c.Count = c.count("Pharmacy fills.")
    unique_drug_count: c.Count = c.count("Distinct NDC of fills.")
    unique_therapy_class_count: c.Count = c.count("Distinct therapeutic classes of fills.")
    total_rx_paid_12mo: c.Total = c.amount("Pharmacy paid, USD.")
    avg_rx_cost: c.Number = c.required("Pharmacy paid per fill, USD; 0 without fills.")
    avg_days_supply: c.Number = c.required("Days supplied per fill that states 1 to 365; 0 without one.", ge=0.0)
    generic_fill_count: c.Count = c.count("Fills of generics.")
    controlled_substance_count: c.Count = c.count("Fills of opioids, benzodiazepines or stimulants.")
    high_cost_rx_count: c.Count = c.count("Fills of more than 500 USD.")

    recent_claim_count_90d: c.Count = c.count("Medical claims with a line in the recent three months.")
    prior_claim_count_275d: c.Count = c.count("Medical claims of the prior nine months only.")
    recent_paid_90d: c.Total = c.amount("Medical paid for services of the recent three months, USD.")
    prior_paid_275d: c.Total = c.amount("Medical paid for services of the prior nine months, USD.")
    recent_er_visits_90d: c.Count = c.count("Emergency visits in the recent three months.")
    prior_er_visits_275d: c.Count = c.count("Emergency visits in the prior nine months.")
    claim_count_trend_pct: c.Number = _trend("the number of medical claims")
    cost_trend_pct: c.Number = _trend("medical paid")
    days_since_last_medical_claim: c.Whole = _days_since("medical service")
    days_since_last_er_visit: c.Whole = _days_since("emergency visit")
    days_since_last_admission: c.Whole = _days_since("admission")
    days_since_last_rx_fill: c.Whole = _days_since("fill")
    never_medical_claim: bool = c.flag("No medical claim in the twelve months.")
    never_er_visit: bool = c.flag("No emergency visit in the twelve months.")
    never_admission: bool = c.flag("No inpatient stay in the twelve months.")
    never_rx_fill: bool = c.flag("No fill in the twelve months.")

    age_risk_score: c.Whole = _score("3 below 1 or from 75 years, 2 below 5 or from 65, else 1.", 1, 3)
    actuarial_age_risk: c.Whole = c.optional(
        "1 below 25 years, 2 below 35, 3 below 50, 4 below 65, else 5; NULL for an unknown age.",
        in_range={"min_value": 1, "max_value": 5},
    )
    chronic_condition_risk_score: c.Whole = _score("Number of chronic conditions, at most 3.", 0, 3)
    utilization_risk_score: c.Whole = _score("3: 4 emergency visits or 2 stays; 2: 2 or 1; 1: 1 visit; else 0.", 0, 3)
    cost_risk_score: c.Whole = _score("Medical paid: 3 from 50,000 USD, 2 from 25,000, 1 from 10,000, else 0.", 0, 3)
    composite_risk_score: c.Whole = _score("Sum of the four risk scores, 1 or more.", 0, HIGHEST_COMPOSITE)
    risk_tier: str = c.required("High from 9, Medium from 6, Low from 3, else Very Low.", isin=list(RISK_TIERS))

    class Config:
        unique = ["member_id", "claim_month"]


@table(MemberFeatures, domain="risk")
def member_features(
    silver_claim_versions: LastYearAsKnown,
    silver_member_months_as_known: DataFrame,
    gold_member_conditions: DataFrame,
    months: list[str],
) -> DataFrame:
    """Features of the members enrolled in the asked months, each from what was known at the end of its month."""
    conditions = gold_member_conditions.select(
        "member_id",
        "claim_month",
        *[c.column for c in CONDITIONS],
        "chronic_condition_count",
        "charlson_index",
        F.col("elixhauser_van_walraven_score").alias("elixhauser_index"),
    )
    return (
        with_utilization(silver_member_months_as_known, silver_claim_versions, months)
        # A member whose conditions were never worked out is set aside by the contract: no row is no "no".
        .join(conditions, ["member_id", "claim_month"], "left")
        .transform(_with_averages)
        .transform(_with_trends)
        .transform(_with_recency)
        .transform(_with_demography)
        .transform(with_risk_tier)
        .select(*compiled(MemberFeatures).columns)
    )


def _with_averages(rows: DataFrame) -> DataFrame:
    return rows.withColumns(
        {
            "avg_claim_amount": _ratio("total_paid_12mo", "claim_count_12mo"),
            "avg_rx_cost": _ratio("total_rx_paid_12mo", "rx_fill_count_12mo"),
            "avg_days_supply": _ratio("supplied_days", "supplies"),
            "avg_length_of_stay": _ratio("total_inpatient_days", "stays_of_known_length"),
        }
    )


def _with_trends(rows: DataFrame) -> DataFrame:
    return rows.withColumns(
        {
            "prior_claim_count_275d": F.col("claim_count_12mo") - F.col("recent_claim_count_90d"),
            "prior_paid_275d": F.col("total_paid_12mo") - F.col("recent_paid_90d"),
            "prior_er_visits_275d": F.col("er_visit_count_12mo") - F.col("recent_er_visits_90d"),
        }
    ).withColumns(
        {
            "claim_count_trend_pct": _change("recent_claim_count_90d", "prior_claim_count_275d"),
            "cost_trend_pct": _change("recent_paid_90d", "prior_paid_275d"),
        }
    )


def _with_recency(rows: DataFrame) -> DataFrame:
    """A date after the month (a wrong admission date) counts as its last day: no feature looks ahead."""
    end = F.last_day(F.concat("claim_month", F.lit("-01")))
    added = {}
    for event, last in RECENCY.items():
        days = F.greatest(F.least(F.datediff(end, F.col(last)), F.lit(NEVER_DAYS)), F.lit(0))
        added[f"days_since_last_{event}"] = F.coalesce(days, F.lit(NEVER_DAYS)).cast("int")
        added[f"never_{event}"] = F.col(last).isNull()
    return rows.withColumns(added)


def _with_demography(rows: DataFrame) -> DataFrame:
    end = F.last_day(F.concat("claim_month", F.lit("-01")))
    days = F.datediff(end, F.col("enrolled_since")).cast("double")
    dual, ltss = F.coalesce("dual_eligible", F.lit(False)), F.coalesce("ltss_indicator", F.lit(False))
    return rows.withColumns(
        {
            "high_risk_flag": dual | ltss,
            "eligibility_years": days / F.lit(DAYS_A_YEAR),
            "smoking_factor": smoking_factor(F.col("age"), F.col("smoker")),
            "bmi_category": bmi_category(F.col("bmi"), F.col("age")),
            "actuarial_age_risk": actuarial_age_risk(F.col("age")),
        }
    )


def _ratio(total: str, number: str) -> Column:
    """Zero where there is nothing to average."""
    some = F.col(number) > 0
    return F.when(some, F.col(total).cast("double") / F.col(number).cast("double")).otherwise(F.lit(0.0))


def _change(recent: str, prior: str) -> Column:
    """-1 when activity stopped, 0 when there was none at all, LARGEST_TREND when it began."""
    now = F.col(recent).cast("double") * F.lit(float((WINDOW_MONTHS - RECENT_MONTHS) // RECENT_MONTHS))
    before = F.col(prior).cast("double")
    change = F.when(before > 0, (now - before) / before).when(now > 0, F.lit(LARGEST_TREND)).otherwise(F.lit(0.0))
    return F.least(F.greatest(change, F.lit(-1.0)), F.lit(LARGEST_TREND))
