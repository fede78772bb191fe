"""Members whom claims name and no eligibility record knows, by claim month.

A table of its own, because it is what an eligibility file can change for claims of members who are not enrolled: a
month of claims is built again when one of its own unknown members becomes known, and not with each new member. Here:
who is unknown. Elsewhere: what that means for a claim line (`claim_enrolment.py`).
"""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from claims_assets import columns as c
from claims_assets.contracts import Contract
from claims_assets.silver.codes import normal_id
from claims_assets.table import Whole, table


class UnknownMembers(Contract):
    """Members of claims whom no eligibility record knows: one row per member and claim month with a claim line."""

    member_id: str = c.member_id()
    claim_month: str = c.claim_month()

    class Config:
        unique = ["member_id", "claim_month"]


@table(UnknownMembers, partitioned=False, domain="members", span=("claim_month", "claim_month"))
def unknown_members(silver_claim_versions: Whole, bronze_member_eligibility: Whole) -> DataFrame:
    """A record that was taken back makes its member known."""
    known = bronze_member_eligibility.select(normal_id(F.col("member_id")).alias("member_id")).distinct()
    # One engine fails to group a stored table by its partition column, which is never NULL; of `when` it may be.
    month = F.when(F.col("claim_month") != "", F.col("claim_month")).alias("claim_month")
    named = silver_claim_versions.select("member_id", month).distinct()
    return named.join(known, "member_id", "left_anti").where("member_id is not null")
