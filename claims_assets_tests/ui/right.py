"""What holds after a backfill, however it went."""

from claims_assets_tests.ui.conftest import Undisturbed
from claims_assets_tests.ui.contents import contents, differences
from claims_assets_tests.ui.live import Live
from claims_assets_tests.ui.monthly import monthly

OTHERWISE = {
    # A backfill by clicks reaches one month further, and a detector is trained as of the last month of its run.
    "gold.fraud_scores_xgboost", "gold.claim_fraud_scores", "gold.fraud_cases", "gold.fraud_supervised_scores",
    "monitoring.model_decisions",
    # The console makes extracts of the newest month alone, and leaves out months that have no list to judge yet.
    "monitoring.audit_log", "monitoring.outreach_outcomes",
}  # fmt: skip
"""Tables that the console fills otherwise, each for its reason."""


def right(live: Live, undisturbed: Undisturbed) -> None:
    """Every month as an undisturbed run built it, every check with a result, and no run left open."""
    live.none_in_progress()
    found = differences(contents(live.lake), undisturbed.content, undisturbed.months)
    wrong = [d for d in found if _table_of(d) not in OTHERWISE]
    assert wrong == [], wrong
    assert live.open_checks() == []


def right_monthly(live: Live, undisturbed: Undisturbed) -> None:
    """As `right`, of the tables that a backfill of months alone builds, and of what is recorded of them."""
    live.none_in_progress()
    names = tuple(key.replace("/", ".") for key in monthly())
    found = differences(contents(live.lake), undisturbed.content, undisturbed.months)
    wrong = [d for d in found if _table_of(d) in names]
    assert wrong == [], wrong


def _table_of(difference: str) -> str:
    """The table that a difference, perhaps of what is recorded of it, is about."""
    return difference.split(" of ")[-1].split()[0]
