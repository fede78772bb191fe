"""Whether the member of a claim was enrolled on the day of service: one word a line, shared by both claim tables.

Nothing is dropped: a claim of nobody we know, or outside enrolment, is paid money all the same; reports of cost show it
apart. Elsewhere: the days of enrolment (`silver/enrolment.py`, `silver/member_months.py`), who is known at all
(`silver/unknown_members.py`).
"""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from claims_assets import columns as c
from claims_assets.contracts import rule
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


def with_enrolment(lines: DataFrame, day: str, member_months: DataFrame, unknown_members: DataFrame) -> DataFrame:
    """Claim lines with `enrolment`.

    Args:
        lines: lines with `member_id` and `claim_month`.
        day: their column with the day to judge by; it lies in the claim month.
        member_months: `silver.member_months` of their months.
        unknown_members: `silver.unknown_members`.
    """
    days = member_months.select("member_id", "claim_month", "enrolment_by_day")
    unknown = unknown_members.select("member_id", "claim_month", F.lit(True).alias("_is_unknown"))
    enrolment = (
        F.when(enrolled_on(F.col(day)), F.lit(ENROLLED))
        .when(F.col("_is_unknown"), F.lit(UNKNOWN_MEMBER))
        .otherwise(F.lit(NOT_ENROLLED))
    )
    return (
        lines.join(days, ["member_id", "claim_month"], "left")
        .join(unknown, ["member_id", "claim_month"], "left")
        .withColumn("enrolment", enrolment)
        .drop("enrolment_by_day", "_is_unknown")
    )
