"""One round of the alert sensor: look, compare, store, deliver, store, and leave a sign of life.

Everything it needs comes as arguments, also the moment. What is open and who was told stands in `monitoring.alerts`:
it is stored before the first message goes out and after the last one, so a round that fails half-way repeats no
message that was taken. Elsewhere: the sensor around it (`sensor.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from claims_assets.alert_settings import AlertSettings
from claims_assets.automation.alerts import book, heartbeat
from claims_assets.automation.alerts.channels import Channel, Patience, deliver_all
from claims_assets.automation.alerts.conditions import Condition, own_health
from claims_assets.automation.alerts.look import Seen, Sight, look, place_of
from claims_assets.automation.alerts.messages import messages_for
from claims_assets.monitoring import alerts as history
from claims_assets.monitoring.alerts import Alert


class TickFailed(RuntimeError):
    """A round that did not do all it had to; what was delivered is stored and will not be repeated."""


@dataclass(frozen=True)
class Ticked:
    """What one round did."""

    opened: int
    recovered: int
    open_now: int
    messages: int


def tick(sight: Sight, channels: Sequence[Channel], to: AlertSettings, beat: Path, patience: Patience) -> Ticked:
    """One round; its sign of life is written whether it works or fails.

    Raises:
        TickFailed: a channel did not take its messages.
    """
    before = heartbeat.read_heartbeat(beat)
    names = tuple(c.name for c in channels)
    try:
        done = _round(sight, _own_health(before, sight.now), channels, to, patience)
    except Exception as error:
        said = str(error) if isinstance(error, TickFailed) else f"it raised {place_of(error)}"
        heartbeat.write_heartbeat(beat, heartbeat.after_failure(before, sight.now, said))
        raise
    heartbeat.write_heartbeat(beat, heartbeat.after_success(sight.now, done.open_now, names))
    return done


def _own_health(before: heartbeat.Heartbeat, now: datetime) -> list[Condition]:
    silent = heartbeat.silent_from(before, now)
    return own_health(before.failing_since, before.failures, before.last_failure, silent)


def _round(
    sight: Sight, own: Sequence[Condition], channels: Sequence[Channel], to: AlertSettings, patience: Patience
) -> Ticked:
    seen = look(sight)
    changed = news(seen, own, sight.alerts, sight.now)
    names = [c.name for c in channels]
    known = book.merged(sight.alerts, changed)
    alerts = [a if book.silenced(a, to.silenced) else book.meant_for(a, names) for a in known]
    history.publish(sight.lake, _different(sight.alerts, alerts))
    after, sent, failures = _delivered(alerts, channels, to.ui_url, sight.now, patience)
    history.publish(sight.lake, _different(alerts, after))
    if failures:
        raise TickFailed("; ".join(failures) + ": what is not delivered will be tried again.")
    return Ticked(
        opened=sum(a.recovered_at is None for a in changed),
        recovered=sum(a.recovered_at is not None and a.superseded_by is None for a in changed),
        open_now=sum(a.recovered_at is None for a in after),
        messages=sent,
    )


def news(seen: Seen, own: Sequence[Condition], alerts: Sequence[Alert], now: datetime) -> list[Alert]:
    """The alerts that open or end by what was seen; pure, and empty when the same is seen again."""
    return book.compare([*seen.conditions, *own], alerts, now, unseen=seen.unseen, undecided=seen.undecided)


def _delivered(
    alerts: Sequence[Alert], channels: Sequence[Channel], ui_url: str, now: datetime, patience: Patience
) -> tuple[list[Alert], int, list[str]]:
    """The alerts with who was told, the number of messages, and why channels did not take theirs."""
    waiting = [(c, messages_for(alerts, c.name, ui_url)) for c in channels]
    by_id = {a.alert_id: a for a in alerts}
    sent, failures = 0, []
    for name, taken, why in deliver_all([(c, m) for c, m in waiting if m], patience):
        for message in taken:
            for alert in message.alerts:
                change = book.due(by_id[alert.alert_id], name)
                if change:
                    by_id[alert.alert_id] = book.told(by_id[alert.alert_id], name, change, now)
        sent += len(taken)
        if why:
            failures.append(why)
            for alert in alerts:
                if book.due(by_id[alert.alert_id], name):
                    by_id[alert.alert_id] = replace(by_id[alert.alert_id], last_failure=why)
    return list(by_id.values()), sent, failures


def _different(before: Sequence[Alert], after: Sequence[Alert]) -> list[Alert]:
    known = {a.alert_id: a for a in before}
    return [a for a in after if known.get(a.alert_id) != a]
