"""Days of hospice care, by each kind of code, and the months that they speak of."""

import pytest

from claims_assets.features.hospice_days import HospiceDays, hospice_days
from claims_assets.silver.claim_versions import ClaimVersions
from claims_assets.sources.code_sets import HOSPICE_KINDS, hospice_codes
from claims_assets_tests.features.conftest import line

DAY = "2024-02-10"


@pytest.fixture
def months(rows):
    def build(*lines):
        found = hospice_days(rows(ClaimVersions, *lines)).collect()
        return {r.member_id: (r.first_month, r.last_month) for r in found}

    return build


def test_each_kind_of_code_tells_hospice_and_others_do_not(months):
    found = months(
        line("revenue", DAY, revenue_code="0651"),
        line("room", DAY, revenue_code="0115"),
        line("bill", DAY, bill_type_code="0813"),
        line("first procedure", DAY, procedure_code_1="T2042"),
        line("second procedure", DAY, procedure_code_1="99213", procedure_code_2="Q5004"),
        line("place", DAY, place_of_service="34"),
        line("home health", DAY, procedure_code_1="Q5001", bill_type_code="0329", revenue_code="0551"),
        line("nothing", DAY),
        line("denied", DAY, revenue_code="0651", claim_status="DENIED"),
        line("void", DAY, revenue_code="0651", adjustment_indicator="1"),
    )
    assert sorted(found) == ["bill", "first procedure", "place", "revenue", "room", "second procedure"]


def test_a_day_speaks_of_the_year_from_its_month_once_known_and_until_voided(months):
    hospice = {"revenue_code": "0651"}
    found = months(
        line("at once", DAY, **hospice),
        line("late", DAY, known_from="2024-05", **hospice),
        line("voided", DAY, cancelled_on="2024-04", **hospice),
        line("too late", DAY, known_from="2025-02", **hospice),
        line("never stood", DAY, known_from="2024-05", cancelled_on="2024-05", **hospice),
    )
    assert found == {
        "at once": ("2024-02", "2025-01"), "late": ("2024-05", "2025-01"), "voided": ("2024-02", "2024-03"),
    }  # fmt: skip


def test_two_claims_of_a_day_are_one_row(rows):
    two = [line("a", DAY, revenue_code="0651"), line("a", DAY, procedure_code_1="G0182")]
    (row,) = hospice_days(rows(ClaimVersions, *two)).select(*HospiceDays.to_schema().columns).collect()
    assert str(row.service_date) == DAY


def test_every_kind_has_codes_of_its_own_shape():
    shapes = {"revenue": 4, "bill_type": 3, "procedure": 5, "place_of_service": 2}
    assert {kind: {len(code) for code in hospice_codes(kind)} for kind in HOSPICE_KINDS} == {
        kind: {length} for kind, length in shapes.items()
    }
    with pytest.raises(ValueError, match="is not one of"):
        hospice_codes("drg")
