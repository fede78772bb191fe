"""Pharmacy fills as they came, typed: one row per line of a landing file.

Elsewhere: reversals and duplicates (`silver/claim_versions.py`), drug flags (`silver/pharmacy_claims.py`).
"""

from pyspark.sql import DataFrame

from claims_assets import columns as c
from claims_assets.bronze.known import with_known_from
from claims_assets.bronze.medical_claims import ADJUSTMENT_INDICATORS, CLAIM_STATUSES
from claims_assets.contracts import Contract
from claims_assets.table import table

NDC = r"^([0-9]{9,11}|[0-9]{4,5}-[0-9]{3,4}-[0-9]{1,2})$"
"""10 or 11 digits (9 where leading zeros were lost), or the dashed forms 4-4-2, 5-3-2, 5-4-1 and 5-4-2."""
DAYS_SUPPLY = {"min_value": 1, "max_value": 365}


class PharmacyClaims(Contract):
    """Pharmacy fills as they came: one row per line of a landing file."""

    claim_id: str = c.claim_id()
    member_id: str = c.member_id()
    claim_month: str = c.claim_month()
    fill_date: c.Date = c.required("Day of the fill; its month is the claim month.")
    ndc_code: str = c.required("NDC as written.", str_matches=NDC, severity="warn")
    paid_date: c.Date = c.optional("Day the plan paid or decided.")
    pharmacy_id: str = c.optional("Pharmacy id.", expected=True)
    prescriber_id: str = c.optional("Prescriber; joins `providers`.", expected=True)
    drug_name: str = c.optional("Drug as written.")
    days_supply: c.Whole = c.optional("Days the fill lasts.", expected=True, in_range=DAYS_SUPPLY)
    quantity: c.Quantity = c.optional("Quantity dispensed.", ge=0)
    refill_number: c.Whole = c.optional("0 for the first fill.", ge=0)
    adjustment_indicator: str = c.required(
        "0 original, 1 void, 4 replacement.", severity="warn", isin=ADJUSTMENT_INDICATORS
    )
    original_claim_id: str = c.optional("Claim that this one voids or replaces.")
    claim_status: str = c.optional("PAID, DENIED, PENDING or REVERSED.", isin=CLAIM_STATUSES)
    allowed_amount: c.Money = c.amount("Allowed, USD.", ge=0)
    paid_amount: c.Money = c.amount("Paid by the plan, USD.", expected=True, ge=0)
    member_copay: c.Money = c.amount("Owed by the member, USD.", ge=0)
    generic_indicator: str = c.optional("Generic or brand, as written.")
    therapeutic_class: str = c.optional("Therapeutic class, as written.")
    known_from: str = c.known_from()
    received_month: str = c.received_month()
    source_file: str = c.source_file()
    source_line: c.Count = c.source_line()

    class Config:
        unique = ["source_file", "source_line"]


@table(PharmacyClaims, keeps_rows_of=["landing_pharmacy_claims"])
def pharmacy_claims(landing_pharmacy_claims: DataFrame) -> DataFrame:
    """Types the landed text; what can't be typed or lacks a required value is quarantined with its text."""
    return landing_pharmacy_claims.fillna({"adjustment_indicator": "0"}).transform(with_known_from)
