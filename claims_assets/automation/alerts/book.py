"""Which conditions are news: pure comparison of what is seen with the alerts that are open.

Here: opening, recovery, change of severity, and what each channel still has to be told. Nothing is sent or stored here.
"""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Literal

from claims_assets.automation.alerts.conditions import Condition, stamp
from claims_assets.monitoring.alerts import Alert

Change = Literal["opened", "recovered"]
Key = tuple[str, str, str | None]


def compare(
    conditions: Iterable[Condition],
    alerts: Iterable[Alert],
    now: datetime,
    *,
    unseen: Collection[str] = (),
    undecided: Collection[Key] = (),
) -> list[Alert]:
    """Alerts that open or end now, as they are to be stored.

    Args:
        alerts: the stored ones; those that ended are passed over.
        unseen: kinds that could not be looked at: nothing of them recovers.
        undecided: things whose answer is still being made: neither news nor recovered.
    """
    still = {a.key: a for a in alerts if a.recovered_at is None}
    seen = {c.key: c for c in conditions if c.key not in undecided}
    found: list[Alert] = []
    for key, condition in seen.items():
        old = still.get(key)
        if old is None or old.severity != condition.severity:
            new = _opened(condition, now)
            found.append(new)
            if old:
                found.append(replace(old, recovered_at=stamp(now), superseded_by=new.alert_id))
    for key, alert in still.items():
        if key not in seen and key not in undecided and alert.kind not in unseen:
            found.append(replace(alert, recovered_at=stamp(now)))
    return found


def _opened(condition: Condition, now: datetime) -> Alert:
    told = [condition.kind, condition.subject, condition.claim_month or "", condition.severity, now.isoformat()]
    return Alert(
        alert_id=hashlib.sha256("|".join(told).encode()).hexdigest()[:16],
        kind=condition.kind,
        subject=condition.subject,
        asset=condition.asset,
        claim_month=condition.claim_month,
        severity=condition.severity,
        what=condition.what,
        remedy=condition.remedy,
        page=condition.page,
        since=stamp(condition.since or now),
        opened_at=stamp(now),
    )


def merged(stored: Iterable[Alert], changed: Iterable[Alert]) -> list[Alert]:
    """The stored alerts with the changed ones in their place or added."""
    return list({a.alert_id: a for part in (stored, changed) for a in part}.values())


def silenced(alert: Alert, patterns: Iterable[str]) -> bool:
    """Whether nothing new is to be told of it: a pattern names its kind, its asset or its subject."""
    return any(fnmatchcase(part, p) for p in patterns for part in (alert.kind, alert.asset, alert.subject) if part)


def due(alert: Alert, channel: str) -> Change | None:
    """What the channel has yet to be told of the alert.

    A channel is told of what opened while it was there (`meant_for`), and of the end of that.
    """
    if alert.recovered_at is None:
        return "opened" if channel in alert.channels and channel not in alert.opened_to else None
    if alert.superseded_by or channel not in alert.channels or channel in alert.recovered_to:
        return None
    return "recovered"


def meant_for(alert: Alert, channels: Sequence[str]) -> Alert:
    """The alert with the channels that are to be told of it, as long as it is open.

    So a channel that comes later hears of what is still open, and not of what was over before it came.
    """
    if alert.recovered_at is not None:
        return alert
    return replace(alert, channels=tuple(dict.fromkeys((*alert.channels, *channels))))


def told(alert: Alert, channel: str, change: Change, now: datetime) -> Alert:
    """The alert after the channel took the message."""
    if change == "opened":
        taken = (*alert.opened_to, channel)
        done = stamp(now) if set(alert.channels) <= set(taken) else alert.delivered_at
        return replace(alert, opened_to=taken, delivered_at=done)
    taken = (*alert.recovered_to, channel)
    done = stamp(now) if set(alert.channels) <= set(taken) else alert.recovery_delivered_at
    return replace(alert, recovered_to=taken, recovery_delivered_at=done)
