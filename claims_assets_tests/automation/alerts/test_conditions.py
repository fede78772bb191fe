"""What counts as wrong: each rule at its limits, with the moment passed in."""

from datetime import UTC, date, datetime, timedelta

import pytest

from claims_assets.automation.alerts import conditions as rules
from claims_assets.automation.alerts.conditions import CheckState, Freshness, freshness_state
from claims_assets.automation.completeness import completeness
from claims_assets.partitions import add_months

NOW = datetime(2024, 3, 10, 12, tzinfo=UTC)
WARN, FAIL = timedelta(hours=22), timedelta(hours=30)


def age(hours):
    return Freshness("silver/members", NOW - timedelta(hours=hours), WARN, FAIL)


@pytest.mark.requirement("R16")
@pytest.mark.parametrize(("hours", "state"), [(0, "PASS"), (21.9, "PASS"), (22, "WARN"), (29.9, "WARN"), (30, "FAIL")])
def test_an_asset_ages_from_pass_to_warn_to_fail(hours, state):
    assert freshness_state(age(hours), NOW) == state


def test_an_asset_that_was_never_built_is_told():
    (found,) = rules.freshness([Freshness("silver/members", None, WARN, FAIL)], NOW)
    assert (found.severity, found.what) == ("warning", "silver/members was never built.")


def test_an_old_asset_says_since_when_it_is_too_old():
    (warned,), (failed,) = rules.freshness([age(23)], NOW), rules.freshness([age(40)], NOW)
    assert (warned.severity, failed.severity) == ("warning", "critical")
    assert failed.since == NOW - timedelta(hours=10)
    assert "last built at 2024-03-08T20:00:00Z and may be 30 hours old" in failed.what


def test_a_gap_names_its_months_and_the_command():
    found = rules.completeness(
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


def months(rows, last="2024-01"):
    return {add_months(last, i - len(rows) + 1): n for i, n in enumerate(rows)}


@pytest.mark.parametrize(
    ("rows", "low"),
    [
        ([100] * 12 + [49], True),
        ([100] * 12 + [50], False),
        ([100] * 5 + [0], False),  # five months say nothing of what is usual
        ([100] * 6 + [0], True),
        ([20] * 12 + [0], False),  # a median below thirty is too small to be sure
        ([1000, *[100] * 12, 49], True),  # only the twelve before count
    ],
)
def test_a_month_below_half_of_the_median_of_the_twelve_before_is_low(rows, low):
    found = rules.low_volume({"bronze.medical_claims": months(rows)}, date(2024, 3, 10))
    assert [c.claim_month for c in found] == (["2024-01"] if low else [])


def test_a_month_is_judged_only_when_most_claims_must_have_come():
    rows = {"bronze.medical_claims": months([100] * 12 + [10], last="2024-02")}
    assert rules.low_volume(rows, date(2024, 3, 30)) == []
    assert [c.claim_month for c in rules.low_volume(rows, date(2024, 3, 31))] == ["2024-02"]


@pytest.mark.parametrize(("newest", "told"), [(49, True), (50, False)])
def test_fewer_than_fifty_predictions_in_the_newest_month_are_told(newest, told):
    rows = {"gold.member_risk_predictions": {"2024-01": 3, "2024-02": newest}, "gold.pmpm": {"2024-02": 1}}
    assert [c.claim_month for c in rules.few_rows(rows)] == (["2024-02"] if told else [])


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
