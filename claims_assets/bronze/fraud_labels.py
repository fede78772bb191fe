"""Decisions of investigators on claims as they came, typed: one row per line of a landing file.

Elsewhere: what is learnt from them (`models/`). A claim may be decided again; the latest decision holds.
"""

import pyspark.sql.types as T
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from claims_assets import columns as c
from claims_assets.bronze.known import known_from
from claims_assets.contracts import Contract
from claims_assets.table import Whole, table

LABEL = r"(?i)^\s*(confirmed|cleared)\s*$"


class FraudLabels(Contract):
    """Decisions on claims as they came: one row per line of a landing file."""

    claim_id: str = c.claim_id()
    label: str = c.required("confirmed or cleared, as written.", str_matches=LABEL)
    decided_at: T.TimestampType = c.required("Time of the decision, UTC where the feed names no zone.")
    case_id: str = c.optional("Case the claim belongs to, as written.")
    reason: str = c.optional("Why it was decided so, as written; no names of people belong here.")
    known_from: str = c.known_from()
    received_month: str = c.received_month()
    source_file: str = c.source_file()
    source_line: c.Count = c.source_line()

    class Config:
        unique = ["source_file", "source_line"]


@table(
    FraudLabels,
    partitioned=False,
    keeps_rows_of=["landing_fraud_labels"],
    domain="claims",
    span=("known_from", None),
)
def fraud_labels(landing_fraud_labels: Whole) -> DataFrame:
    """Types the landed text and adds the month it became known: received, else the month of the decision."""
    decided = F.col("decided_at").try_cast("timestamp")
    return landing_fraud_labels.withColumn("known_from", known_from(decided))
