"""Medical claim lines that stand today: final action, with the flags that reports and the source documents' SQL use.

Here: the filter, and flags of one line. Elsewhere: chains, repeats and clean codes (`silver/claim_versions.py`), what
the flags mean (`silver/codes.py`), enrolment on the day of service (`silver/claim_enrolment.py`), stays and visits made
of several lines (`silver/encounters.py`).
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from claims_assets import columns as c
from claims_assets.bronze.claim_links import MEDICAL
from claims_assets.silver.claim_enrolment import ENROLMENT_RULES, enrolment_column, with_enrolment
from claims_assets.silver.claim_versions import MedicalColumns
from claims_assets.silver.codes import is_emergency, is_inpatient, is_paid, stands_today
from claims_assets.table import Whole, table

HIGH_COST = 10_000
"""USD paid for one line; source documents, silver rules."""


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

    class Config:
        unique = ["claim_id", "claim_line_number", "claim_month"]
        metadata = {"rules": ENROLMENT_RULES}


@table(MedicalClaims)
def medical_claims(
    silver_claim_versions: DataFrame, silver_member_months: DataFrame, bronze_member_eligibility: Whole
) -> DataFrame:
    """Keeps the versions that nothing has cancelled so far, and adds the flags."""
    standing = silver_claim_versions.where((F.col("claim_feed") == MEDICAL) & stands_today())
    flagged = standing.withColumns(
        {
            "length_of_stay": _length_of_stay(),
            "emergency_flag": is_emergency(),
            "inpatient_flag": is_inpatient(),
            "high_cost_flag": F.coalesce(F.col("paid_amount") > HIGH_COST, F.lit(False)),
            "is_encounter_record": is_paid() & F.coalesce(F.col("paid_amount") == 0, F.lit(False)),
            "claim_year": F.year("service_from_date"),
            "claim_quarter": F.quarter("service_from_date"),
        }
    )
    return with_enrolment(flagged, "service_from_date", silver_member_months, bronze_member_eligibility)


def _length_of_stay() -> Column:
    """NULL for reversed dates: how long such a stay was can't be told."""
    days = F.datediff("discharge_date", "admit_date").cast("int")
    return F.when(is_inpatient() & (days >= 0), days)
