"""What holds after a backfill, however it went."""

from claims_assets_tests.ui.conftest import Undisturbed
from claims_assets_tests.ui.contents import contents, differences
from claims_assets_tests.ui.live import Live

OF_MODELS = (
    "monitoring.model_decisions", "monitoring.model_performance", "fraud_scores", "gold.monthly_profiles",
    "monitoring.reference_profiles", "monitoring.psi_results", "monitoring.drift", "monitoring.fairness_results",
    "monitoring.outreach_outcomes", "gold.fraud_cases", "gold.fraud_supervised_scores",
)  # fmt: skip
"""Built with the models or from what these say, for which such a backfill does not ask."""


def right(live: Live, undisturbed: Undisturbed) -> None:
    """Every month as an undisturbed run built it, every check with a result, and no run left open."""
    live.none_in_progress()
    wrong = differences(contents(live.lake), undisturbed.content, undisturbed.months)
    assert wrong == [], wrong
    assert live.open_checks() == []


def right_monthly(live: Live, undisturbed: Undisturbed) -> None:
    """As `right`, of the tables that a backfill of bronze, silver and gold builds."""
    live.none_in_progress()
    found = differences(contents(live.lake), undisturbed.content, undisturbed.months)
    wrong = [d for d in found if not any(table in d for table in OF_MODELS)]
    assert wrong == [], wrong
