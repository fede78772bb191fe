"""What counts as wrong: each rule at its limits, with the moment passed in."""

from datetime import UTC, datetime

import pytest

from claims_assets.automation.alerts import conditions as rules
from claims_assets.automation.alerts.conditions import CheckState

NOW = datetime(2024, 3, 10, 12, tzinfo=UTC)


@pytest.mark.requirement("R42")
@pytest.mark.parametrize(
    ("score", "band", "severity"),
    [
        (59.99, "critical", "critical"),
        (60.0, "warning", "warning"),
        (79.99, "warning", "warning"),
        (80.0, "fair", None),
    ],
)
def test_a_low_score_is_an_alert_on_the_scale_from_0_to_100(score, band, severity):
    row = {"table_name": "silver.members", "claim_month": "all", "score": score, "band": band, "committed": True}
    found = rules.quality([row])
    assert [c.severity for c in found] == ([severity] if severity else [])
    if found:
        assert "of 100, below" in found[0].what


def test_a_stopped_write_is_told_by_month():
    row = {"table_name": "bronze.medical_claims", "claim_month": "2024-01", "band": "good", "score": 96.0}
    (found,) = rules.quality([row | {"committed": False}])
    assert (found.kind, found.severity, found.claim_month) == ("write", "critical", "2024-01")


@pytest.mark.requirement("R40")
@pytest.mark.parametrize(
    ("state", "blocking", "severity"),
    [
        ("passed", True, None),
        ("failed", True, "critical"),
        ("failed", False, "warning"),
        ("raised", False, "critical"),
        ("nothing to look at", True, "warning"),
    ],
)
def test_only_a_check_that_passed_is_healthy(state, blocking, severity):
    found = rules.checks([CheckState("silver/members", "grain_is_unique", state, blocking, NOW)])
    assert [c.severity for c in found] == ([severity] if severity else [])


def test_a_failed_blocking_check_is_not_told_twice_where_its_months_are_told():
    failed = CheckState("silver/members", "grain_is_unique", "failed", True, NOW)
    assert rules.checks([failed], stopped=["silver/members"]) == []
    assert len(rules.checks([failed], stopped=["silver/providers"])) == 1
