"""The alert sensor as the daemon runs it: a real instance on disk, a real receiver, real runs; the clock is given."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from claims_assets.automation.alerts.channels import Patience
from claims_assets.automation.alerts.conditions import stamp
from claims_assets.automation.alerts.heartbeat import read_heartbeat, write_heartbeat
from claims_assets.automation.alerts.sensor import alert_sensors, heartbeat_path
from claims_assets.automation.alerts.tick import TickFailed
from claims_assets.automation.completeness import FEED_DAYS, expected_month
from claims_assets.bronze.medical_claims import medical_claims
from claims_assets.features.pmpm import pmpm
from claims_assets.layers import DAILY, WEEKLY
from claims_assets.monitoring.alerts import stored
from claims_assets.monitoring.results import ROWS_KEEP_CONTRACT
from claims_assets.partitions import add_months, months_between
from claims_assets.settings import settings_from_environment
from claims_assets.silver.members import members
from claims_assets_tests.automation import made

MEMBER = "MBR-774411"
"""A value that no message may hold."""
MONTHS = months_between("2024-01", "2032-12")
"""More than any clock of these tests: no month is missing unless a test says so."""
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
TABLES = [medical_claims, members, pmpm]
UNSTEADY = dg.AssetKey(["silver", "unsteady"])


class Plant:
    """A small deployment: three tables, an asset whose runs do as they are told, and the sensor over them."""

    def __init__(self, folder: Path, lake, web):
        self.folder, self.lake, self.web = folder, lake, web
        self.environ = {
            "CLAIMS_HOME": str(folder),
            "CLAIMS_ALERTS_WEBHOOK": web.url,
            "CLAIMS_UI_URL": "https://dagster.example.org",
        }
        self.now = self.start = datetime.now(UTC)
        self.cursor: str | None = None
        self.mood: dict[str, bool] = {"raise": False, "blocking": True, "warning": True}
        (folder / "instance").mkdir()
        self.open()

    def open(self):
        """Everything anew but what is on disk and the cursor, which the daemon keeps."""
        self.instance = dg.DagsterInstance.local_temp(str(self.folder / "instance"))
        self.settings = settings_from_environment(self.environ)
        patience = Patience(waits=(0.0,), timeout=5.0)
        (self.sensor,) = alert_sensors(self.settings, TABLES, clock=lambda: self.now, patience=patience)
        self.definitions = dg.Definitions(
            assets=[*(t.asset for t in TABLES), self._unsteady()],
            resources={"lake": self.lake} | {t.layer.launcher: None for t in TABLES} | {"spark": None},
            sensors=[self.sensor],
        )

    def restart(self):
        self.instance.dispose()
        self.open()

    def _unsteady(self):
        mood = self.mood

        @dg.asset(
            key=UNSTEADY,
            check_specs=[
                dg.AssetCheckSpec("totals_agree", asset=UNSTEADY, blocking=True),
                dg.AssetCheckSpec("looks_usual", asset=UNSTEADY),
            ],
        )
        def unsteady():
            if mood["raise"]:
                raise ValueError(f"member {MEMBER} can't be read")
            return dg.MaterializeResult(
                check_results=[
                    dg.AssetCheckResult(
                        check_name="totals_agree", passed=mood["blocking"], metadata={"example": MEMBER}
                    ),
                    dg.AssetCheckResult(
                        check_name="looks_usual", passed=mood["warning"], severity=dg.AssetCheckSeverity.WARN
                    ),
                ]
            )

        return unsteady

    def run(self):
        """One run of the unsteady asset, in its present mood."""
        job = self.definitions.resolve_implicit_global_asset_job_def()
        return job.execute_in_process(instance=self.instance, asset_selection=[UNSTEADY], raise_on_error=False)

    def built(self, *tables, months=MONTHS):
        """The tables were built just now (by the computer's clock) and passed their checks, with these months."""
        for table in tables:
            self.instance.report_runless_asset_event(dg.AssetMaterialization(table.asset.key))
            for spec in table.asset.check_specs:
                self.checked(table, spec.name)
            made.built(self.lake, table.full_name, months if table.partitioned else ["all"])
            made.scored(self.lake, table.full_name, dict.fromkeys(months[-1:] if table.partitioned else ["all"], 99.0))

    def checked(self, table, name, **how):
        how = {"passed": True, "metadata": {"rows": 100} if name == ROWS_KEEP_CONTRACT else {}} | how
        self.instance.report_runless_asset_event(
            dg.AssetCheckEvaluation(asset_key=table.asset.key, check_name=name, **how)
        )

    def after(self, passed: timedelta, *, off=False):
        """One tick so long after the start; what the receiver got from it. `off`: there were none before it."""
        self.now = self.start + passed
        if not off:
            path = heartbeat_path(self.settings)
            write_heartbeat(path, replace(self.beat(), last_tick_at=stamp(self.now - MINUTE)))
        before = len(self.web.taken)
        with dg.build_sensor_context(
            instance=self.instance, definitions=self.definitions, resources={"lake": self.lake}, cursor=self.cursor
        ) as context:
            self.cursor = self.sensor.evaluate_tick(context).cursor
        return self.web.taken[before:]

    def beat(self):
        return read_heartbeat(heartbeat_path(self.settings))


@pytest.fixture
def plant(tmp_path, lake, web):
    found = Plant(tmp_path, lake, web)
    found.built(*TABLES)
    yield found
    found.instance.dispose()


def news(messages):
    """Change, severity, kind and assets of messages."""
    return [(m["change"], m["severity"], m["kind"], [a["asset"] for a in m["alerts"]]) for m in messages]


def test_nothing_is_told_of_a_plant_that_is_well(plant):
    assert plant.after(MINUTE) == []
    assert plant.cursor is not None
    assert plant.beat().open_alerts == 0


@pytest.mark.requirement("R16")
def test_an_overdue_table_warns_once_fails_once_and_recovers_once_across_restarts(plant):
    daily = ["bronze/medical_claims", "silver/members"]
    assert plant.after(DAILY.warn_after - MINUTE) == []
    assert news(plant.after(DAILY.warn_after + MINUTE)) == [("opened", "warning", "freshness", daily)]
    assert plant.after(DAILY.warn_after + 2 * MINUTE) == []
    plant.restart()
    assert plant.after(DAILY.fail_after - MINUTE) == []
    assert news(plant.after(DAILY.fail_after + MINUTE)) == [("opened", "critical", "freshness", daily)]
    plant.restart()
    assert plant.after(DAILY.fail_after + 2 * MINUTE) == []
    plant.built(medical_claims, members)
    plant.start -= DAY  # the computer's clock stands still: as if a day had passed before this build
    assert news(plant.after(DAY + HOUR)) == [("recovered", "critical", "freshness", daily)]
    plant.restart()
    assert plant.after(DAY + 2 * HOUR) == []
    assert len(plant.web.taken) == 3


def test_a_weekly_table_is_not_late_after_a_day_and_is_after_a_week(plant):
    plant.after(DAILY.fail_after + MINUTE)
    late = news(plant.after(WEEKLY.warn_after + MINUTE))
    assert late == [("opened", "warning", "freshness", ["gold/pmpm"])]


def test_a_message_holds_link_time_and_remedy_and_the_history_who_was_told(plant):
    (message,) = plant.after(DAILY.warn_after + MINUTE)
    alert = message["alerts"][1]
    assert alert["link"] == "https://dagster.example.org/assets/silver/members"
    assert alert["what"].endswith("and may be 26 hours old.")
    assert "claims run" in alert["remedy"]
    row = stored(plant.lake)[1]
    assert (row.subject, row.channels, row.opened_to) == ("silver/members", ("webhook",), ("webhook",))
    assert row.delivered_at == plant.now.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_a_table_that_was_never_built_is_told_and_recovers_with_its_first_build(tmp_path, lake, web):
    plant = Plant(tmp_path, lake, web)
    plant.built(members, pmpm)
    assert news(plant.after(MINUTE)) == [("opened", "warning", "freshness", ["bronze/medical_claims"])]
    plant.built(medical_claims)
    assert news(plant.after(2 * MINUTE)) == [("recovered", "warning", "freshness", ["bronze/medical_claims"])]
    plant.instance.dispose()


def test_a_receiver_that_fails_and_recovers_gets_one_message_and_the_cursor_waits(plant):
    plant.after(MINUTE)
    cursor = plant.cursor
    plant.web.answers = [500, 500]  # both attempts of the first tick
    with pytest.raises(TickFailed, match=r"^webhook: HTTP 500: what is not delivered will be tried again\.$"):
        plant.after(DAILY.warn_after + MINUTE)
    assert plant.cursor == cursor
    assert (plant.beat().failures, plant.beat().last_failure) == (
        1,
        "webhook: HTTP 500: what is not delivered will be tried again.",
    )
    assert [a.opened_to for a in stored(plant.lake)] == [(), ()]
    plant.restart()
    plant.web.answers = [500]  # then its second attempt is taken
    assert len(plant.after(DAILY.warn_after + 2 * MINUTE)) == 1
    assert plant.cursor != cursor
    assert plant.beat().failures == 0
    assert plant.after(DAILY.warn_after + 3 * MINUTE) == []


def test_what_opened_and_recovered_while_nobody_could_be_told_is_told_as_over(plant):
    plant.mood["raise"] = True
    plant.run()
    plant.web.answers = [500, 500]
    with pytest.raises(TickFailed):
        plant.after(MINUTE)
    plant.mood["raise"] = False
    plant.run()
    assert {(m["change"], m["kind"]) for m in plant.after(2 * MINUTE)} == {("recovered", "run"), ("recovered", "check")}


def test_a_failed_run_is_told_with_its_link_and_is_over_when_its_work_is_done(plant):
    plant.after(MINUTE)
    plant.mood["raise"] = True
    failed = plant.run()
    by_kind = {m["kind"]: m for m in plant.after(2 * MINUTE)}
    (alert,) = by_kind["run"]["alerts"]
    assert alert["link"] == f"https://dagster.example.org/runs/{failed.run_id}"
    assert alert["what"].endswith("failed at silver/unsteady.")
    assert plant.after(3 * MINUTE) == []
    plant.mood["raise"] = False
    plant.run()
    assert "run" in {m["kind"] for m in plant.after(4 * MINUTE) if m["change"] == "recovered"}
    assert all(a.recovered_at for a in stored(plant.lake))


@pytest.mark.parametrize(
    ("check", "named", "severity"),
    [("blocking", "totals_agree", "critical"), ("warning", "looks_usual", "warning")],
)
def test_a_failed_check_is_told_by_its_severity_and_recovers(plant, check, named, severity):
    plant.mood[check] = False
    plant.run()
    found = [m for m in plant.after(MINUTE) if m["kind"] == "check"]
    assert news(found) == [("opened", severity, "check", ["silver/unsteady"])]
    assert found[0]["alerts"][0]["subject"] == f"silver/unsteady: {named}"
    plant.mood[check] = True
    plant.run()
    over = [m for m in plant.after(2 * MINUTE) if m["kind"] == "check"]
    assert news(over) == [("recovered", severity, "check", ["silver/unsteady"])]


def test_a_month_with_few_rows_a_missing_month_and_a_low_score_are_told(plant):
    months = months_between("2024-01", plant.start.strftime("%Y-%m"))
    held = [m for m in months if m != "2024-09"]
    made.built(plant.lake, "bronze.medical_claims", held, rows=dict.fromkeys(held, 4000) | {"2025-03": 1999})
    made.scored(plant.lake, "silver.members", {"all": 59.0})
    found = {m["kind"]: m["alerts"] for m in plant.after(MINUTE)}
    assert found.keys() == {"volume", "completeness", "quality"}
    assert [(a["asset"], a["claim_month"]) for a in found["volume"]] == [("bronze/medical_claims", "2025-03")]
    assert "lacks claim months 2024-09" in found["completeness"][0]["what"]
    assert "59.0 of 100" in found["quality"][0]["what"]


NEWEST_SAID = [
    ("features__drift_score", ("critical", 0.8, None, 0.3, "age"), "the drift score of age is 0.8, more than 0.3"),
    ("total_cost_predictor__composite_drift", ("warning", 0.4, None, 0.3, "predicted_total_cost"), "led by predicted"),
    ("er_utilization_predictor__drift_from_training", ("warning", 0.4, None, 0.3, "age"), "was trained on is 0.4"),
    ("features__missing_values", ("warning", 0.07, None, 0.05, "bmi"), "the rise of the share without bmi is 0.07"),
    ("features__out_of_range", ("warning", 0.02, None, 0.01, "age"), "beyond all values of the reference is 0.02"),
    ("population__demographic_shift", ("warning", 0.12, None, 0.1, "race"), "groups of race is 0.12, more than 0.1"),
    ("health_risk_score__prediction_count", ("warning", 900.0, 1500.0, None, "x"), "is 900, less than 1,500"),
    ("health_risk_score__prediction_shift", ("warning", 0.25, None, 0.2, "x"), "the mean of x is 0.25, more than 0.2"),
    ("health_risk_score__mean_prediction", ("warning", 14.0, 15.0, 85.0, "x"), "the mean of x is 14, fine is 15 to 85"),
    ("health_risk_score__mean_prediction", ("critical", 91.0, 15.0, 85.0, "x"), "is 91, fine is 15 to 85"),
    ("health_risk_score__mae", ("warning", 16.0, None, 15.0, "2024-01"), "error of the predictions of 2024-01 is 16"),
    ("high_cost_predictor__performance", ("warning", 0.3, 0.4, None, "average_precision"), "is 0.3, less than 0.4"),
]


@pytest.mark.requirement("R13")
@pytest.mark.parametrize(("name", "row", "said"), NEWEST_SAID, ids=[f"{n} {r[0]}" for n, r, _ in NEWEST_SAID])
def test_each_condition_of_drift_is_told_once_and_recovers(plant, name, row, said):
    newest = expected_month(plant.start.date(), FEED_DAYS)
    made.drifted(plant.lake, add_months(newest, -1), **{name: ("ok", *row[1:])})
    assert not [m for m in plant.after(MINUTE) if m["kind"] == "drift"]
    made.drifted(plant.lake, newest, **{name: row})
    (message,) = [m for m in plant.after(2 * MINUTE) if m["kind"] == "drift"]
    assert news([message]) == [("opened", row[0], "drift", ["monitoring/drift"])]
    assert said in message["alerts"][0]["what"]
    assert newest in message["alerts"][0]["what"]
    assert not [m for m in plant.after(3 * MINUTE) if m["kind"] == "drift"]
    made.drifted(plant.lake, add_months(newest, 1), **{name: ("ok", *row[1:])})
    later = [m for m in plant.after(31 * DAY) if m["kind"] == "drift"]
    assert news(later) == [("recovered", row[0], "drift", ["monitoring/drift"])]


def test_what_moved_in_the_inputs_is_told_once_and_not_for_every_model(plant):
    newest = expected_month(plant.start.date(), FEED_DAYS)
    moved = ("warning", 0.5, None, 0.3, "age")
    names = ("features__drift_score", "total_cost_predictor__composite_drift", "high_cost_predictor__composite_drift")
    made.drifted(plant.lake, newest, **dict.fromkeys(names, moved))
    (message,) = [m for m in plant.after(MINUTE) if m["kind"] == "drift"]
    assert [a["subject"] for a in message["alerts"]] == ["monitoring/drift: features drift_score"]


def test_the_newest_expected_month_is_asked_for_however_fresh_the_table_is(plant):
    held = months_between("2024-01", "2024-06")
    plant.built(medical_claims, months=held)
    found = {m["kind"]: m for m in plant.after(MINUTE)}
    assert "freshness" not in found
    assert "ends at 2024-06" in found["completeness"]["alerts"][0]["what"]


def test_no_message_history_or_heartbeat_ever_holds_a_value_of_a_row(plant):
    plant.mood |= {"raise": True}
    plant.run()
    plant.after(MINUTE)
    plant.mood |= {"raise": False, "blocking": False, "warning": False}
    plant.run()
    plant.after(2 * MINUTE)
    assert len(plant.web.taken) > 1
    everything = json.dumps(plant.web.taken) + repr(stored(plant.lake)) + repr(plant.beat())
    assert MEMBER not in everything
    assert "s3cret" not in everything


def test_silenced_alerts_are_kept_but_told_only_when_they_are_heard_again(plant):
    plant.environ["CLAIMS_ALERTS_SILENCED"] = "run, silver/mem*"
    plant.restart()
    (message,) = plant.after(DAILY.warn_after + MINUTE)
    assert [a["asset"] for a in message["alerts"]] == ["bronze/medical_claims"]
    assert [a.subject for a in stored(plant.lake)] == ["bronze/medical_claims", "silver/members"]
    del plant.environ["CLAIMS_ALERTS_SILENCED"]
    plant.restart()
    (message,) = plant.after(DAILY.warn_after + 2 * MINUTE)
    assert [a["asset"] for a in message["alerts"]] == ["silver/members"]


@pytest.mark.requirement("R40")
def test_a_watch_that_can_not_see_is_told_and_what_it_watches_does_not_recover(plant):
    made.scored(plant.lake, "silver.members", {"all": 59.0})
    assert news(plant.after(MINUTE)) == [("opened", "critical", "quality", ["silver/members"])]
    scores = plant.lake.path("monitoring", "data_quality_scores")
    scores.rename(scores.with_name("elsewhere"))
    (message,) = plant.after(2 * MINUTE)
    assert message["kind"] == "alerting"
    assert "The watch of quality saw nothing" in message["alerts"][0]["what"]
    scores.with_name("elsewhere").rename(scores)
    assert news(plant.after(3 * MINUTE)) == [("recovered", "critical", "alerting", [None])]


def test_a_sensor_that_was_off_says_so(plant):
    plant.after(MINUTE)
    (message,) = plant.after(HOUR, off=True)
    assert "did not tick after" in message["alerts"][0]["what"]
    assert [m["change"] for m in plant.after(HOUR + MINUTE)] == ["recovered"]


def test_each_round_that_worked_is_told_outside_and_no_other(plant):
    plant.environ["CLAIMS_ALERTS_HEARTBEAT_URL"] = plant.web.url
    plant.restart()
    plant.after(MINUTE)
    assert plant.web.gets == 1
    plant.web.answers = [400]
    with pytest.raises(TickFailed):
        plant.after(DAILY.warn_after + MINUTE)
    assert plant.web.gets == 1


def test_without_a_channel_alerts_are_kept_and_the_first_channel_hears_what_is_open(plant):
    url = plant.environ.pop("CLAIMS_ALERTS_WEBHOOK")
    plant.restart()
    assert plant.after(DAILY.warn_after + MINUTE) == []
    assert len(stored(plant.lake)) == 2
    plant.environ["CLAIMS_ALERTS_WEBHOOK"] = url
    plant.restart()
    assert [len(m["alerts"]) for m in plant.after(DAILY.warn_after + 2 * MINUTE)] == [2]


@pytest.mark.parametrize(
    ("environment", "status"), [("local", "STOPPED"), ("staging", "STOPPED"), ("production", "RUNNING")]
)
def test_the_sensor_is_on_from_the_start_in_production_only(environment, status):
    (sensor,) = alert_sensors(settings_from_environment({"CLAIMS_ENV": environment}), TABLES)
    assert sensor.default_status.value == status
