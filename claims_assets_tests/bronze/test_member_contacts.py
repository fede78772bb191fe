"""Bronze contacts: typed channels, opt-outs and last contacts."""

from datetime import date, datetime
from functools import partial

import pytest

from claims_assets.bronze.member_contacts import member_contacts


@pytest.fixture
def written(written_as):
    return partial(written_as, member_contacts)


def test_an_absent_feed_is_an_empty_table(written):
    kept, found = written()
    assert kept == {}
    assert not found.blocked


def test_contacts_are_typed(written):
    kept, found = written(
        {"member_id": "M1", "channel": "Phone", "value": "0123", "opt_out": "Y", "opt_out_date": "2024-02-29"},
        {"member_id": "M1", "channel": "mail", "opt_out": "N", "last_contacted_at": "2024-03-01T10:30:00"},
        {"member_id": "M1", "channel": "mail", "last_contacted_at": "2024-03-01"},
    )
    assert (kept[0].value, kept[0].opt_out, kept[0].opt_out_date) == ("0123", True, date(2024, 2, 29))
    assert kept[1].opt_out is False
    assert kept[1].last_contacted_at.replace(tzinfo=None) == datetime(2024, 3, 1, 10, 30)
    assert kept[2].last_contacted_at.replace(tzinfo=None) == datetime(2024, 3, 1)
    assert kept[2].opt_out is None
    assert found.failed_by_rule() == {}


def test_an_unknown_channel_warns_and_a_missing_one_is_quarantined(written):
    kept, found = written({"member_id": "M1", "channel": "pigeon"}, {"member_id": "M1"}, {"channel": "mail"})
    assert list(kept) == [0]
    assert found.failed_by_rule() == {
        "channel_is_present": 1,
        "channel_is_well_formed": 1,
        "member_id_is_present": 1,
    }


def test_whose_channel_it_is_stays_as_written(written):
    kept, found = written(
        {"member_id": "M1", "channel": "mail", "contact_role": "Guardian"},
        {"member_id": "M1", "channel": "mail"},
        {"member_id": "M1", "channel": "mail", "contact_role": "neighbour"},
    )
    assert [kept[i].contact_role for i in range(3)] == ["Guardian", None, "neighbour"]
    assert found.failed_by_rule() == {"contact_role_is_well_formed": 1}
