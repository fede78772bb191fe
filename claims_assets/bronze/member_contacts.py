"""Ways to reach members as they came, typed: one row per line of a landing file.

Elsewhere: who may be contacted and how (`outreach/`).
"""

import pyspark.sql.types as T
from pyspark.sql import DataFrame

from claims_assets import columns as c
from claims_assets.bronze.member_eligibility import with_plain_flags
from claims_assets.contracts import Contract
from claims_assets.table import Whole, table

CHANNEL = r"(?i)^\s*(phone|mail|email|portal)\s*$"
ROLE = r"(?i)^\s*(self|guardian)\s*$"


class MemberContacts(Contract):
    """Ways to reach members as they came: one row per line of a landing file."""

    member_id: str = c.member_id()
    channel: str = c.required("phone, mail, email or portal, as written.", str_matches=CHANNEL, severity="warn")
    value: str = c.optional("Number or address as written.")
    opt_out: bool = c.optional("The member does not want to be contacted this way; missing: has not said so.")
    opt_out_date: c.Date = c.optional("Day the member said so.")
    last_contacted_at: T.TimestampType = c.optional("Last contact this way, UTC where the feed names no zone.")
    last_outcome: str = c.optional("Outcome of the last contact as written.")
    preferred_language: str = c.optional("Language the member prefers, as written.")
    contact_role: str = c.optional(
        "Whose channel it is, as written: self, or guardian for the adult of a minor; missing: the member's own.",
        str_matches=ROLE,
    )
    received_month: str = c.received_month()
    source_file: str = c.source_file()
    source_line: c.Count = c.source_line()

    class Config:
        unique = ["source_file", "source_line"]


@table(MemberContacts, partitioned=False, keeps_rows_of=["landing_member_contacts"], domain="members")
def member_contacts(landing_member_contacts: Whole) -> DataFrame:
    """Types the landed text; what lacks a member or a channel is quarantined with its text."""
    return landing_member_contacts.transform(lambda landed: with_plain_flags(landed, ("opt_out",)))
