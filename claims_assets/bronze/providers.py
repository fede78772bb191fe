"""Providers as they came from the provider database, typed: one row per row of the snapshot.

Elsewhere: versions of a provider and valid NPIs (`silver/providers.py`).
"""

from pyspark.sql import DataFrame

from claims_assets import columns as c
from claims_assets.contracts import Contract, rule
from claims_assets.table import Whole, table


class Providers(Contract):
    """Providers as they came: one row per row of the provider database's snapshot."""

    provider_id: str = c.required("Provider id; claims name it.")
    provider_name: str = c.optional("Name as written.", expected=True)
    provider_type: str = c.optional("Type as written.", expected=True)
    specialty: str = c.optional("Specialty as written.", expected=True)
    npi: str = c.optional("National provider identifier as written.", expected=True, str_matches=r"^\s*[0-9]{10}\s*$")
    taxonomy_code: str = c.optional("Provider taxonomy code.", str_matches=r"(?i)^\s*[0-9A-Z]{10}\s*$")
    address_line1: str = c.optional("Street as written.")
    city: str = c.optional("City as written.")
    state: str = c.optional("State as written.")
    zip_code: str = c.optional(
        "ZIP or ZIP+4 as written.", expected=True, str_matches=r"^\s*[0-9]{5}([\s-]?[0-9]{4})?\s*$"
    )
    active_from: c.Date = c.optional("First day the row holds.")
    active_to: c.Date = c.optional("Last day the row holds; missing: open.")
    received_month: str = c.received_month()
    source_file: str = c.source_file()
    source_line: c.Count = c.source_line()

    class Config:
        unique = ["source_file", "source_line"]
        metadata = {
            "rules": {
                "active_dates_are_ordered": rule(
                    "active_from <= active_to", severity="warn", about=["active_from", "active_to"]
                )
            }
        }


@table(Providers, partitioned=False, keeps_rows_of=["landing_providers"], phi="none", domain="providers")
def providers(landing_providers: Whole) -> DataFrame:
    """Types the rows; what lacks a provider id is quarantined with its text."""
    return landing_providers
