"""Messages: how alerts are gathered, and the limits of the services that take them."""

import json
from dataclasses import replace

from claims_assets.automation.alerts import messages
from claims_assets.automation.alerts.messages import MOST_ALERTS, Message, messages_for
from claims_assets_tests.automation.alerts.test_channels import ALERT


def several(count, **changed):
    """Open alerts that the channel `slack` is to be told of."""
    return [replace(ALERT, alert_id=f"{i:016x}", subject=f"s{i}", channels=("slack",), **changed) for i in range(count)]


def test_alerts_of_one_kind_and_severity_share_messages_and_others_do_not():
    alerts = [*several(MOST_ALERTS + 1), *several(2, severity="critical"), *several(1, kind="run")]
    found = messages_for(alerts, "slack", "http://ui")
    assert [(m.kind, m.severity, len(m.alerts)) for m in found] == [
        ("volume", "warning", MOST_ALERTS),
        ("volume", "warning", 1),
        ("volume", "critical", 2),
        ("run", "warning", 1),
    ]
    assert found[0].title == f"WARNING Few rows in a month ({MOST_ALERTS})"


def test_the_largest_message_fits_the_services():
    long = [
        replace(a, what=f"{a.subject} {'x' * 300}", remedy=f"{a.subject} {'y' * 200}") for a in several(MOST_ALERTS)
    ]
    message = Message("opened", tuple(long), "https://dagster.example.org/some/path")
    slack = messages.slack(message)
    assert len(slack["blocks"]) <= 50
    assert max(len(b["text"]["text"]) for b in slack["blocks"]) <= 3000
    assert len(json.dumps(messages.teams(message)).encode()) <= 28 * 1024
    assert all(len(e["payload"]["summary"]) <= 1024 for e in messages.pagerduty(message, "key"))


def test_the_same_news_has_the_same_id_and_other_news_another():
    opened = Message("opened", (ALERT,), "http://ui")
    assert opened.message_id == Message("opened", (ALERT,), "http://other").message_id
    assert opened.message_id != Message("recovered", (ALERT,), "http://ui").message_id
    assert opened.message_id != Message("opened", (replace(ALERT, alert_id="f" * 16),), "http://ui").message_id


def test_the_same_remedy_is_said_once():
    assert Message("opened", tuple(several(3)), "http://ui").remedies == [ALERT.remedy]
