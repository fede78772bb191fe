"""What holds after a backfill, however it went."""

from claims_assets_tests.ui.conftest import Undisturbed
from claims_assets_tests.ui.contents import contents, differences
from claims_assets_tests.ui.live import Live


def right(live: Live, undisturbed: Undisturbed) -> None:
    """Every month as an undisturbed run built it, every check with a result, and no run left open."""
    live.none_in_progress()
    assert differences(contents(live.lake), undisturbed.content, undisturbed.months) == []
    assert live.open_checks() == []


def right_monthly(live: Live, undisturbed: Undisturbed) -> None:
    """As `right`, of the tables with months."""
    live.none_in_progress()
    wrong = differences(contents(live.lake), undisturbed.content, undisturbed.months)
    assert wrong == []
