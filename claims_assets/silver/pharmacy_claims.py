"""Pharmacy fills that stand today: final action, with the drug flags that features count.

Elsewhere: reversals, repeats and clean codes (`silver/claim_versions.py`), enrolment on the day of the fill
(`silver/claim_enrolment.py`).
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from claims_assets import columns as c
from claims_assets.bronze.claim_links import PHARMACY
from claims_assets.bronze.pharmacy_claims import DAYS_SUPPLY
from claims_assets.silver.claim_enrolment import ENROLMENT_RULES, enrolment_column, with_enrolment
from claims_assets.silver.claim_versions import PharmacyColumns
from claims_assets.silver.codes import NDC_11, stands_today
from claims_assets.table import Whole, table

HIGH_COST_RX = 500
"""USD paid for one fill; public project sechan9999/GenZ, notebooks/02_silver_cleaning.py."""
GENERIC = ("G", "GENERIC", "Y", "YES", "TRUE", "1")
BRAND = ("B", "BRAND", "N", "NO", "FALSE", "0")
CONTROLLED = "OPIOID|BENZODIAZEPINE|STIMULANT"
"""Words in a therapeutic class; public project sechan9999/GenZ, notebooks/02_silver_cleaning.py."""


class PharmacyClaims(PharmacyColumns):
    """Pharmacy fills that stand today: one row per fill after reversals and replacements.

    Denied and pending fills are here too, told apart by `claim_status`; cost and utilization use paid ones.
    """

    expected_end_date: c.Date = c.optional("Day after the last day supplied.")
    is_generic: bool = c.optional("True generic, false brand, NULL where the feed does not say.")
    high_cost_rx_flag: bool = c.flag("Paid more than 500 USD.")
    controlled_substance_flag: bool = c.flag("Opioid, benzodiazepine or stimulant, by therapeutic class.")
    enrolment: str = enrolment_column()

    ndc_code: str = c.optional("NDC, 11 digits where its form tells them.", str_matches=NDC_11)

    class Config:
        unique = ["claim_id", "claim_line_number", "claim_month"]
        metadata = {"rules": ENROLMENT_RULES}


@table(PharmacyClaims)
def pharmacy_claims(
    silver_claim_versions: DataFrame, silver_member_months: DataFrame, bronze_member_eligibility: Whole
) -> DataFrame:
    """Keeps the versions that nothing has cancelled so far, and adds the flags."""
    standing = silver_claim_versions.where((F.col("claim_feed") == PHARMACY) & stands_today())
    flagged = standing.withColumns(
        {
            "expected_end_date": _expected_end(),
            "is_generic": _is_generic(),
            "high_cost_rx_flag": F.coalesce(F.col("paid_amount") > HIGH_COST_RX, F.lit(False)),
            "controlled_substance_flag": F.coalesce(F.col("therapeutic_class").rlike(CONTROLLED), F.lit(False)),
        }
    )
    return with_enrolment(flagged, "fill_date", silver_member_months, bronze_member_eligibility)


def _expected_end() -> Column:
    """NULL for an impossible supply, which bronze has warned about."""
    possible = F.col("days_supply").between(DAYS_SUPPLY["min_value"], DAYS_SUPPLY["max_value"])
    return F.when(possible, F.date_add("fill_date", F.col("days_supply")))


def _is_generic() -> Column:
    written = F.col("generic_indicator")
    return F.when(written.isin(*GENERIC), F.lit(True)).when(written.isin(*BRAND), F.lit(False))
