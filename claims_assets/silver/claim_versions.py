"""Every version of every claim line, medical and pharmacy, with the months in which it counted.

Here: codes in their clean form, repeated lines, what the chains mean for a line. Elsewhere: the chains themselves
(`bronze/claim_links.py`), what stands today (`silver/medical_claims.py`, `silver/pharmacy_claims.py`), clean forms and
the meaning of codes (`silver/codes.py`).
"""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from claims_assets import columns as c
from claims_assets.bronze.chains import CYCLE, UNKNOWN_ORIGINAL, VOID
from claims_assets.bronze.claim_links import CLAIM_FEEDS, MEDICAL, PHARMACY, normal_indicator
from claims_assets.contracts import Contract, compiled, reject
from claims_assets.silver import codes
from claims_assets.table import Whole, table


class VersionColumns(Contract):
    """Columns that a line of either feed has in silver."""

    claim_id: str = c.claim_id()
    claim_line_number: c.Whole = c.claim_line_number()
    member_id: str = c.member_id()
    claim_month: str = c.claim_month()
    paid_date: c.Date = c.optional("Day the plan paid or decided.")
    adjustment_indicator: str = c.required("0 original, 1 void, 4 replacement; any other value is a 0.", isin=["0", "1", "4"])
    original_claim_id: str = c.optional("Claim that this one voids or replaces, as written.")
    root_claim_id: str = c.required("Claim at the top of the chain; the claim itself where it has none.")
    claim_status: str = c.optional("PAID, DENIED, PENDING or REVERSED; NULL counts as PAID.")
    ndc_code: str = c.optional("NDC, 11 digits where its form tells them.")
    allowed_amount: c.Money = c.amount("Allowed, USD.")
    paid_amount: c.Money = c.amount("Paid by the plan, USD; cumulative, a replacement states the whole amount.")
    known_from: str = c.known_from()
    received_month: str = c.received_month()
    source_file: str = c.source_file()
    source_line: c.Count = c.source_line()


def _diagnosis(position: int):
    return c.optional(f"Diagnosis {position}, ICD-9-CM or ICD-10-CM without dot.")


class MedicalColumns(VersionColumns):
    """Columns of a medical line in silver."""

    claim_date: c.Date = c.required("Date the claim carries.")
    service_from_date: c.Date = c.required("First day of service; its month is the claim month.")
    service_to_date: c.Date = c.optional("Last day of service; as written, also where it is before the first.")
    admit_date: c.Date = c.optional("Admission.")
    discharge_date: c.Date = c.optional("Discharge.")
    provider_id: str = c.optional("Provider id; joins `providers`.")
    claim_type: str = c.optional("IP, OP, ER, PROF, LTC, DENTAL; RX for a pharmacy fill.")
    diagnosis_code_1: str = _diagnosis(1)
    diagnosis_code_2: str = _diagnosis(2)
    diagnosis_code_3: str = _diagnosis(3)
    diagnosis_code_4: str = _diagnosis(4)
    diagnosis_code_5: str = _diagnosis(5)
    diagnosis_code_6: str = _diagnosis(6)
    diagnosis_code_7: str = _diagnosis(7)
    diagnosis_code_8: str = _diagnosis(8)
    diagnosis_code_9: str = _diagnosis(9)
    diagnosis_code_10: str = _diagnosis(10)
    diagnosis_code_11: str = _diagnosis(11)
    diagnosis_code_12: str = _diagnosis(12)
    procedure_code_1: str = c.optional("CPT or HCPCS.")
    procedure_code_2: str = c.optional("Second CPT or HCPCS.")
    procedure_modifier_1: str = c.optional("First modifier.")
    procedure_modifier_2: str = c.optional("Second modifier.")
    revenue_code: str = c.optional("Revenue code, 4 digits.")
    bill_type_code: str = c.optional("Type of bill.")
    place_of_service: str = c.optional("Place of service, 2 digits.")
    drg_code: str = c.optional("DRG.")
    billed_amount: c.Money = c.amount("Billed, USD.")
    member_liability: c.Money = c.amount("Owed by the member, USD.")
    service_units: c.Whole = c.optional("Units of service.")


class PharmacyColumns(VersionColumns):
    """Columns of a pharmacy fill in silver."""

    fill_date: c.Date = c.optional("Day of the fill; its month is the claim month.")
    pharmacy_id: str = c.optional("Pharmacy id.")
    prescriber_id: str = c.optional("Prescriber; joins `providers`.")
    drug_name: str = c.optional("Drug as written.")
    days_supply: c.Whole = c.optional("Days the fill lasts.")
    quantity: c.Quantity = c.optional("Quantity dispensed.")
    refill_number: c.Whole = c.optional("0 for the first fill.")
    member_copay: c.Money = c.amount("Owed by the member, USD.")
    generic_indicator: str = c.optional("Generic or brand, as written, upper case.")
    therapeutic_class: str = c.optional("Therapeutic class, as written, upper case.")


class ClaimVersions(MedicalColumns, PharmacyColumns):
    """Every version of every claim line, medical and pharmacy, with the months in which it counted.

    A version counts as of month M when `known_from <= M`, M is before `cancelled_on` (or that is NULL), and it is no void.
    """

    claim_feed: str = c.required("medical or pharmacy.", isin=CLAIM_FEEDS)
    cancelled_on: str = c.month("First month in which a later version of the chain was known; NULL: it stands.")
    cancelled_by: str = c.optional("Claim id of the version that stood last in that month.")

    class Config:
        unique = ["claim_feed", "claim_id", "claim_line_number", "adjustment_indicator", "claim_month"]


CLEAN = {
    "claim_id": codes.normal_id,
}
