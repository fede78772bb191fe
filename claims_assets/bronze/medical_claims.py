"""Medical claim lines as they came, typed: one row per line of a landing file.

Here: types, and rules that need nothing but the row. Elsewhere: voids, replacements and duplicates
(`silver/claim_versions.py`), code clean-up (there too).
"""

from pyspark.sql import DataFrame

from claims_assets import columns as c
from claims_assets.bronze.known import with_known_from
from claims_assets.contracts import Contract, rule
from claims_assets.table import table

CLAIM_TYPES = ("IP", "OP", "ER", "PROF", "LTC", "DENTAL")
CLAIM_STATUSES = ("PAID", "DENIED", "PENDING", "REVERSED")
ADJUSTMENT_INDICATORS = ("0", "1", "4")
"""0 original, 1 void, 4 replacement (T-MSIS ADJUSTMENT-IND)."""

DIAGNOSIS = r"^[A-Za-z0-9]{3}\.?[A-Za-z0-9]{0,4}$"
"""Shape shared by ICD-9-CM and ICD-10-CM, dot optional; which of the two holds is a question of the service date.

The stage has trimmed the values. The letters are spelled out, because a case-insensitive pattern costs twice the time.
"""
PROCEDURE = r"^([0-9]{5}|[0-9]{4}[FTUMftum]|[A-Va-v][0-9]{4})$"
"""CPT categories I, II (F), III (T), M and U endings, and HCPCS level II."""
REVENUE = r"^[0-9]{3,4}$"
"""The list of revenue codes is licensed (American Hospital Association, NUBC), so only their shape is judged."""
BILL_TYPE = r"^0?[1-9][1-9][0-9A-Za-z]$"
"""Leading zero (optional), type of facility, classification, frequency (CMS Claims Processing Manual, chapter 25)."""
DRG = r"^(0{0,2}[1-9]|0?[1-9][0-9]|[1-9][0-9]{2}|[0-9]{3}[1-4])$"
"""MS-DRG 001 to 999, also where leading zeros were lost; or an APR-DRG with its severity of illness, 1 to 4."""


def _diagnosis(position: int):
    return c.optional(
        f"Diagnosis {position}, ICD-9-CM or ICD-10-CM, as written.", expected=position == 1, str_matches=DIAGNOSIS
    )


class MedicalClaims(Contract):
    """Medical claim lines as they came: one row per line of a landing file."""

    claim_id: str = c.claim_id()
    claim_line_number: c.Whole = c.claim_line_number()
    member_id: str = c.member_id()
    claim_month: str = c.claim_month()
    claim_date: c.Date = c.required("Date the claim carries.")
    service_from_date: c.Date = c.required("First day of service; its month is the claim month.")
    service_to_date: c.Date = c.optional("Last day of service.")
    admit_date: c.Date = c.optional("Admission.")
    discharge_date: c.Date = c.optional("Discharge.")
    paid_date: c.Date = c.optional("Day the plan paid or decided.")
    provider_id: str = c.optional("Provider id; joins `providers`.", expected=True)
    adjustment_indicator: str = c.required(
        "0 original, 1 void, 4 replacement.", severity="warn", isin=ADJUSTMENT_INDICATORS
    )
    original_claim_id: str = c.optional("Claim that this one voids or replaces.")
    claim_type: str = c.optional("IP, OP, ER, PROF, LTC or DENTAL.", isin=CLAIM_TYPES)
    claim_status: str = c.optional("PAID, DENIED, PENDING or REVERSED.", expected=True, isin=CLAIM_STATUSES)
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
    procedure_code_1: str = c.optional("CPT or HCPCS, as written.", expected=True, str_matches=PROCEDURE)
    procedure_code_2: str = c.optional("Second CPT or HCPCS, as written.", str_matches=PROCEDURE)
    procedure_modifier_1: str = c.optional("First modifier.")
    procedure_modifier_2: str = c.optional("Second modifier.")
    revenue_code: str = c.optional("Revenue code, 3 or 4 digits.", str_matches=REVENUE)
    bill_type_code: str = c.optional("Type of bill, 3 or 4 characters.", str_matches=BILL_TYPE)
    place_of_service: str = c.optional("Place of service, 2 digits.", str_matches=r"^[0-9]{1,2}$")
    drg_code: str = c.optional("DRG, 3 digits; 4 for an APR-DRG with its severity.", str_matches=DRG)
    ndc_code: str = c.optional("NDC of a drug given, as written.")
    billed_amount: c.Money = c.amount("Billed, USD.", ge=0)
    allowed_amount: c.Money = c.amount("Allowed, USD.", ge=0)
    paid_amount: c.Money = c.amount(
        "Paid by the plan, USD; negative where a payer writes reversals so.", expected=True, ge=0
    )
    member_liability: c.Money = c.amount("Owed by the member, USD.", ge=0)
    service_units: c.Whole = c.optional("Units of service.", ge=0)
    known_from: str = c.known_from()
    received_month: str = c.received_month()
    source_file: str = c.source_file()
    source_line: c.Count = c.source_line()

    class Config:
        unique = ["source_file", "source_line"]
        metadata = {
            "rules": {
                "service_dates_are_ordered": rule(
                    "service_from_date <= service_to_date", severity="warn", about=["service_to_date"]
                ),
                "stay_dates_are_ordered": rule(
                    "admit_date <= discharge_date", severity="warn", about=["admit_date", "discharge_date"]
                ),
                "adjustment_names_its_claim": rule(
                    "adjustment_indicator = '0' or original_claim_id is not null", severity="warn"
                ),
            }
        }


@table(MedicalClaims, keeps_rows_of=["landing_medical_claims"])
def medical_claims(landing_medical_claims: DataFrame) -> DataFrame:
    """Types the landed text; what can't be typed or lacks a required value is quarantined with its text."""
    return landing_medical_claims.fillna({"claim_line_number": "1", "adjustment_indicator": "0"}).transform(
        with_known_from
    )
