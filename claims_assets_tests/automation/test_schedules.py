"""Schedules: the hours of the source system, and at each hour only what is stale, once what it reads is up to date."""

import datetime as dt

import dagster as dg
import pytest

from claims_assets.automation.jobs import JOBS, MAX_RETRIES, MAX_RUNTIME
from claims_assets.automation.stale_runs import RANGE, landing_run, next_run
from claims_assets.definitions import build
from claims_assets.runtime.resources import resources_for
from claims_assets.settings import settings_from_environment
from claims_assets_tests.automation.conftest import MONTHS, line

NEW_YORK = {
    "bronze_ingestion": ("0 1 * * *", 7_200, 2),
    "silver_cleaning": ("0 2 * * *", 7_200, 2),
    "feature_engineering": ("0 3 * * 0", 10_800, 2),
    "model_training": ("0 0 1 * *", 14_400, 1),
    "scoring_and_outreach": ("0 4 * * *", 7_200, 2),
}
"""The table of the source system: when, time limit in seconds, retries."""
DAY = dt.datetime(2024, 5, 5, 6, tzinfo=dt.UTC)


def repository(**environ):
    return build(settings_from_environment({"CLAIMS_HOME": "/nowhere", **environ})).get_repository_def()


@pytest.mark.parametrize(("name", "told"), NEW_YORK.items())
def test_each_job_has_its_hour_its_limit_and_its_retries(name, told):
    here = repository()
    schedule, job = here.get_schedule_def(f"{name}_schedule"), here.get_job(name)
    limits = int(job.tags[MAX_RUNTIME]), int(job.tags[MAX_RETRIES])
    assert (schedule.cron_schedule, *limits) == told
    assert schedule.execution_timezone == "America/New_York"


@pytest.mark.parametrize(("environment", "running"), [("local", False), ("staging", False), ("production", True)])
def test_only_production_runs_by_itself(environment, running):
    here = repository(CLAIMS_ENV=environment)
    assert {s.default_status == dg.DefaultScheduleStatus.RUNNING for s in here.schedule_defs} == {running}
    sensors = {s.name: s.default_status == dg.DefaultSensorStatus.RUNNING for s in here.sensor_defs}
    assert sensors["late_months_sensor"] == sensors["on_scheduled_run_success"] == running
    assert not sensors["automation_sensor"]


def test_every_step_of_the_graph_belongs_to_a_job_and_end_to_end_has_them_all():
    graph = build(settings_from_environment({"CLAIMS_HOME": "/nowhere"})).resolve_asset_graph()
    held = {job.name: job.selection.resolve(graph) for job in JOBS}
    assert held["end_to_end"] == graph.materializable_asset_keys
    assert set().union(*(held[name] for name in NEW_YORK)) >= {
        k for k in graph.materializable_asset_keys if graph.get(k).group_name != "monitoring"
    }


@pytest.fixture
def tick():
    """`tick(site, job)`: what the schedule of a job says."""

    def told(site, job, day=DAY):
        here = site.definitions.get_repository_def()
        with dg.build_schedule_context(
            instance=site.instance,
            scheduled_execution_time=day,
            repository_def=here,
            resources={"lake": resources_for(site.settings)["lake"]},
        ) as context:
            return here.get_schedule_def(f"{job}_schedule").evaluate_tick(context)

    return told


@pytest.fixture
def gone_on():
    """`gone_on(site, job, result)`: the request that follows a run of a scheduled job."""

    def told(site, job, result):
        here = site.definitions.get_repository_def()
        context = dg.build_run_status_sensor_context(
            sensor_name="on_scheduled_run_success",
            dagster_instance=site.instance,
            dagster_run=site.instance.get_run_by_id(result.run_id),
            dagster_event=result.get_run_success_event(),
            resources={"lake": resources_for(site.settings)["lake"]},
        )
        return here.get_sensor_def("on_scheduled_run_success")(context)

    return told


@pytest.mark.requirement("R16")
def test_a_layer_waits_for_its_inputs_then_asks_for_exactly_its_stale_months(site, tick, gone_on):
    here = site()
    request = tick(here, "bronze_ingestion").run_requests[0]
    assert {k.path[0] for k in request.asset_selection} == {"landing"}
    result = here.carry_out("bronze_ingestion", request)
    assert tick(here, "silver_cleaning").skip_message.startswith("silver_cleaning waits, not up to date: bronze.")
    while isinstance(request := gone_on(here, "bronze_ingestion", result), dg.RunRequest):
        assert request.job_name == "bronze_ingestion"
        result = here.carry_out("bronze_ingestion", request)
    assert {k for keys, _ in here.asked[1:] for k in keys if not k.startswith("bronze/")} == set()
    assert here.asked[1][1] == MONTHS

    first = tick(here, "silver_cleaning").run_requests[0]
    assert {k.path[0] for k in first.asset_selection} == {"silver"}
    assert first.tags["claims/by"] == "silver_cleaning"
    same, later = tick(here, "silver_cleaning"), tick(here, "silver_cleaning", DAY + dt.timedelta(days=1))
    assert same.run_requests[0].run_key == first.run_key
    assert later.run_requests[0].run_key != first.run_key, "a run that failed is asked for again the next day"
    assert "silver" in tick(here, "scoring_and_outreach").skip_message

    here.land("b", line("D", "2024-03"))
    here.carry_out("bronze_ingestion", tick(here, "bronze_ingestion").run_requests[0])
    assert "bronze.medical_claims of 2024-03" in tick(here, "silver_cleaning").skip_message


def test_a_run_that_no_schedule_asked_for_is_not_gone_on_with(site, tick, gone_on):
    here = site()
    request = tick(here, "bronze_ingestion").run_requests[0]
    by_hand = here.carry_out("bronze_ingestion", request, **{"claims/by": "somebody"})
    assert isinstance(gone_on(here, "bronze_ingestion", by_hand), dg.SkipReason)


def test_a_schedule_waits_for_the_run_that_is_under_way(site, tick):
    here = site()
    job = here.definitions.resolve_job_def("bronze_ingestion")
    here.instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
    assert "has not finished" in tick(here, "bronze_ingestion").skip_message


def test_a_host_that_does_not_see_the_lake_asks_for_the_last_months_of_the_whole_job(site, tick):
    there = site(
        CLAIMS_COMPUTE="databricks",
        DATABRICKS_HOST="https://plan.cloud.databricks.com",
        DATABRICKS_TOKEN="dapi-secret",
        CLAIMS_CLUSTER_HOME="/Volumes/main/claims/lake",
    )
    (request,) = tick(there, "silver_cleaning").run_requests
    assert request.asset_selection is None
    assert [request.tags[t] for t in RANGE] == ["2024-02", "2024-05"]
    assert request.run_key == "silver_cleaning 2024-05-05"


def test_models_are_asked_for_when_the_feed_of_their_month_has_had_its_time(site):
    here = site()
    here.carry_out("bronze_ingestion", landing_run("test", "1"))
    lake = here.lake

    def months(day):
        request = next_run(("models",), lake, here.instance, "model_training", today=day)
        return [request.tags[t] for t in RANGE]

    assert months(dt.date(2024, 5, 5)) == ["2024-01", "2024-03"]
    assert months(dt.date(2024, 5, 6)) == ["2024-01", "2024-04"]
