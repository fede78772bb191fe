"""Which conditions are news: what holds for any sequence of observations."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from claims_assets.automation.alerts import book
from claims_assets.automation.alerts.conditions import Condition, Kind, Severity
from claims_assets.automation.alerts.messages import messages_for
from claims_assets.monitoring.alerts import Alert

START = datetime(2024, 3, 1, tzinfo=UTC)
KINDS = ("freshness", "quality", "run")


def condition(kind: Kind = "quality", subject="silver/medical_claims", month="2024-01", severity: Severity = "warning"):
    return Condition(kind, subject, severity, "Bad.", "Mend it.", "assets/x", subject, month)


observations = st.lists(
    st.builds(
        condition,
        kind=st.sampled_from(KINDS),
        subject=st.sampled_from(["a", "b"]),
        month=st.sampled_from([None, "2024-01"]),
        severity=st.sampled_from(["warning", "critical"]),
    ),
    max_size=6,
    unique_by=lambda c: c.key,
)


def tell(alerts, now, channel="webhook"):
    """What goes out now, and the alerts after it was taken."""
    alerts = [book.meant_for(a, [channel]) for a in alerts]
    heard = [a for m in messages_for(alerts, channel, "http://ui") for a in m.alerts]
    sent: list[tuple[book.Change, Alert]] = [(change, a) for a in heard if (change := book.due(a, channel))]
    by_id = {a.alert_id: a for a in alerts}
    for change, alert in sent:
        by_id[alert.alert_id] = book.told(alert, channel, change, now)
    return sent, list(by_id.values())


def observe(alerts, conditions, now, **how):
    return tell(book.merged(alerts, book.compare(conditions, alerts, now, **how)), now)


@settings(max_examples=100)
@given(st.lists(observations, min_size=1, max_size=6))
def test_the_same_observation_again_sends_nothing_new_and_open_alerts_are_what_is_seen(sequence):
    alerts = []
    for step, conditions in enumerate(sequence):
        now = START + timedelta(minutes=step)
        _, alerts = observe(alerts, conditions, now)
        again, same = observe(alerts, conditions, now + timedelta(seconds=30))
        assert (again, same) == ([], alerts)
        still = {a.key: a.severity for a in alerts if a.recovered_at is None}
        assert still == {c.key: c.severity for c in conditions}


@settings(max_examples=100)
@given(st.lists(observations, min_size=1, max_size=6))
def test_every_alert_is_told_once_and_its_end_once_unless_another_took_its_place(sequence):
    alerts, sent = [], []
    for step, conditions in enumerate([*sequence, []]):
        news, alerts = observe(alerts, conditions, START + timedelta(minutes=step))
        sent += [(change, a.alert_id) for change, a in news]
    assert len(sent) == len(set(sent))
    assert {i for change, i in sent if change == "opened"} == {a.alert_id for a in alerts}
    assert {i for change, i in sent if change == "recovered"} == {a.alert_id for a in alerts if a.superseded_by is None}


def test_a_kind_that_could_not_be_looked_at_does_not_recover():
    _, alerts = observe([], [condition()], START)
    sent, alerts = observe(alerts, [], START, unseen={"quality"})
    assert sent == []
    sent, _ = observe(alerts, [], START)
    assert [change for change, _ in sent] == ["recovered"]


def test_what_is_still_being_made_is_neither_news_nor_over():
    seen = condition()
    assert observe([], [seen], START, undecided={seen.key})[0] == []
    _, alerts = observe([], [seen], START)
    assert observe(alerts, [], START, undecided={seen.key})[0] == []


def test_a_worse_state_is_one_message_and_not_also_a_recovery():
    _, alerts = observe([], [condition()], START)
    sent, alerts = observe(alerts, [condition(severity="critical")], START + timedelta(hours=1))
    assert [(change, a.severity) for change, a in sent] == [("opened", "critical")]
    old, new = alerts
    assert (old.superseded_by, new.recovered_at) == (new.alert_id, None)


def test_a_channel_that_comes_later_hears_what_is_open_and_not_what_is_over():
    _, alerts = observe([], [condition(month="2024-01"), condition(month="2024-02")], START)
    _, alerts = observe(alerts, [condition(month="2024-02")], START)
    sent, _ = tell(alerts, START, "slack")
    assert [(change, a.claim_month) for change, a in sent] == [("opened", "2024-02")]


def test_a_channel_that_was_down_all_the_while_hears_of_the_end():
    alerts = book.compare([condition()], [], START)
    alerts = [book.meant_for(a, ["webhook"]) for a in alerts]
    alerts = book.merged(alerts, book.compare([], alerts, START + timedelta(hours=1)))
    sent, after = tell(alerts, START + timedelta(hours=2))
    assert [change for change, _ in sent] == ["recovered"]
    assert after[0].recovery_delivered_at == "2024-03-01T02:00:00Z"
