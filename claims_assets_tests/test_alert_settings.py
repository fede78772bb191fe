"""Settings of the alert channels: what is read, and what is refused in one sentence without a secret."""

import pytest

from claims_assets.alert_settings import PAGERDUTY_EVENTS, SENDER, UI, AlertSettings, alerts_from
from claims_assets.settings import SettingError, settings_from_environment

ALL = {
    "CLAIMS_UI_URL": "https://dagster.example.org/claims",
    "CLAIMS_ALERTS_WEBHOOK": "https://hooks.example.org/s3cret-1",
    "CLAIMS_ALERTS_SLACK_WEBHOOK": "https://hooks.slack.com/services/s3cret-2",
    "CLAIMS_ALERTS_TEAMS_WEBHOOK": "https://example.webhook.office.com/s3cret-3",
    "CLAIMS_ALERTS_PAGERDUTY_KEY": "s3cret-4",
    "CLAIMS_ALERTS_PAGERDUTY_URL": "https://events.eu.pagerduty.com/v2/enqueue",
    "CLAIMS_ALERTS_SMTP_URL": "smtp://claims:s3cret-5@mail.example.org:587",
    "CLAIMS_ALERTS_MAIL_TO": "data@plan.org, oncall@plan.org",
    "CLAIMS_ALERTS_MAIL_FROM": "claims@plan.org",
    "CLAIMS_ALERTS_SILENCED": "volume, gold/*",
    "CLAIMS_ALERTS_HEARTBEAT_URL": "https://hc.example.org/s3cret-6",
}


def test_nothing_set_is_no_channel_and_the_ui_of_this_machine():
    assert alerts_from({}) == AlertSettings()
    found = alerts_from(dict.fromkeys(ALL, ""))
    assert found == AlertSettings()
    assert (found.ui_url, found.pagerduty_url, found.mail_from) == (UI, PAGERDUTY_EVENTS, SENDER)


def test_everything_that_is_set_is_read():
    found = settings_from_environment(ALL).alerts
    assert found.webhook == ALL["CLAIMS_ALERTS_WEBHOOK"]
    assert found.slack_webhook == ALL["CLAIMS_ALERTS_SLACK_WEBHOOK"]
    assert found.teams_webhook == ALL["CLAIMS_ALERTS_TEAMS_WEBHOOK"]
    assert (found.pagerduty_key, found.pagerduty_url) == ("s3cret-4", ALL["CLAIMS_ALERTS_PAGERDUTY_URL"])
    assert found.smtp_url == ALL["CLAIMS_ALERTS_SMTP_URL"]
    assert (found.mail_to, found.mail_from) == (("data@plan.org", "oncall@plan.org"), "claims@plan.org")
    assert (found.ui_url, found.silenced) == (ALL["CLAIMS_UI_URL"], ("volume", "gold/*"))
    assert found.heartbeat_url == ALL["CLAIMS_ALERTS_HEARTBEAT_URL"]


@pytest.mark.requirement("R35")
def test_no_secret_is_in_what_the_settings_show_of_themselves():
    assert "s3cret" not in repr(settings_from_environment(ALL))


@pytest.mark.requirement("R35")
@pytest.mark.parametrize("name", [n for n in ALL if n.endswith(("WEBHOOK", "URL"))])
@pytest.mark.parametrize(
    "value", ["s3cret.example.org/x", "ftp://s3cret.example.org", "https://", "https://h:s3cret/x"]
)
def test_an_address_that_is_none_is_refused_by_name_and_not_shown(name, value):
    with pytest.raises(SettingError) as refusal:
        alerts_from(ALL | {name: value})
    assert str(refusal.value).startswith(f"{name} is not an address: write it as ")
    assert "s3cret" not in str(refusal.value)


@pytest.mark.parametrize(
    ("given", "lacking"),
    [
        ("CLAIMS_ALERTS_SMTP_URL", "CLAIMS_ALERTS_MAIL_TO"),
        ("CLAIMS_ALERTS_MAIL_TO", "CLAIMS_ALERTS_SMTP_URL"),
    ],
)
def test_half_of_the_mail_settings_is_refused(given, lacking):
    with pytest.raises(SettingError, match=f"^{lacking} is not set: mails need both"):
        alerts_from({given: ALL[given]})


@pytest.mark.parametrize("address", ["oncall", "@plan.org", "on call@plan.org", "a@"])
def test_a_receiver_that_is_no_mail_address_is_refused(address):
    with pytest.raises(SettingError, match="CLAIMS_ALERTS_MAIL_TO holds"):
        alerts_from(ALL | {"CLAIMS_ALERTS_MAIL_TO": f"data@plan.org,{address}"})
