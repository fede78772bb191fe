"""Pharmacy fills that stand today, and the flags of one fill."""

import pytest

from claims_assets.silver.claim_versions import ClaimVersions
from claims_assets.silver.pharmacy_claims import PharmacyClaims, pharmacy_claims

DAY = "2024-05-15"
FILL = {
    "claim_feed": "pharmacy",
    "claim_id": "A",
    "claim_line_number": 1,
    "member_id": "M1",
    "claim_month": "2024-05",
    "claim_date": DAY,
    "service_from_date": DAY,
    "fill_date": DAY,
    "adjustment_indicator": "0",
    "root_claim_id": "A",
    "known_from": "2024-05",
    "source_file": "pharmacy.csv",
    "source_line": 2,
}


@pytest.fixture
def standing(rows, enrolled):
    """Rows of pharmacy_claims from literal rows of claim_versions."""

    def build(*given):
        frame = pharmacy_claims(rows(ClaimVersions, *[FILL | g for g in given]), *enrolled)
        return frame.orderBy("claim_id").collect()

    return build


def numbered(column, values):
    return [{"claim_id": f"{i:02d}", column: value} for i, value in enumerate(values)]


@pytest.mark.requirement("R18")
def test_a_reversed_fill_does_not_count_R18(standing):
    found = standing(
        {"claim_id": "A", "cancelled_on": "2024-06", "cancelled_by": "V"},
        {"claim_id": "V", "adjustment_indicator": "1"},
        {"claim_id": "B", "claim_status": "DENIED"},
        {"claim_id": "C", "claim_feed": "medical"},
    )
    assert [r.claim_id for r in found] == ["B"]


def test_a_supply_ends_its_days_after_the_fill(standing):
    found = standing(*numbered("days_supply", [30, 1, 365, 366, 0, None, 2_000_000_000]))
    assert [r.expected_end_date and str(r.expected_end_date) for r in found] == [
        "2024-06-14", "2024-05-16", "2025-05-15", None, None, None, None,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("written", "expected"),
    [(["G", "GENERIC", "Y", "TRUE", "1"], True), (["B", "BRAND", "N", "FALSE", "0"], False), (["?", "M", None], None)],
)
def test_generic_and_brand_are_told_apart_in_all_spellings(standing, written, expected):
    assert {r.is_generic for r in standing(*numbered("generic_indicator", written))} == {expected}


def test_a_fill_costs_much_above_five_hundred(standing):
    assert [r.high_cost_rx_flag for r in standing(*numbered("paid_amount", ["500", "500.01", None]))] == [
        False,
        True,
        False,
    ]


def test_controlled_substances_are_told_by_their_class(standing):
    classes = ["OPIOID ANALGESICS", "ANTI-ANXIETY: BENZODIAZEPINES", "STIMULANTS", "STATINS", None]
    found = standing(*numbered("therapeutic_class", classes))
    assert [r.controlled_substance_flag for r in found] == [True, True, True, False, False]


def test_the_table_keeps_its_contract(rows, lake, enrolled):
    frame = pharmacy_claims(rows(ClaimVersions, FILL, FILL | {"claim_id": "B", "source_line": 3}), *enrolled)
    found = lake.write(frame, "silver", "pharmacy_claims", PharmacyClaims, ["2024-05"])
    assert (found.rows_kept, found.blocked, found.failed_by_rule()) == (2, [], {})


def test_a_drug_code_that_is_not_eleven_digits_is_counted_and_kept(rows, enrolled, lake):
    given = numbered("ndc_code", ["00002143380", None, "0002143380", "2143380"])
    frame = pharmacy_claims(rows(ClaimVersions, *[FILL | g for g in given]), *enrolled)
    found = lake.write(frame, "silver", "pharmacy_claims", PharmacyClaims, ["2024-05"])
    assert (found.rows_kept, found.failed_by_rule()) == (4, {"ndc_code_is_well_formed": 2})
