"""What the risk models learn from: features of an index month, and what happened in the year after it.

Here: which members count, and what is known of their year. Elsewhere: features (`member_features.py`), labels
(`outcomes.py`), which months train and test a model (`models/windows.py`), a check that nothing here knows the future
(`models/time_travel.py`).

    index month I          features and look-back: what was known at the end of I
    outcome year           I+1 .. I+12
    judged month T         I + 15: run-out of three months is over, and nothing that became known later counts

A partition is a judged month T, because only then its rows exist; T says when a model may learn from them.
"""

from typing import Annotated

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from claims_assets import columns as c
from claims_assets.features.as_of import WINDOW_MONTHS
from claims_assets.features.member_features import MemberFeatures
from claims_assets.features.outcomes import RUN_OUT_MONTHS, outcomes
from claims_assets.features.scores import HIGHEST_COMPOSITE, RISK_TIERS
from claims_assets.features.valuation import MATURE_FACTOR
from claims_assets.partitions import add_months
from claims_assets.silver.enrolment_as_known import enrolled_in
from claims_assets.table import Window, table

HORIZON_MONTHS = 12
"""Months of the outcome year (twelve, as in the public project sechan9999/GenZ)."""
JUDGED_MONTHS = HORIZON_MONTHS + RUN_OUT_MONTHS
"""From the index month to the month in which its outcome year is judged."""
WASHOUT_MONTHS = 3
"""Least months of enrolment in the year up to the index: of a shorter one, features say mostly that nothing is known.
CMS asks for twelve months of Part B to score a Medicare member by diagnoses and scores others by age and sex (Rate
Announcement, "new enrollee"); three keep the newcomers of Medicaid, whose enrolment is short, and drop the empty rows
(to verify by the models' own measures)."""
LEAST_EXPOSURE = 1
"""Least months of enrolment in the outcome year: of members without any, nothing was seen."""
YEAR = {"min_value": 1, "max_value": HORIZON_MONTHS}

AtIndex = Annotated[DataFrame, Window(1, lag=JUDGED_MONTHS)]
OutcomeYear = Annotated[DataFrame, Window(HORIZON_MONTHS, lag=RUN_OUT_MONTHS, as_known=True)]
IndexAndJudged = Annotated[DataFrame, Window(2, step=JUDGED_MONTHS)]
"""Read for its index month and its judged month."""


class RiskTrainingRows(MemberFeatures):
    """Risk training rows: one row per judged month and member, features of the index month and the year after it.

    Members enrolled in the index month, in three months or more of the year up to it as was known then, and in one
    month or more of the year after it as was known in the judged month. Partitions whose look-back of twelve months
    reaches back before the first claims have no rows.
    """

    claim_month: str = c.required(
        "Judged month T, 15 months after the index: what became known later counts nowhere.",
        str_matches=c.MONTH_PATTERN,
    )
    index_month: str = c.required("Month as of which the features are.", str_matches=c.MONTH_PATTERN)
    outcome_er_visit_count: c.Count = c.count("Emergency visits of the outcome year.")
    outcome_inpatient_admit_count: c.Count = c.count("Inpatient stays of the outcome year.")
    outcome_total_paid: c.Number = c.required("Medical and pharmacy paid in the outcome year, USD.")
    outcome_composite_risk_score: c.Whole = c.required(
        "Composite risk score of the outcome year, a year older.",
        in_range={"min_value": 0, "max_value": HIGHEST_COMPOSITE},
    )
    outcome_risk_tier: str = c.required("Its tier.", isin=list(RISK_TIERS))
    exposure_months: c.Whole = c.required("Months enrolled in the outcome year.", in_range=YEAR)
    lookback_months: c.Whole = c.required("Months enrolled in the year up to the index month.", in_range=YEAR)
    died: bool = c.flag("Died in the outcome year.")
    outcome_is_mature: bool = c.flag(
        "Nine tenths of the outcome year's cost are paid, by the completion factors of the judged month."
    )

    class Config:
        unique = ["member_id", "claim_month"]


@table(RiskTrainingRows, domain="risk")
def risk_training_rows(
    gold_member_features: AtIndex,
    silver_claim_versions: OutcomeYear,
    silver_enrolment_as_known: IndexAndJudged,
    gold_pmpm: IndexAndJudged,
    months: list[str],
) -> DataFrame:
    """Members of the index months with a full look-back, and their outcomes as known in the asked months.

    - Outcomes count versions known, and not yet cancelled, in the judged month; members are a year older then.
    - Look-back and washout are as known at the index, exposure and death as known in the judged month.
    - Members who left or died count with what was seen of them; `exposure_months` and `died` say so.
    - Maturity is that of `gold.pmpm`, whose members are today's truth: an enrolment in hindsight can move it, and
      nothing else here.
    """
    members = (
        gold_member_features.withColumnRenamed("claim_month", "index_month")
        .withColumn("claim_month", _months_after("index_month", JUDGED_MONTHS))
        .where(F.col("claim_month").isin(months))
        .join(_with_full_look_back(gold_pmpm), "index_month", "left_semi")
        .join(_look_back(silver_enrolment_as_known), ["member_id", "index_month"])
        .join(_outcome_year(silver_enrolment_as_known), ["member_id", "claim_month"])
        .join(_maturity(gold_pmpm), "claim_month", "left")
        .withColumn("outcome_is_mature", F.coalesce("outcome_is_mature", F.lit(False)))
    )
    labels = _outcomes(gold_member_features, silver_claim_versions, months)
    return members.join(labels, ["member_id", "claim_month"])


def _look_back(enrolment: DataFrame) -> DataFrame:
    """Members beyond the washout, by index month."""
    found = enrolled_in(WINDOW_MONTHS - 1, 0)
    return (
        enrolment.select("member_id", F.col("claim_month").alias("index_month"), found.alias("lookback_months"))
        .where(F.col("lookback_months") >= WASHOUT_MONTHS)
    )  # fmt: skip


def _outcome_year(enrolment: DataFrame) -> DataFrame:
    """Members seen in the outcome year, by judged month."""
    found = enrolled_in(JUDGED_MONTHS - 1, RUN_OUT_MONTHS)
    first = F.trunc(F.add_months(_day("claim_month"), 1 - JUDGED_MONTHS), "month")
    last = F.last_day(F.add_months(_day("claim_month"), -RUN_OUT_MONTHS))
    return enrolment.select(
        "member_id",
        "claim_month",
        found.alias("exposure_months"),
        F.coalesce(F.col("died_on").between(first, last), F.lit(False)).alias("died"),
    ).where(F.col("exposure_months") >= LEAST_EXPOSURE)


def _outcomes(features: DataFrame, claim_versions: DataFrame, months: list[str]) -> DataFrame:
    """`outcome_*` by member and judged month."""
    last = [add_months(m, -RUN_OUT_MONTHS) for m in months]
    year_later = _months_after("claim_month", HORIZON_MONTHS).alias("claim_month")
    aged = features.select("member_id", year_later, (F.col("age") + 1).alias("age"))
    found = outcomes(claim_versions, last, members=aged, run_out=RUN_OUT_MONTHS)
    names = [n.removeprefix("outcome_") for n in RiskTrainingRows.to_schema().columns if n.startswith("outcome_")]
    return found.select(
        "member_id",
        _months_after("claim_month", RUN_OUT_MONTHS).alias("claim_month"),
        *[F.col(n).alias(f"outcome_{n}") for n in names if n != "is_mature"],
    )


def _with_full_look_back(pmpm: DataFrame) -> DataFrame:
    """Index months with claims a year back or earlier, as far as a valuation of that month tells."""
    lines = F.col("claim_lines") + F.col("claim_lines_outside_enrolment")
    oldest = F.min(F.when(lines > 0, F.col("incurred_month")))
    return (
        pmpm.groupBy(F.col("claim_month").alias("index_month"))
        .agg(oldest.alias("oldest"))
        .where(F.col("oldest") <= _months_after("index_month", 1 - WINDOW_MONTHS))
        .select("index_month")
    )


def _maturity(pmpm: DataFrame) -> DataFrame:
    """Judged month -> whether its outcome year is mature; a factor that is not known yet is none."""
    age = F.col("age_months").between(RUN_OUT_MONTHS, JUDGED_MONTHS - 1)
    known = F.min(F.col("completed_paid").isNotNull().cast("int")) == 1
    paid, completed = (F.sum(n).cast("double") for n in ("paid", "completed_paid"))
    mature = known & (completed > 0) & (paid >= F.lit(MATURE_FACTOR) * completed)
    return pmpm.where(age).groupBy("claim_month").agg(mature.alias("outcome_is_mature"))


def _months_after(month: str, n: int) -> Column:
    return F.date_format(F.add_months(_day(month), n), "yyyy-MM")


def _day(month: str) -> Column:
    return F.to_date(F.concat(month, F.lit("-01")))
