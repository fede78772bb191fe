"""`claims alerts test` as a user runs it, against real receivers."""

import pytest
from click.testing import CliRunner

from claims_assets.cli import main
from claims_assets_tests.automation.alerts.receivers import Post, Web, receiving, serving


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs the command with these settings."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    def run(**environ):
        environ = {"CLAIMS_HOME": str(tmp_path), **environ}
        return CliRunner().invoke(main.claims, ["alerts", "test"], env=environ)

    return run


def test_every_configured_channel_gets_one_message_and_the_command_says_so(run):
    with serving(Web()) as web, receiving(Post()) as post:
        result = run(
            CLAIMS_ALERTS_WEBHOOK=web.url,
            CLAIMS_ALERTS_SLACK_WEBHOOK=web.url,
            CLAIMS_ALERTS_TEAMS_WEBHOOK=web.url,
            CLAIMS_ALERTS_PAGERDUTY_KEY="key",
            CLAIMS_ALERTS_PAGERDUTY_URL=web.url,
            CLAIMS_ALERTS_SMTP_URL=post.url,
            CLAIMS_ALERTS_MAIL_TO="a@plan.org",
        )
        assert (len(web.taken), len(post.mails)) == (4, 1)
    assert result.exit_code == 0
    said = [line.split() for line in result.output.splitlines()]
    assert said == [[name, "delivered"] for name in ("webhook", "slack", "teams", "pagerduty", "mail")]
    (event,) = [m for m in web.taken if "event_action" in m]
    assert (event["event_action"], event["payload"]["severity"]) == ("trigger", "info")


def test_a_channel_that_refuses_is_named_with_the_reason_and_the_others_are_tried(run):
    with serving(Web()) as web, serving(Web()) as wrong:
        wrong.answers = [404]
        result = run(CLAIMS_ALERTS_WEBHOOK=wrong.url, CLAIMS_ALERTS_SLACK_WEBHOOK=web.url)
        assert len(web.taken) == 1
    assert result.exit_code == 1
    assert "webhook    not delivered: HTTP 404" in result.output
    assert "slack      delivered" in result.output
    assert "Error: Not delivered: webhook." in result.output
    assert "s3cret" not in result.output


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({}, "Error: No alert channel is configured: set for example CLAIMS_ALERTS_WEBHOOK (docs/alerts.md)."),
        (
            {"CLAIMS_ALERTS_SLACK_WEBHOOK": "hooks.slack.com/s3cret"},
            "Error: CLAIMS_ALERTS_SLACK_WEBHOOK is not an address: write it as https://host/...;"
            " its value is not shown.",
        ),
        (
            {"CLAIMS_ALERTS_MAIL_TO": "a@plan.org"},
            "Error: CLAIMS_ALERTS_SMTP_URL is not set: mails need both the server and the receivers.",
        ),
    ],
)
def test_wrong_settings_are_one_sentence(run, environ, sentence):
    result = run(**environ)
    assert result.exit_code == 1
    assert result.output.splitlines() == [sentence]
