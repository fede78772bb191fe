"""Medical claim lines that stand today: final action, with the flags that reports use.

Here: the filter, flags of one line, and rules that count doubtful lines and keep them. Elsewhere: chains, repeats and
clean codes (`silver/claim_versions.py`), what the flags mean (`silver/codes.py`), how codes and headers are judged
(`silver/claim_findings.py`), enrolment on the day of service (`silver/claim_enrolment.py`), stays and visits made of
several lines (`silver/encounters.py`).
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from claims_assets import columns as c
from claims_assets.bronze.claim_links import MEDICAL
from claims_assets.contracts import rule
from claims_assets.silver.claim_enrolment import ENROLMENT_RULES, enrolment_column, with_enrolment
from claims_assets.silver.claim_findings import (
    CLAIM_FORMS,
    claim_form,
    with_diagnosis_findings,
    with_header_findings,
)
from claims_assets.silver.claim_versions import MedicalColumns
from claims_assets.silver.codes import NDC_11, is_emergency, is_inpatient, is_paid, stands_today
from claims_assets.sources.code_sets import place_of_service_codes
from claims_assets.table import Whole, table

HIGH_COST = 10_000
"""USD paid for one line; public project sechan9999/GenZ, notebooks/02_silver_cleaning.py."""
AMOUNTS_ADD_UP = (
    "coalesce(claim_status, 'PAID') <> 'PAID' or abs(allowed_amount - paid_amount - member_liability) <= 0.01"
)
"""Allowed = paid + coinsurance, copay and deductible, to the cent (Tuva input layer); asked of paid lines alone."""


class MedicalClaims(MedicalColumns):
    """Medical claim lines that stand today: one row per line after voids and replacements.

    Denied and pending lines are here too, told apart by `claim_status`; cost and utilization use paid ones.
    """

    length_of_stay: c.Whole = c.optional("Days from admission to discharge of an inpatient line; 0 for the same day.")
    emergency_flag: bool = c.flag("Emergency by claim type, revenue code, procedure or place of service.")
    inpatient_flag: bool = c.flag("Inpatient by claim type.")
    high_cost_flag: bool = c.flag("Paid more than 10,000 USD.")
    is_encounter_record: bool = c.flag("Paid with an amount of 0, as capitated encounters are reported.")
    claim_year: c.Whole = c.required("Year of service.")
    claim_quarter: c.Whole = c.required("Quarter of service, 1 to 4.")
    enrolment: str = enrolment_column()

    place_of_service: str = c.optional("Place of service, 2 digits.", isin=place_of_service_codes())
    ndc_code: str = c.optional("NDC of a drug given, 11 digits where its form tells them.", str_matches=NDC_11)
    claim_form: str = c.optional("institutional or professional, by the codes of the line.", isin=CLAIM_FORMS)
    unknown_diagnosis_count: c.Whole = c.optional(
        "Diagnoses that no code list in force on the day of service names; NULL: the line has no diagnosis."
    )
    heading_diagnosis_count: c.Whole = c.optional(
        "Diagnoses that are headings of longer codes, too short to bill; NULL: the line has no diagnosis."
    )
    header_conflicts: c.Words = c.required("Columns that differ between the claim's lines but should not; often empty.")
    has_line_gap: bool = c.flag("Line numbers of the claim are missing between those it has in the month.")

    class Config:
        unique = ["claim_id", "claim_line_number", "claim_month"]
        metadata = {
            "rules": {
                **ENROLMENT_RULES,
                "diagnoses_are_known": rule(
                    "unknown_diagnosis_count = 0",
                    severity="warn",
                    dimension="validity",
                    about=["unknown_diagnosis_count"],
                ),
                "diagnoses_are_billable": rule(
                    "heading_diagnosis_count = 0",
                    severity="warn",
                    dimension="validity",
                    about=["heading_diagnosis_count"],
                ),
                "claim_header_agrees": rule("size(header_conflicts) = 0", severity="warn"),
                "claim_lines_are_complete": rule("not has_line_gap", severity="warn"),
                "amounts_add_up": rule(
                    AMOUNTS_ADD_UP, severity="warn", about=["allowed_amount", "paid_amount", "member_liability"]
                ),
            }
        }


@table(MedicalClaims)
def medical_claims(
    silver_claim_versions: DataFrame,
    silver_member_months: DataFrame,
    bronze_member_eligibility: Whole,
    bronze_diagnosis_codes: Whole,
) -> DataFrame:
    """Keeps the versions that nothing has cancelled so far, adds the flags, and says what is doubtful."""
    standing = silver_claim_versions.where((F.col("claim_feed") == MEDICAL) & stands_today())
    judged = with_diagnosis_findings(standing, bronze_diagnosis_codes).transform(with_header_findings)
    flagged = judged.withColumns(
        {
            "length_of_stay": _length_of_stay(),
            "emergency_flag": is_emergency(),
            "inpatient_flag": is_inpatient(),
            "high_cost_flag": F.coalesce(F.col("paid_amount") > HIGH_COST, F.lit(False)),
            "is_encounter_record": is_paid() & F.coalesce(F.col("paid_amount") == 0, F.lit(False)),
            "claim_year": F.year("service_from_date"),
            "claim_quarter": F.quarter("service_from_date"),
            "claim_form": claim_form(),
        }
    )
    return with_enrolment(flagged, "service_from_date", silver_member_months, bronze_member_eligibility)


def _length_of_stay() -> Column:
    """NULL for reversed dates: how long such a stay was can't be told."""
    days = F.datediff("discharge_date", "admit_date").cast("int")
    return F.when(is_inpatient() & (days >= 0), days)
