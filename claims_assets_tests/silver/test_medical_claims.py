"""Medical claim lines that stand today, and the flags of one line."""

import pytest

from claims_assets.bronze.diagnosis_codes import DiagnosisCodes
from claims_assets.silver.claim_versions import ClaimVersions
from claims_assets.silver.codes import counts_as_cost
from claims_assets.silver.medical_claims import MedicalClaims, medical_claims

DAY = "2024-05-15"
LINE = {
    "claim_feed": "medical",
    "claim_id": "A",
    "claim_line_number": 1,
    "member_id": "M1",
    "claim_month": "2024-05",
    "claim_date": DAY,
    "service_from_date": DAY,
    "adjustment_indicator": "0",
    "root_claim_id": "A",
    "known_from": "2024-05",
    "source_file": "medical.csv",
    "source_line": 2,
}


@pytest.fixture
def claims(rows, enrolled):
    """medical_claims of literal rows of claim_versions, with a list of three diagnosis codes."""
    codes = rows(
        DiagnosisCodes,
        {"code": "E119", "code_system": "ICD-10-CM", "is_billable": True, "first_fiscal_year": 2016},
        {"code": "E11", "code_system": "ICD-10-CM", "is_billable": False, "first_fiscal_year": 2016},
        {"code": "25000", "code_system": "ICD-9-CM", "is_billable": True, "last_fiscal_year": 2015},
    )
    return lambda *given: medical_claims(rows(ClaimVersions, *[LINE | g for g in given]), *enrolled, codes)


@pytest.fixture
def standing(claims):
    """Rows of medical_claims from literal rows of claim_versions."""
    return lambda *given: claims(*given).orderBy("claim_id", "claim_line_number").collect()


def test_only_what_nothing_has_cancelled_stands(standing):
    found = standing(
        {"claim_id": "A", "cancelled_on": "2024-06", "cancelled_by": "B"},
        {"claim_id": "B", "adjustment_indicator": "4"},
        {"claim_id": "C", "cancelled_on": "2024-07", "cancelled_by": "V"},
        {"claim_id": "V", "adjustment_indicator": "1"},
        {"claim_id": "X"},
        {"claim_id": "Y", "claim_feed": "pharmacy"},
    )
    assert [r.claim_id for r in found] == ["B", "X"]


@pytest.mark.requirement("R7")
def test_a_chain_nets_to_its_final_amount_R7(standing):
    found = standing(
        {"claim_id": "A", "paid_amount": "100", "cancelled_on": "2024-06"},
        {"claim_id": "V", "paid_amount": "-100", "adjustment_indicator": "1", "cancelled_on": "2024-06"},
        {"claim_id": "B", "paid_amount": "80", "adjustment_indicator": "4"},
    )
    assert [str(r.paid_amount) for r in found] == ["80.00"]


@pytest.mark.parametrize(
    ("given", "is_emergency"),
    [
        ({"claim_type": "ER"}, True),
        ({"revenue_code": "0449"}, False),
        ({"revenue_code": "0450"}, True),
        ({"revenue_code": "0459"}, True),
        ({"revenue_code": "0460"}, False),
        ({"revenue_code": "0981"}, True),
        ({"procedure_code_1": "99280"}, False),
        ({"procedure_code_1": "99281"}, True),
        ({"procedure_code_2": "99285"}, True),
        ({"procedure_code_1": "99286"}, False),
        ({"place_of_service": "23"}, True),
        ({"place_of_service": "22", "claim_type": "OP"}, False),
        ({}, False),
    ],
)
def test_an_emergency_is_told_by_type_revenue_procedure_or_place(standing, given, is_emergency):
    assert standing(given)[0].emergency_flag is is_emergency


def test_length_of_stay_counts_nights_of_inpatient_lines(standing):
    stay = {"claim_type": "IP", "admit_date": "2024-05-10"}
    found = standing(
        stay | {"claim_id": "A", "discharge_date": "2024-05-13"},
        stay | {"claim_id": "B", "discharge_date": "2024-05-10"},
        stay | {"claim_id": "C", "discharge_date": "2024-05-09"},
        stay | {"claim_id": "D"},
        stay | {"claim_id": "E", "discharge_date": "2024-05-13", "claim_type": "OP"},
    )
    assert [r.length_of_stay for r in found] == [3, 0, None, None, None]
    assert [r.inpatient_flag for r in found] == [True, True, True, True, False]


def test_a_line_costs_much_above_ten_thousand(standing):
    amounts = {"A": "10000", "B": "10000.01", "C": None}
    assert [r.high_cost_flag for r in standing(*[{"claim_id": i, "paid_amount": a} for i, a in amounts.items()])] == [
        False,
        True,
        False,
    ]


def test_denied_and_pending_lines_stay_but_cost_nothing(rows, standing):
    given = [
        {"claim_id": i, "claim_status": s}
        for i, s in zip("ABCDE", ["PAID", None, "DENIED", "PENDING", "REVERSED"], strict=True)
    ]
    assert [r.claim_id for r in standing(*given)] == ["A", "B", "C", "D", "E"]
    frame = rows(ClaimVersions, *[LINE | g for g in given], LINE | {"claim_id": "F", "adjustment_indicator": "1"})
    assert [r.claim_id for r in frame.where(counts_as_cost()).orderBy("claim_id").collect()] == ["A", "B"]


def test_an_encounter_record_is_paid_with_zero(standing):
    given = [("PAID", "0"), (None, "0.00"), ("DENIED", "0"), ("PAID", "1"), ("PAID", None)]
    found = standing(*[{"claim_id": f"{i}", "claim_status": s, "paid_amount": p} for i, (s, p) in enumerate(given)])
    assert [r.is_encounter_record for r in found] == [True, True, False, False, False]


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ({"diagnosis_code_12": "ZZZ99"}, "diagnoses_are_known"),
        ({"diagnosis_code_1": "25000"}, "diagnoses_are_known"),
        ({"diagnosis_code_2": "E11"}, "diagnoses_are_billable"),
        ({"place_of_service": "28"}, "place_of_service_is_known"),
        ({"ndc_code": "0002143380"}, "ndc_code_is_well_formed"),
        ({"allowed_amount": "100", "paid_amount": "80", "member_liability": "19.98"}, "amounts_add_up"),
        ({"claim_line_number": 3}, "claim_lines_are_complete"),
        ({"claim_line_number": 2, "drg_code": "470"}, "claim_header_agrees"),
    ],
)
def test_a_doubtful_line_is_counted_and_kept(claims, lake, given, rule):
    first = {"claim_type": "OP", "drg_code": "065", "diagnosis_code_1": "E119"}
    frame = claims(first, {"claim_line_number": 2, "source_line": 3} | given, {"claim_id": "B", "source_line": 4})
    found = lake.write(frame, "silver", "medical_claims", MedicalClaims, ["2024-05"])
    about_the_claim = rule in ("claim_header_agrees", "claim_lines_are_complete")
    assert (found.rows_kept, found.failed_by_rule()) == (3, {rule: 2 if about_the_claim else 1})


@pytest.mark.parametrize(
    "given",
    [
        {"diagnosis_code_1": "E119", "diagnosis_code_12": "E119"},
        {"place_of_service": "10"},
        {"ndc_code": "00002143380"},
        {"allowed_amount": "100", "paid_amount": "80", "member_liability": "19.99"},
        {"allowed_amount": "100", "paid_amount": "80"},
        {"allowed_amount": "100", "paid_amount": "0", "member_liability": "0", "claim_status": "DENIED"},
    ],
)
def test_a_line_without_doubt_raises_no_warning(claims, lake, given):
    found = lake.write(claims(given), "silver", "medical_claims", MedicalClaims, ["2024-05"])
    assert found.failed_by_rule() == {}


def test_the_table_keeps_its_contract(claims, lake):
    frame = claims({}, {"claim_line_number": 2}, {"claim_id": "B", "source_line": 3})
    found = lake.write(frame, "silver", "medical_claims", MedicalClaims, ["2024-05"])
    assert (found.rows_kept, found.blocked, found.failed_by_rule()) == (3, [], {})
    (row,) = frame.where("claim_id = 'B'").collect()
    assert (row.claim_year, row.claim_quarter) == (2024, 2)
