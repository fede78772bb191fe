"""What holds after a backfill, however it went."""

from claims_assets_tests.ui.conftest import Undisturbed
from claims_assets_tests.ui.contents import contents, differences
from claims_assets_tests.ui.live import Live
from claims_assets_tests.ui.monthly import monthly


def right(live: Live, undisturbed: Undisturbed) -> None:
    """Every month as an undisturbed run built it, every check with a result, and no run left open."""
    live.none_in_progress()
    wrong = differences(contents(live.lake), undisturbed.content, undisturbed.months)
    assert wrong == [], wrong
    assert live.open_checks() == []


def right_monthly(live: Live, undisturbed: Undisturbed) -> None:
    """As `right`, of the tables that a backfill of months alone builds, and of what is recorded of them."""
    live.none_in_progress()
    names = tuple(key.replace("/", ".") for key in monthly())
    found = differences(contents(live.lake), undisturbed.content, undisturbed.months)
    wrong = [d for d in found if d.split(" of ")[-1].split()[0] in names]
    assert wrong == [], wrong
