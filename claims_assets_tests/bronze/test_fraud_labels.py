"""Bronze fraud labels: typed decisions, and the month each became known."""

from datetime import datetime
from functools import partial

import pytest

from claims_assets.bronze.fraud_labels import fraud_labels

DECISION = {"claim_id": "C1", "label": "confirmed", "decided_at": "2024-03-05T14:30:00"}


@pytest.fixture
def written(written_as):
    return partial(written_as, fraud_labels)


def test_an_absent_feed_is_an_empty_table(written):
    kept, found = written()
    assert kept == {}
    assert not found.blocked


def test_decisions_are_typed_and_known_from_their_receipt_or_else_their_month(written):
    kept, found = written(
        DECISION | {"case_id": "K7", "reason": "billed twice"},
        DECISION | {"label": " Cleared", "decided_at": "2024-03-31", "received_month": "2024-05"},
    )
    assert kept[0].decided_at.replace(tzinfo=None) == datetime(2024, 3, 5, 14, 30)
    assert (kept[0].case_id, kept[0].reason, kept[0].known_from) == ("K7", "billed twice", "2024-03")
    assert (kept[1].label, kept[1].known_from) == (" Cleared", "2024-05")
    assert found.failed_by_rule() == {}


def test_what_names_no_claim_label_or_time_or_another_label_is_quarantined(written):
    """A label that is neither confirmed nor cleared would be learnt as one of them."""
    kept, found = written(*(DECISION | {name: None} for name in DECISION), DECISION | {"label": "maybe"}, DECISION)
    assert list(kept) == [4]
    missing = {f"{name}_is_present": 1 for name in DECISION} | {"label_is_well_formed": 1}
    assert missing.items() <= found.failed_by_rule().items()
