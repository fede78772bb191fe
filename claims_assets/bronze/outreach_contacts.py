"""Attempts to reach members as the outreach team reported them, typed: one row per line of a landing file.

Elsewhere: what the words of an outcome mean (`outreach/contact_outcomes.py`), whom to contact (`outreach/`).
"""

import pyspark.sql.types as T
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from claims_assets import columns as c
from claims_assets.bronze.known import known_from
from claims_assets.bronze.member_contacts import CHANNEL
from claims_assets.contracts import Contract
from claims_assets.table import Whole, table


class OutreachContacts(Contract):
    """Attempts to reach a member as they came: one row per line of a landing file."""

    member_id: str = c.member_id()
    contacted_at: T.TimestampType = c.required("Time of the attempt, UTC where the feed names no zone.")
    channel: str = c.required("phone, mail, email or portal, as written.", str_matches=CHANNEL, severity="warn")
    outcome: str = c.required("What came of it, as written.")
    list_month: str = c.month("Claim month of the list that led to the attempt; missing: not told.")
    campaign: str = c.optional("Name of the campaign, as written.")
    known_from: str = c.known_from()
    received_month: str = c.received_month()
    source_file: str = c.source_file()
    source_line: c.Count = c.source_line()

    class Config:
        unique = ["source_file", "source_line"]


@table(
    OutreachContacts,
    partitioned=False,
    keeps_rows_of=["landing_outreach_contacts"],
    domain="outreach",
    span=("known_from", None),
)
def outreach_contacts(landing_outreach_contacts: Whole) -> DataFrame:
    """Types the landed text and adds the month it became known: received, else the month of the attempt."""
    attempted = F.col("contacted_at").try_cast("timestamp")
    return landing_outreach_contacts.withColumn("known_from", known_from(attempted))
