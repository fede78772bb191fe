"""Registry immunization records as they came, typed: one row per line of a landing file.

Elsewhere: doses, from registry and claims together (`silver/immunizations.py`).
"""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from claims_assets import columns as c
from claims_assets.bronze.known import known_from
from claims_assets.bronze.pharmacy_claims import NDC
from claims_assets.contracts import Contract
from claims_assets.table import Whole, table

STATUS = r"(?i)^\s*(completed|not-done)\s*$"


class Immunizations(Contract):
    """Registry immunization records as they came: one row per line of a landing file."""

    member_id: str = c.member_id()
    administered_date: c.Date = c.required("Day of the dose, or of the decision not to give it.")
    cvx_code: str = c.optional("CVX as written.", str_matches=r"^\s*[0-9]{1,3}\s*$")
    ndc_code: str = c.optional("NDC as written.", str_matches=NDC)
    lot_number: str = c.optional("Lot.")
    status: str = c.optional("completed or not-done, as written; missing: completed.", str_matches=STATUS)
    reason: str = c.optional("Why a dose was not given, as written.")
    source: str = c.optional("Who reported it, as written.")
    known_from: str = c.known_from()
    received_month: str = c.received_month()
    source_file: str = c.source_file()
    source_line: c.Count = c.source_line()

    class Config:
        unique = ["source_file", "source_line"]


@table(
    Immunizations,
    partitioned=False,
    keeps_rows_of=["landing_immunizations"],
    domain="members",
    span=("administered_date", "administered_date"),
)
def immunizations(landing_immunizations: Whole) -> DataFrame:
    """Types the landed text and adds the month it became known: received, else administered."""
    administered = F.col("administered_date").try_cast("date")
    return landing_immunizations.withColumn("known_from", known_from(administered))
