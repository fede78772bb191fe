"""Whether the member of a claim was enrolled on the day of service: one word a line, shared by both claim tables.

Nothing is dropped: a claim of nobody we know, or outside enrolment, is paid money all the same; reports of cost show it
apart. Elsewhere: the days of enrolment (`silver/enrolment.py`, `silver/member_months.py`).
"""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from claims_assets import columns as c
from claims_assets.contracts import rule
from claims_assets.silver.codes import normal_id
from claims_assets.silver.enrolment import enrolled_on

ENROLLED, NOT_ENROLLED, UNKNOWN_MEMBER = "ENROLLED", "NOT_ENROLLED", "UNKNOWN_MEMBER"

ENROLMENT_RULES = {
    "member_is_known": rule(f"enrolment <> '{UNKNOWN_MEMBER}'", severity="warn", dimension="accuracy"),
    "member_is_enrolled_on_service_date": rule(f"enrolment <> '{NOT_ENROLLED}'", severity="warn", dimension="accuracy"),
}
"""Each line breaks at most one of them: whether an unknown member is enrolled can't be asked."""


def enrolment_column():
    return c.required(
        "Member on the day of service: ENROLLED, NOT_ENROLLED, or UNKNOWN_MEMBER (in no eligibility record).",
        isin=(ENROLLED, NOT_ENROLLED, UNKNOWN_MEMBER),
    )


def with_enrolment(lines: DataFrame, day: str, member_months: DataFrame, eligibility: DataFrame) -> DataFrame:
    """Claim lines with `enrolment`.

    Args:
        lines: lines with `member_id` and `claim_month`.
        day: their column with the day to judge by; it lies in the claim month.
        member_months: `silver.member_months` of their months.
        eligibility: `bronze.member_eligibility`, whole. A record that was taken back makes its member known.
    """
    days = member_months.select("member_id", "claim_month", "enrolment_by_day")
    known = eligibility.select(normal_id(F.col("member_id")).alias("member_id")).distinct()
    enrolment = (
        F.when(enrolled_on(F.col(day)), F.lit(ENROLLED))
        .when(F.col("_is_known"), F.lit(NOT_ENROLLED))
        .otherwise(F.lit(UNKNOWN_MEMBER))
    )
    return (
        lines.join(days, ["member_id", "claim_month"], "left")
        .join(known.withColumn("_is_known", F.lit(True)), "member_id", "left")
        .withColumn("enrolment", enrolment)
        .drop("enrolment_by_day", "_is_known")
    )
