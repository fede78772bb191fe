"""Pharmacy fills as they came: typed, nothing repaired, nothing lost."""

import pytest
from deltalake import DeltaTable

from claims_assets.bronze.pharmacy_claims import PharmacyClaims, pharmacy_claims
from claims_assets_tests.bronze.test_claim_links import landed

MONTH = "2024-01"
FILL = {"claim_id": "A", "fill_date": "2024-01-15", "ndc_code": "00002143380"}


@pytest.fixture
def write(spark, lake):
    """Write landed fills as bronze: (findings, kept rows)."""

    def go(*given):
        frame = pharmacy_claims(landed(spark, PharmacyClaims, *[FILL | g for g in given]))
        found = lake.write(frame, "bronze", "pharmacy_claims", PharmacyClaims, [MONTH], rows_expected=len(given))
        return found, DeltaTable(str(lake.path("bronze", "pharmacy_claims"))).to_pyarrow_table().sort_by(
            "source_line"
        ).to_pylist()

    return go


def test_a_fill_is_typed_and_its_default_is_filled(write):
    found, (row,) = write(
        {"quantity": "30.5", "days_supply": "30", "refill_number": "0", "paid_amount": "7", "claim_status": "PAID"}
    )
    assert found.failed_by_rule() == {}
    assert (str(row["quantity"]), row["days_supply"], row["refill_number"], str(row["paid_amount"])) == (
        "30.500",
        30,
        0,
        "7.00",
    )
    assert (row["adjustment_indicator"], row["claim_status"], row["known_from"]) == ("0", "PAID", "2024-01")


@pytest.mark.requirement("R18")
def test_status_and_reversal_survive_R18(write):
    _, (row,) = write(
        {"adjustment_indicator": "1", "original_claim_id": "B", "claim_status": "REVERSED", "paid_amount": "-7.00"}
    )
    assert (row["adjustment_indicator"], row["original_claim_id"], row["claim_status"]) == ("1", "B", "REVERSED")
    assert str(row["paid_amount"]) == "-7.00"


def test_leading_zeros_of_a_drug_code_survive(write):
    found, rows = write(
        *[{"ndc_code": n} for n in ("00002143380", "0002-1433-80", "50242-040-62", "60575-4112-1", "12345-6789-01")]
    )
    assert found.failed_by_rule() == {}
    assert rows[0]["ndc_code"] == "00002143380"


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ({"days_supply": "0"}, "days_supply_is_in_range"),
        ({"days_supply": "366"}, "days_supply_is_in_range"),
        ({"days_supply": "a month"}, "days_supply_is_readable"),
        ({"ndc_code": "aspirin"}, "ndc_code_is_well_formed"),
        ({"claim_status": "SETTLED"}, "claim_status_is_known"),
    ],
)
def test_a_doubtful_fill_is_kept_with_a_warning(write, given, rule):
    found, rows = write(given)
    assert found.failed_by_rule() == {rule: 1}
    assert len(rows) == 1


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ({"fill_date": "15.01.2024"}, "fill_date_is_readable"),
        ({"ndc_code": None}, "ndc_code_is_present"),
        ({"paid_amount": "free"}, "paid_amount_is_readable"),
    ],
)
def test_a_fill_that_cannot_be_used_is_quarantined(write, given, rule):
    found, rows = write(given)
    assert rule in found.failed_by_rule()
    assert (found.rows_quarantined, rows) == (1, [])
