"""The outreach policy by claim month: one row per version.

Here: the versions as a table, so that a month reads the one that held then. Elsewhere: the file (`policy.py`).
"""

from dagster_pyspark import LazyPySparkResource
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from claims_assets import columns as c
from claims_assets.contracts import Contract, compiled
from claims_assets.outreach.policy import Policy, PolicyFile, fingerprint
from claims_assets.settings import settings_from_environment
from claims_assets.table import table


class OutreachPolicy(Contract):
    """Outreach policy: one row per version, for the claim months in which it holds."""

    valid_from: str = c.required("First claim month.", str_matches=c.MONTH_PATTERN)
    valid_to: str = c.month("Last claim month; NULL: in force.")
    phone_per_week: c.Whole = c.required("Calls a week.", ge=0)
    mail_per_week: c.Whole = c.required("Letters a week.", ge=0)
    email_per_week: c.Whole = c.required("Messages by email a week.", ge=0)
    portal_per_week: c.Whole = c.required("Messages in the portal a week.", ge=0)
    weeks: c.Whole = c.required("Weeks of contacts that a month's list fills.", ge=1)
    cooldown_days: c.Whole = c.required("Days after a contact without another one.", ge=0)
    holdout_share: c.Number = c.share("Share of households that are not contacted, for comparison.")
    holdout_seed: str = c.required("Decides, with household and program year, who they are.")
    program_year_starts_in: c.Whole = c.required("Month in which they are drawn anew.", ge=1)
    lists_no_evidence: bool = c.flag("A vaccine without a dose on file that may have been given elsewhere lists.")
    lists_discuss: bool = c.flag("A vaccine that a clinician decides about lists.")
    minor_age: c.Whole = c.required("Years below which a guardian is contacted.", ge=1)

    class Config:
        unique = ["valid_from"]


@table(
    OutreachPolicy,
    partitioned=False,
    phi="none",
    domain="outreach",
    quarantine_limit=0.0,
    resources=("spark", "policy_file"),
    span=("valid_from", "valid_to"),
    code_version=fingerprint(settings_from_environment().outreach_policy),
)
def outreach_policy(spark: LazyPySparkResource, policy_file: PolicyFile) -> DataFrame:
    """The versions as they are written, each to the month before the next one."""
    schema = compiled(OutreachPolicy).spark_schema()
    return spark.spark_session.createDataFrame([_row(p, schema.names) for p in policy_file.versions()], schema)


def of_the_month(frame: DataFrame, policy: DataFrame) -> DataFrame:
    """Adds the policy that holds in each row's claim month."""
    holds = (F.col("valid_from") <= F.col("claim_month")) & F.coalesce(
        F.col("valid_to") >= F.col("claim_month"), F.lit(True)
    )
    return frame.join(policy, holds).drop("valid_from", "valid_to")


def _row(policy: Policy, names: list[str]) -> tuple[object, ...]:
    of = vars(policy) | {f"{channel}_per_week": n for channel, n in policy.weekly_capacity.items()}
    return tuple(of[name] for name in names)
