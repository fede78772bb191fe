"""Medical claim lines as they came: typed, nothing repaired, nothing lost."""

import json

import pytest
from deltalake import DeltaTable

from claims_assets.bronze.medical_claims import MedicalClaims, medical_claims
from claims_assets_tests.bronze.test_claim_links import landed

MONTH = "2024-01"
DAY = "2024-01-15"
LINE = {"claim_id": "A", "claim_date": DAY, "service_from_date": DAY, "service_to_date": DAY}


@pytest.fixture
def write(spark, lake):
    """Write landed lines as bronze: (findings, kept rows)."""

    def go(*given):
        frame = medical_claims(landed(spark, MedicalClaims, *[LINE | g for g in given]))
        found = lake.write(frame, "bronze", "medical_claims", MedicalClaims, [MONTH], rows_expected=len(given))
        return found, DeltaTable(str(lake.path("bronze", "medical_claims"))).to_pyarrow_table().sort_by(
            "source_line"
        ).to_pylist()

    return go


def test_a_line_is_typed_and_its_defaults_are_filled(write):
    found, (row,) = write(
        {"paid_amount": "12.5", "service_units": "3", "diagnosis_code_1": "e11.9", "revenue_code": "0450"}
    )
    assert found.failed_by_rule() == {}
    assert (row["claim_line_number"], row["adjustment_indicator"], str(row["paid_amount"]), row["service_units"]) == (
        1,
        "0",
        "12.50",
        3,
    )
    assert (row["diagnosis_code_1"], row["revenue_code"], str(row["service_from_date"])) == ("e11.9", "0450", DAY)


@pytest.mark.parametrize(
    ("given", "known_from"),
    [
        ({"received_month": "2024-06", "paid_date": "2024-02-20"}, "2024-06"),
        ({"paid_date": "2024-02-20"}, "2024-02"),
        ({"paid_date": "soon"}, "2024-01"),
        ({}, "2024-01"),
    ],
)
def test_a_line_is_known_from_its_received_else_paid_else_claim_month(write, given, known_from):
    _, (row,) = write(given)
    assert row["known_from"] == known_from


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ({"service_to_date": "2024-01-01"}, "service_dates_are_ordered"),
        ({"admit_date": "2024-01-09", "discharge_date": "2024-01-08"}, "stay_dates_are_ordered"),
        ({"paid_amount": "-20"}, "paid_amount_is_at_least_0"),
        ({"adjustment_indicator": "1"}, "adjustment_names_its_claim"),
        ({"adjustment_indicator": "9", "original_claim_id": "B"}, "adjustment_indicator_is_known"),
        ({"claim_type": "VISION"}, "claim_type_is_known"),
        ({"diagnosis_code_12": "?"}, "diagnosis_code_12_is_well_formed"),
        ({"service_units": "many"}, "service_units_is_readable"),
        ({"procedure_code_1": "0001X"}, "procedure_code_1_is_well_formed"),
        ({"procedure_code_2": "9928"}, "procedure_code_2_is_well_formed"),
        ({"revenue_code": "45"}, "revenue_code_is_well_formed"),
        ({"bill_type_code": "0011"}, "bill_type_code_is_well_formed"),
        ({"bill_type_code": "1"}, "bill_type_code_is_well_formed"),
        ({"bill_type_code": "1111"}, "bill_type_code_is_well_formed"),
        ({"drg_code": "000"}, "drg_code_is_well_formed"),
        ({"drg_code": "1405"}, "drg_code_is_well_formed"),
    ],
)
def test_a_doubtful_line_is_kept_with_a_warning(write, given, rule):
    found, rows = write(given)
    assert found.failed_by_rule() == {rule: 1}
    assert len(rows) == 1


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ({"claim_id": None}, "claim_id_is_present"),
        ({"member_id": None}, "member_id_is_present"),
        ({"claim_line_number": "first"}, "claim_line_number_is_readable"),
        ({"claim_line_number": "0"}, "claim_line_number_is_at_least_1"),
        ({"claim_date": "2023-02-31"}, "claim_date_is_readable"),
        ({"paid_amount": "12,50"}, "paid_amount_is_readable"),
    ],
)
def test_a_line_that_cannot_be_used_is_quarantined_with_its_text(write, lake, given, rule):
    found, rows = write(given, {})
    assert rule in found.failed_by_rule()
    assert (found.rows_kept, found.rows_quarantined, len(rows)) == (1, 1, 1)
    (aside,) = DeltaTable(str(lake.path("quarantine", "bronze_medical_claims"))).to_pyarrow_table().to_pylist()
    ((column, text),) = given.items()
    assert rule in aside["_reasons"]
    assert json.loads(aside["_raw"]).get(column) == text


@pytest.mark.requirement("R37", "R38")
def test_legal_codes_of_all_shapes_raise_no_warning_R37_R38(write):
    diagnoses = ["U07.1", "U099", "E119", "C4A.9", "Z3A", "M1A.9XX0", "250.00", "V5789", "E8490", "e11.9"]
    procedures = ["99285", "0001F", "0042T", "0001U", "0001M", "G0008", "a0428"]
    codes = [{"diagnosis_code_1": d} for d in diagnoses] + [{"procedure_code_1": p} for p in procedures]
    codes += [{"revenue_code": r} for r in ("450", "0450")]
    codes += [{"bill_type_code": b} for b in ("111", "0111", "013X", "731", "89a")]
    codes += [{"drg_code": d} for d in ("1", "65", "001", "065", "999", "1401", "0474")]
    found, rows = write(*codes)
    assert found.failed_by_rule() == {}
    assert len(rows) == len(codes)
