"""Each way out, against real servers on the loopback interface: what arrives, when it is tried again, what is said."""

from dataclasses import replace

import pytest
from aiosmtpd.smtp import AuthResult

from claims_assets.alert_settings import AlertSettings
from claims_assets.automation.alerts.channels import Mail, NotDelivered, Patience, channels_for, deliver, deliver_all
from claims_assets.automation.alerts.messages import Message
from claims_assets.monitoring.alerts import Alert
from claims_assets_tests.automation.alerts.receivers import SILENT, Post, Web, receiving, serving

AT_ONCE = Patience(waits=(0.0, 0.0), timeout=2.0)
ALERT = Alert(
    alert_id="0123456789abcdef",
    kind="volume",
    subject="bronze/medical_claims",
    asset="bronze/medical_claims",
    claim_month="2024-03",
    severity="warning",
    what="bronze/medical_claims 2024-03 holds 12 rows; the months before it usually hold 4,000 & more.",
    remedy="See whether a file is missing.",
    page="assets/bronze/medical_claims?view=partitions&partition=2024-03",
    since="2024-05-01T12:00:00Z",
    opened_at="2024-05-01T12:00:00Z",
)
LINK = "https://dagster.example.org/assets/bronze/medical_claims?view=partitions&partition=2024-03"
OPENED = Message("opened", (ALERT,), "https://dagster.example.org/")
RECOVERED = Message("recovered", (replace(ALERT, recovered_at="2024-05-02T12:00:00Z"),), "https://dagster.example.org/")


def taken(web: Web, message: Message, **settings) -> list[dict]:
    """What the server got of the one configured channel."""
    (channel,) = channels_for(AlertSettings(**settings))
    deliver(channel, message, AT_ONCE)
    return web.taken


def test_a_webhook_gets_all_that_is_known_as_plain_json(web):
    (body,) = taken(web, OPENED, webhook=web.url)
    assert {k: body[k] for k in ("change", "kind", "severity")} == {
        "change": "opened",
        "kind": "volume",
        "severity": "warning",
    }
    assert body["title"] == "WARNING Few rows in a month: bronze/medical_claims 2024-03"
    (alert,) = body["alerts"]
    assert (alert["link"], alert["what"], alert["remedy"]) == (LINK, ALERT.what, ALERT.remedy)
    assert (alert["claim_month"], alert["since"], alert["recovered_at"]) == ("2024-03", ALERT.since, None)


def test_slack_gets_a_text_and_sections_with_its_control_characters_escaped(web):
    (body,) = taken(web, OPENED, slack_webhook=web.url)
    assert body["text"].startswith("WARNING Few rows in a month")
    assert {b["type"] for b in body["blocks"]} == {"section"}
    assert {b["text"]["type"] for b in body["blocks"]} == {"mrkdwn"}
    title, what, remedy = (b["text"]["text"] for b in body["blocks"])
    assert title.startswith("*WARNING")
    assert "4,000 &amp; more" in what
    assert f"<{LINK}|Open>" in what
    assert remedy == f"_{ALERT.remedy}_"


def test_teams_gets_an_adaptive_card(web):
    (body,) = taken(web, OPENED, teams_webhook=web.url)
    (attachment,) = body["attachments"]
    assert (body["type"], attachment["contentType"]) == ("message", "application/vnd.microsoft.card.adaptive")
    card = attachment["content"]
    assert (card["type"], {b["type"] for b in card["body"]}) == ("AdaptiveCard", {"TextBlock"})
    assert f"[Open]({LINK})" in card["body"][1]["text"]
    assert card["body"][-1]["text"] == ALERT.remedy


def test_pagerduty_opens_an_incident_and_resolves_the_same(web):
    to = {"pagerduty_key": "R0UT1NG", "pagerduty_url": web.url}
    taken(web, OPENED, **to)
    trigger, resolve = taken(web, RECOVERED, **to)
    assert (trigger["event_action"], resolve["event_action"]) == ("trigger", "resolve")
    assert trigger["routing_key"] == "R0UT1NG"
    assert trigger["dedup_key"] == resolve["dedup_key"]
    assert {n: trigger["payload"][n] for n in ("summary", "source", "severity")} == {
        "summary": ALERT.what,
        "source": ALERT.asset,
        "severity": "warning",
    }
    assert trigger["links"] == [{"href": LINK, "text": "Open in the Dagster UI"}]


def test_another_severity_of_the_same_thing_is_the_same_incident(web):
    worse = replace(OPENED, alerts=(replace(ALERT, severity="critical", alert_id="f" * 16),))
    to = {"pagerduty_key": "R0UT1NG", "pagerduty_url": web.url}
    taken(web, OPENED, **to)
    first, second = taken(web, worse, **to)
    assert first["dedup_key"] == second["dedup_key"]
    assert second["payload"]["severity"] == "critical"


def test_a_mail_reaches_every_receiver_with_link_and_remedy(post):
    to = AlertSettings(smtp_url=post.url, mail_to=("a@plan.org", "b@plan.org"), mail_from="claims@plan.org")
    (channel,) = channels_for(to)
    deliver(channel, OPENED, AT_ONCE)
    (mail,) = post.mails
    assert mail["Subject"] == "[claims] WARNING Few rows in a month: bronze/medical_claims 2024-03"
    assert (mail["From"], mail["To"]) == ("claims@plan.org", "a@plan.org, b@plan.org")
    assert post.receivers == [["a@plan.org", "b@plan.org"]]
    body = mail.get_content()
    assert ALERT.what in body
    assert LINK in body
    assert ALERT.remedy in body


def test_a_mail_of_a_recovery_says_from_when_to_when_and_asks_for_nothing(post):
    deliver(Mail(post.url, "claims@plan.org", ("a@plan.org",)), RECOVERED, AT_ONCE)
    body = post.mails[0].get_content()
    assert "From 2024-05-01T12:00:00Z to 2024-05-02T12:00:00Z." in body
    assert ALERT.remedy not in body


@pytest.mark.parametrize("answers", [[500], [503, 429], [408, 500]])
def test_a_passing_fault_is_tried_again_and_the_message_arrives_once(web, answers):
    web.answers = list(answers)
    assert len(taken(web, OPENED, webhook=web.url)) == 1
    assert web.asked == len(answers) + 1


@pytest.mark.parametrize("code", [400, 401, 404, 302])
def test_what_is_refused_for_good_is_not_tried_again_and_a_redirect_is_no_success(web, code):
    web.answers = [code] * 3
    with pytest.raises(NotDelivered, match=f"HTTP {code}") as refusal:
        taken(web, OPENED, webhook=web.url)
    assert not refusal.value.may_pass
    assert web.asked == 1


def test_no_answer_and_no_server_are_said_without_the_address(web):
    web.answers = [SILENT]
    nobody = AlertSettings(webhook="http://127.0.0.1:9/services/s3cret")
    for to in (AlertSettings(webhook=web.url), nobody):
        (channel,) = channels_for(to)
        with pytest.raises(NotDelivered) as failure:
            deliver(channel, OPENED, Patience(waits=(), timeout=0.2))
        assert failure.value.may_pass
        assert "s3cret" not in str(failure.value) + repr(channel) + repr(to)
        assert failure.value.__cause__ is None


@pytest.mark.parametrize(("answer", "may_pass"), [("451 not now", True), ("550 no such sender s3cret", False)])
def test_a_mail_server_that_refuses_is_named_by_its_code_only(answer, may_pass):
    with receiving(Post(refusing=answer)) as server, pytest.raises(NotDelivered) as refusal:
        deliver(Mail(server.url, "claims@plan.org", ("a@plan.org",)), OPENED, Patience(waits=()))
    assert (str(refusal.value), refusal.value.may_pass) == (f"SMTP {answer[:3]}", may_pass)


def test_user_and_password_of_the_address_sign_in():
    seen = []

    def check(server, session, envelope, mechanism, data):
        seen.append((data.login, data.password))
        return AuthResult(success=True)

    with receiving(Post(authenticator=check, auth_require_tls=False)) as server:
        url = server.url.replace("://", "://claims:p%40ss@")
        deliver(Mail(url, "claims@plan.org", ("a@plan.org",)), OPENED, AT_ONCE)
        assert len(server.mails) == 1
    assert seen == [(b"claims", b"p@ss")]


def test_a_password_never_crosses_a_network_in_clear(post, monkeypatch):
    monkeypatch.setattr("claims_assets.automation.alerts.channels.LOOPBACK", ())  # as if the server were elsewhere
    channel = Mail(post.url.replace("://", "://claims:s3cret@"), "claims@plan.org", ("a@plan.org",))
    with pytest.raises(NotDelivered, match="no encryption") as refusal:
        deliver(channel, OPENED, AT_ONCE)
    assert not refusal.value.may_pass
    assert post.mails == []


def test_a_dead_channel_does_not_hold_up_the_others(web, post):
    with serving(Web()) as dead:
        dead.answers = [500] * 9
        channels = channels_for(
            AlertSettings(webhook=dead.url, slack_webhook=web.url, smtp_url=post.url, mail_to=("a@plan.org",))
        )
        done = deliver_all([(c, [OPENED, RECOVERED]) for c in channels], AT_ONCE)
    assert {name: (len(took), why) for name, took, why in done} == {
        "webhook": (0, "webhook: HTTP 500"),
        "slack": (2, None),
        "mail": (2, None),
    }


def test_a_message_refused_for_good_does_not_hold_up_the_next(web):
    web.answers = [400]
    channels = channels_for(AlertSettings(webhook=web.url))
    ((_, took, why),) = deliver_all([(c, [OPENED, RECOVERED]) for c in channels], AT_ONCE)
    assert (took, why) == ([RECOVERED], "webhook: HTTP 400")


def test_nothing_configured_is_no_channel():
    assert channels_for(AlertSettings()) == []


def test_a_server_that_speaks_no_smtp_is_no_answer(web):
    with pytest.raises(NotDelivered, match="no answer"):
        Mail(web.url.replace("http", "smtp"), "claims@plan.org", ("a@plan.org",)).send(OPENED, timeout=2)
