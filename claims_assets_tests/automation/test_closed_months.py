"""Closed months: what is built of them stays, late data is counted, and a reason reopens them."""

import dagster as dg
import pytest

from claims_assets.automation.closed_months import REOPEN, built_and_closed, guard, late
from claims_assets.cli.errors import NotDone
from claims_assets.cli.run import reason
from claims_assets.definitions import tables
from claims_assets.monitoring.waivers import REOPENED, waived
from claims_assets.runtime.delta import read_arrow
from claims_assets.runtime.pipes import ASKED_BY
from claims_assets.settings import SettingError, settings_from_environment
from claims_assets_tests.automation.conftest import MONTHS, line
from claims_assets_tests.automation.findings import found

VERSIONS = "silver.claim_versions"
TABLES = {t.full_name: t for t in tables()}
WANTED = ("bronze/medical_claims", "bronze/pharmacy_claims", "bronze/claim_links", "silver/claim_versions")


@pytest.fixture
def closed(lake):
    """A lake closed before March that has built January to April."""
    shut = type(lake)(root=lake.root, engine=lake.engine, closed_before="2024-03")
    for month in MONTHS:
        found(shut, VERSIONS, month)
    return shut


def run(**tags):
    return dg.DagsterRun(job_name="any", run_id="r1", tags=tags)


def test_a_rewrite_of_closed_months_says_which_they_are_and_how_to_reopen_them(closed):
    with pytest.raises(dg.Failure) as refused:
        guard(closed, run(), "silver", "claim_versions", MONTHS)
    assert refused.value.description == (
        "silver.claim_versions of 2024-01 to 2024-02 is closed (CLAIMS_CLOSED_BEFORE=2024-03): run it again with"
        ' `claims run --reopen "<reason>"` (run tag claims/reopen), or leave these months out.'
    )
    guard(closed, run(), "silver", "claim_versions", ["2024-03", "2024-04"])


def test_a_first_build_is_no_rewrite_and_without_the_setting_nothing_is_closed(closed, lake):
    guard(closed, run(), "silver", "medical_claims", MONTHS)
    guard(closed, run(), "silver", "claim_versions", ["2023-12"])
    guard(closed, run(), "silver", "members", None)
    guard(lake, run(), "silver", "claim_versions", MONTHS)
    assert built_and_closed(closed, TABLES[VERSIONS]) == {"2024-01", "2024-02"}
    assert built_and_closed(lake, TABLES[VERSIONS]) == set()
    assert late(lake, tables()) == {}


def test_a_reason_reopens_and_is_kept_with_the_content_that_is_replaced(closed):
    for _ in range(2):
        guard(closed, run(**{REOPEN: "restated for the regulator"}), "silver", "claim_versions", ["2024-01", "2024-03"])
    assert waived(closed, REOPENED) == {(VERSIONS, "2024-01", f"{VERSIONS} 2024-01 1000")}


def test_a_step_in_another_process_names_the_run_that_asked_for_it(closed):
    there = run(**{REOPEN: "restated", ASKED_BY: "the run in the UI"})
    guard(closed, there, "silver", "claim_versions", ["2024-01"])
    told = read_arrow(closed.path("monitoring", "waivers"), ["run_id"])["run_id"].to_pylist()
    assert told == ["the run in the UI"]


@pytest.mark.parametrize("given", ["", "  "])
def test_an_empty_reason_is_refused(closed, given):
    with pytest.raises(NotDone, match="must say something"):
        reason(given)
    with pytest.raises(dg.Failure, match="is closed"):
        guard(closed, run(**{REOPEN: given}), "silver", "claim_versions", ["2024-01"])


def test_the_setting_is_a_month_and_reaches_the_steps_of_a_workspace():
    with pytest.raises(SettingError, match="CLAIMS_CLOSED_BEFORE='2024' is not a month"):
        settings_from_environment({"CLAIMS_CLOSED_BEFORE": "2024"})
    there = settings_from_environment(
        {
            "CLAIMS_CLOSED_BEFORE": "2024-03",
            "CLAIMS_MOST_FAILURES": "5000",
            "CLAIMS_COMPUTE": "databricks",
            "DATABRICKS_HOST": "https://plan.cloud.databricks.com",
            "DATABRICKS_TOKEN": "dapi-secret",
            "CLAIMS_CLUSTER_HOME": "/Volumes/main/claims/lake",
        }
    )
    assert there.closed_before == "2024-03"
    assert there.workspace is not None
    told = there.workspace.variables()
    assert (told["CLAIMS_CLOSED_BEFORE"], told["CLAIMS_MOST_FAILURES"]) == ("2024-03", "5000")


@pytest.mark.requirement("R12")
def test_late_data_leaves_a_closed_month_as_it_was_reported_and_an_open_one_takes_it_until_a_reason_is_given(site):
    here = site(CLAIMS_CLOSED_BEFORE="2024-03")
    here.build(*WANTED)
    reported = here.content()
    here.land("late", line("L1", "2024-01"), line("L3", "2024-03"))

    here.build(*WANTED)
    now = here.content()
    for table in ("bronze.medical_claims", VERSIONS):
        assert now[table]["2024-01"] == reported[table]["2024-01"]
        assert now[table]["2024-03"] != reported[table]["2024-03"]
    assert late(here.lake, tables())["bronze.medical_claims"] == ["2024-01"]
    by_hand = here.rebuild("2024-01", "silver/claim_versions")
    assert "2024-01 is closed (CLAIMS_CLOSED_BEFORE=2024-03)" in by_hand

    here.build(*WANTED, **{REOPEN: "restated"})
    assert here.content()[VERSIONS]["2024-01"] != reported[VERSIONS]["2024-01"]
    assert {(name, month) for name, month, _ in waived(here.lake, REOPENED)} == {
        ("bronze.medical_claims", "2024-01"),
        (VERSIONS, "2024-01"),
    }
    assert "bronze.medical_claims" not in late(here.lake, tables())
