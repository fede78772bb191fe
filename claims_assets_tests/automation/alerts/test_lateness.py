"""What is late or missing: each rule at its limits, with the moment passed in."""

from datetime import UTC, datetime, timedelta

import pytest

from claims_assets.automation.alerts import lateness
from claims_assets.automation.alerts.lateness import Freshness, freshness_state
from claims_assets.automation.completeness import completeness

NOW = datetime(2024, 3, 10, 12, tzinfo=UTC)
WARN, FAIL = timedelta(hours=22), timedelta(hours=30)


def age(hours):
    return Freshness("silver/members", NOW - timedelta(hours=hours), WARN, FAIL)


@pytest.mark.requirement("R16")
@pytest.mark.parametrize(("hours", "state"), [(0, "PASS"), (21.9, "PASS"), (22, "WARN"), (29.9, "WARN"), (30, "FAIL")])
def test_an_asset_ages_from_pass_to_warn_to_fail(hours, state):
    assert freshness_state(age(hours), NOW) == state


def test_an_asset_that_was_never_built_is_told():
    (found,) = lateness.freshness([Freshness("silver/members", None, WARN, FAIL)], NOW)
    assert (found.severity, found.what) == ("warning", "silver/members was never built.")


def test_an_old_asset_says_since_when_it_is_too_old():
    (warned,), (failed,) = lateness.freshness([age(23)], NOW), lateness.freshness([age(40)], NOW)
    assert (warned.severity, failed.severity) == ("warning", "critical")
    assert failed.since == NOW - timedelta(hours=10)
    assert "last built at 2024-03-08T20:00:00Z and may be 30 hours old" in failed.what


def test_a_gap_names_its_months_and_the_command():
    found = lateness.completeness(
        {
            "gold.pmpm": completeness(["2024-01", "2024-03"], "2024-03"),
            "silver.encounters": completeness(["2024-01"], "2024-02"),
            "bronze.medical_claims": completeness(["2024-01", "2024-02"], "2024-02"),
            "silver.immunizations": completeness([], "2024-02"),
        }
    )
    assert [(c.subject, c.severity) for c in found] == [("gold/pmpm", "critical"), ("silver/encounters", "warning")]
    assert "lacks claim months 2024-02" in found[0].what
    assert "claims run --from 2024-02 --to 2024-02" in found[0].remedy
    assert "ends at 2024-01; 2024-02 was due" in found[1].what
