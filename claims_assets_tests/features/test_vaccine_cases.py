"""What the schedule says, case by case: literal members, doses and conditions, each expectation with its source."""

import pytest

from claims_assets.sources.code_sets import vaccine_codes
from claims_assets_tests.features.vaccine_case import Case, decision
from claims_assets_tests.features.vaccine_cases_of_adults import ADULT
from claims_assets_tests.features.vaccine_cases_of_children import CHILDREN

CASES = [*ADULT, *CHILDREN]


def named(case: Case) -> str:
    return " ".join([case.vaccine, case.born, case.month, case.expected[0] if case.expected else "no rule"])


def test_there_are_cases_for_every_vaccine_each_with_a_source():
    assert len(CASES) >= 60
    assert {case.vaccine for case in CASES} == {v.vaccine for v in vaccine_codes()}
    assert all(case.source for case in CASES)


@pytest.mark.requirement("R4", "R5")
@pytest.mark.parametrize("case", CASES, ids=named)
def test_the_schedule_says(case):
    found = decision(case)
    if case.expected is None:
        assert found is None
        return
    status, counted, due = case.expected
    assert found is not None
    assert (found.status, len(found.counted), found.next_due and str(found.next_due)) == (status, counted, due)
    assert (found.needed == 0) == (status == "complete")
    assert found.due_since == (found.next_due if status in ("due", "overdue") else None)
    assert set(case.refused) <= {f"{source}: {why}" for source, why in found.refused}
    assert case.reason in (None, found.reason)
    assert case.rule in (None, found.rule.rule)
    assert any(dose.weak for dose in found.counted) == case.weak
