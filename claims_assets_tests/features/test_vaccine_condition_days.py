"""Days that name a condition that decides about vaccines."""

from datetime import date

import pytest

from claims_assets.features.vaccine_condition_days import VaccineConditionDays, vaccine_condition_days
from claims_assets.silver.claim_versions import ClaimVersions
from claims_assets_tests.features.conftest import line


@pytest.fixture
def days(rows):
    def build(*lines):
        return (
            vaccine_condition_days(rows(ClaimVersions, *lines))
            .orderBy("member_id", "condition", "service_date")
            .collect()
        )

    return build


@pytest.mark.requirement("R6")
def test_a_claim_that_names_three_conditions_sets_three(days):
    codes = {"diagnosis_code_1": "Z9081", "diagnosis_code_4": "D5700", "diagnosis_code_12": "Z9621"}
    found = days(line("M", "2024-01-10", **codes))
    assert [r.condition for r in found] == ["asplenia", "cochlear_implant", "sickle_cell"]
    assert {(r.service_date, r.is_inpatient, r.first_month, r.last_month) for r in found} == {
        (date(2024, 1, 10), False, "2024-01", None)
    }


def test_only_paid_lines_that_are_no_tests_and_their_own_codes_count(days):
    code = {"diagnosis_code_1": "Z940"}
    found = days(
        line("paid", "2024-01-10", **code),
        line("denied", "2024-01-10", **code, claim_status="DENIED"),
        line("void", "2024-01-10", **code, adjustment_indicator="1"),
        line("laboratory", "2024-01-10", **code, claim_type="PROF", procedure_code_1="88305"),
        line("trait", "2024-01-10", diagnosis_code_1="D573"),
        line("ICD-9", "2015-09-30", **code),
        line("stay", "2024-01-10", **code, claim_type="IP"),
    )
    assert [(r.member_id, r.is_inpatient) for r in found] == [("paid", False), ("stay", True)]


def test_a_day_is_known_and_cancelled_when_its_claims_are(days):
    code = {"diagnosis_code_1": "T8052XA"}
    found = days(
        line("late", "2024-01-10", **code, known_from="2024-04"),
        line("gone", "2024-01-10", **code, cancelled_on="2024-06"),
        line("never", "2024-01-10", **code, cancelled_on="2024-01"),
        line("replaced", "2024-01-10", **code, cancelled_on="2024-06"),
        line("replaced", "2024-01-10", **code, known_from="2024-06"),
    )
    assert [(r.member_id, r.first_month, r.last_month) for r in found] == [
        ("gone", "2024-01", "2024-05"),
        ("late", "2024-04", None),
        ("replaced", "2024-01", "2024-05"),
        ("replaced", "2024-06", None),
    ]


def test_written_days_keep_the_contract(rows, lake):
    frame = vaccine_condition_days(rows(ClaimVersions, line("M", "2024-01-10", diagnosis_code_1="Z940")))
    found = lake.write(frame, "gold", "vaccine_condition_days", VaccineConditionDays, None)
    assert (found.rows_kept, found.rows_quarantined, found.failed_by_rule()) == (1, 0, {})
