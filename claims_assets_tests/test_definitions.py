"""The definitions as the Dagster UI and daemon see them."""

import dagster as dg
import pytest
from dagster._core.remote_representation.external_data import RepositorySnap

from claims_assets.definitions import build
from claims_assets.settings import settings_from_environment


def shown(**environ):
    """Everything that a webserver is told of the code location, as text."""
    definitions = build(settings_from_environment({"CLAIMS_HOME": "/data/claims", **environ}))
    return dg.serialize_value(RepositorySnap.from_def(definitions.get_repository_def()))


@pytest.mark.requirement("R35")
def test_no_password_reaches_the_ui(monkeypatch):
    secrets = {
        "CLAIMS_PROVIDERS_URL": "postgresql://reader:s3cret@db.example.org/plan",
        "MLFLOW_TRACKING_URI": "https://reader:s3cret@mlflow.example.org",
        "CLAIMS_PSEUDONYM_KEY": "s3cret" * 6,
    }
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    text = shown(**secrets)
    assert "s3cret" not in text
    assert all(name in text for name in secrets)


@pytest.mark.requirement("R35")
def test_no_address_of_an_alert_channel_reaches_the_ui():
    text = shown(
        CLAIMS_ALERTS_SLACK_WEBHOOK="https://hooks.slack.com/services/s3cret",
        CLAIMS_ALERTS_PAGERDUTY_KEY="s3cret",
        CLAIMS_ALERTS_SMTP_URL="smtps://claims:s3cret@mail.example.org",
        CLAIMS_ALERTS_MAIL_TO="data@plan.org",
    )
    assert "on_health_change" in text
    assert "s3cret" not in text


@pytest.mark.parametrize(("environment", "running"), [("local", 0), ("staging", 0), ("production", 1)])
def test_the_watch_runs_by_itself_in_production_only(environment, running):
    definitions = build(settings_from_environment({"CLAIMS_ENV": environment}))
    repository = definitions.get_repository_def()
    watch = [repository.get_sensor_def("on_health_change"), repository.get_schedule_def("daily_claim_month_check")]
    assert [w.default_status.value for w in watch] == [["STOPPED", "RUNNING"][running]] * 2


def test_local_state_lies_under_claims_home():
    text = shown()
    assert "/data/claims/lake" in text
    assert "sqlite:////data/claims/mlflow/mlflow.db" in text


def test_steps_run_one_after_another_in_one_process_locally():
    executor = build(settings_from_environment({"CLAIMS_HOME": "/data/claims"})).executor
    assert isinstance(executor, dg.ExecutorDefinition)
    assert executor.name == "in_process"
