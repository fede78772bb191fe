"""The sensor: a file comes, and exactly the months that it changes are asked for, once."""

import dagster as dg
import pytest

from claims_assets.automation.landing import changes
from claims_assets.automation.late_months import NAME
from claims_assets.automation.stale_runs import landing_run
from claims_assets_tests.automation.conftest import MONTHS, line


def settle(site, until=None):
    return site.settle(NAME, "end_to_end", until)


def months_of(asked, table):
    return [months for keys, months in asked if table in keys]


@pytest.mark.requirement("R16")
def test_all_months_at_first_then_those_of_a_late_file_and_of_a_late_void_and_none_without_a_change(site):
    here = site()
    asked, reason = settle(here)
    assert asked[0][0][0].startswith("landing/")
    assert months_of(asked, "silver/claim_versions") == [MONTHS]
    assert reason.startswith("Up to date")

    here.land("b", line("D", "2024-03"))
    asked, reason = settle(here)
    assert reason == "Up to date: no landing file has changed, and no claim month is stale."
    assert months_of(asked, "bronze/medical_claims") == [["2024-03"]]
    assert months_of(asked, "silver/medical_claims") == [["2024-03"]]
    assert months_of(asked, "gold/member_features") == [["2024-03", "2024-04"]]

    here.land("c", line("V", "2024-04", "0.00", "1", "C2024-01"))
    asked, _ = settle(here, until="silver/claim_versions")
    assert months_of(asked, "bronze/medical_claims") == [["2024-04"]]
    assert months_of(asked, "silver/claim_versions") == [["2024-01"]], "April follows in a run of its own"


def test_a_tick_waits_for_the_run_that_is_under_way(site):
    here = site()
    job = here.definitions.resolve_job_def("bronze_ingestion")
    here.instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
    told = here.sensor_tick(NAME)
    assert not told.run_requests
    assert "has not finished" in told.skip_message


def test_a_run_that_failed_is_not_asked_for_again_until_the_landed_content_changes(site):
    here = site()
    here.land("b", "not,enough\n")
    first = here.sensor_tick(NAME).run_requests
    again = here.sensor_tick(NAME)
    assert len(first) == 1
    assert not again.run_requests
    assert "see why it failed" in again.skip_message
    here.land("b", line("D", "2024-03"))
    assert here.sensor_tick(NAME).run_requests


def test_a_folder_that_can_not_be_used_is_a_reason_and_no_error(site):
    here = site()
    here.land("a")
    told = here.sensor_tick(NAME)
    assert not told.run_requests
    assert "No file under" in told.skip_message


def test_a_file_that_was_only_touched_is_looked_at_once(site):
    here = site()
    zone = here.definitions.resources["landing"]
    assert changes(zone) == ["medical_claims/a.csv", "member_eligibility/members.csv"]
    here.carry_out("end_to_end", landing_run("test", "1"))
    assert changes(zone) == []
    file = here.settings.landing / "medical_claims" / "a.csv"
    file.write_text(file.read_text())
    assert changes(zone) == ["medical_claims/a.csv"]
    here.carry_out("end_to_end", landing_run("test", "2"))
    assert changes(zone) == []


def test_a_file_that_is_gone_is_a_change(site):
    here = site()
    here.land("b", line("D", "2024-03"))
    here.carry_out("end_to_end", landing_run("test", "1"))
    here.land("b")
    assert changes(here.definitions.resources["landing"]) == ["medical_claims/b.csv"]
