"""Bronze immunizations: typed registry records, and the month each became known."""

from functools import partial

import pytest

from claims_assets.bronze.immunizations import immunizations


@pytest.fixture
def written(written_as):
    return partial(written_as, immunizations)


def test_an_absent_feed_is_an_empty_table(written):
    kept, found = written()
    assert kept == {}
    assert not found.blocked


def test_a_record_is_known_from_the_month_received_else_given(written):
    kept, _ = written(
        {"member_id": "M1", "administered_date": "2023-10-02", "received_month": "2024-01"},
        {"member_id": "M1", "administered_date": "2023-10-02"},
    )
    assert [kept[i].known_from for i in (0, 1)] == ["2024-01", "2023-10"]


def test_unknown_codes_and_statuses_warn_and_missing_days_are_quarantined(written):
    base = {"member_id": "M1", "administered_date": "2023-10-02"}
    kept, found = written(
        base | {"cvx_code": "03", "ndc_code": "49281-0120-65", "status": "Completed"},
        base | {"cvx_code": "flu", "ndc_code": "x", "status": "given"},
        {"member_id": "M1", "received_month": "2023-11"},
        {"member_id": "M1", "administered_date": "October"},
    )
    assert sorted(kept) == [0, 1]
    assert kept[0].cvx_code == "03"
    assert found.failed_by_rule() == {
        "administered_date_is_present": 2,
        "administered_date_is_readable": 1,
        "cvx_code_is_well_formed": 1,
        "known_from_is_present": 1,
        "ndc_code_is_well_formed": 1,
        "status_is_well_formed": 1,
    }
