"""Bronze outreach contacts: typed attempts, and the month each became known."""

from datetime import datetime
from functools import partial

import pytest

from claims_assets.bronze.outreach_contacts import outreach_contacts

ATTEMPT = {"member_id": "M1", "contacted_at": "2024-03-05T14:30:00", "channel": "phone", "outcome": "reached"}


@pytest.fixture
def written(written_as):
    return partial(written_as, outreach_contacts)


def test_an_absent_feed_is_an_empty_table(written):
    kept, found = written()
    assert kept == {}
    assert not found.blocked


def test_attempts_are_typed_and_known_from_their_receipt_or_else_their_month(written):
    kept, found = written(
        ATTEMPT | {"list_month": "2024-02", "campaign": "flu"},
        ATTEMPT | {"contacted_at": "2024-03-31", "received_month": "2024-05", "outcome": "Spoke to a neighbour"},
    )
    assert kept[0].contacted_at.replace(tzinfo=None) == datetime(2024, 3, 5, 14, 30)
    assert (kept[0].list_month, kept[0].campaign, kept[0].known_from) == ("2024-02", "flu", "2024-03")
    assert kept[1].contacted_at.replace(tzinfo=None) == datetime(2024, 3, 31)
    assert (kept[1].outcome, kept[1].list_month, kept[1].known_from) == ("Spoke to a neighbour", None, "2024-05")
    assert found.failed_by_rule() == {}


def test_what_names_no_member_time_channel_or_outcome_is_quarantined(written):
    kept, found = written(*(ATTEMPT | {name: None} for name in ATTEMPT), ATTEMPT)
    assert list(kept) == [4]
    assert {f"{name}_is_present": 1 for name in ATTEMPT}.items() <= found.failed_by_rule().items()


def test_a_time_that_cannot_be_read_is_quarantined(written):
    kept, found = written(ATTEMPT | {"contacted_at": "soon"}, ATTEMPT)
    assert list(kept) == [1]
    assert found.failed_by_rule()["contacted_at_is_readable"] == 1


def test_an_unknown_channel_and_a_badly_written_list_month_warn(written):
    kept, found = written(ATTEMPT | {"channel": "pigeon"}, ATTEMPT | {"list_month": "202402"})
    assert list(kept) == [0, 1]
    assert found.failed_by_rule() == {"channel_is_well_formed": 1, "list_month_is_well_formed": 1}
