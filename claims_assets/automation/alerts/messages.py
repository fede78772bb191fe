"""What people read: alerts gathered into few messages, and each message in the form its channel wants. Pure.

Messages hold what is wrong, since when, a link to its page, and the remedy; no value of any row.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any, Literal

from claims_assets.automation.alerts.book import Change, due
from claims_assets.monitoring.alerts import Alert

MOST_ALERTS = 20
"""Alerts of one message: with title and remedy they stay below the 50 blocks of a Slack message (Slack's API reference,
"Blocks") and the 28 KB of a Teams message (Microsoft's reference on webhooks)."""
TITLES = {
    "freshness": "Not built in time",
    "completeness": "Claim months missing",
    "quality": "Low quality score",
    "write": "Write stopped",
    "volume": "Few rows in a month",
    "drift": "Members or predictions not as they were",
    "check": "Check not passed",
    "run": "Run failed",
    "alerting": "Alerts themselves are impaired",
    "test": "Test of the alert channels",
}


@dataclass(frozen=True)
class Message:
    """One or more alerts of one kind and severity that opened, or that recovered."""

    change: Change | Literal["test"]
    alerts: tuple[Alert, ...]
    ui_url: str

    @property
    def message_id(self) -> str:
        """The same for the same news, so that a receiver can drop what it got twice."""
        return hashlib.sha256("|".join([self.change, *(a.alert_id for a in self.alerts)]).encode()).hexdigest()[:16]

    @property
    def kind(self) -> str:
        return self.alerts[0].kind

    @property
    def severity(self) -> str:
        return self.alerts[0].severity

    @property
    def title(self) -> str:
        word = {"opened": self.severity.upper(), "recovered": "RECOVERED", "test": "TEST"}[self.change]
        only = self.alerts[0]
        place = only.asset or only.subject
        about = f": {place} {only.claim_month or ''}".rstrip() if len(self.alerts) == 1 else f" ({len(self.alerts)})"
        return f"{word} {TITLES[self.kind]}{about}"

    def link(self, alert: Alert) -> str:
        return f"{self.ui_url.rstrip('/')}/{alert.page}"

    def when(self, alert: Alert) -> str:
        if self.change == "recovered":
            return f"From {alert.since} to {alert.recovered_at}."
        return f"Since {alert.since}."

    @property
    def remedies(self) -> list[str]:
        """What to do, each once; nothing where all is over."""
        return [] if self.change == "recovered" else list(dict.fromkeys(a.remedy for a in self.alerts))


def messages_for(alerts: Iterable[Alert], channel: str, ui_url: str) -> list[Message]:
    """All that a channel is yet to be told: alerts of one kind, severity and change share a message."""
    groups: dict[tuple, list[Alert]] = {}
    for alert in alerts:
        change = due(alert, channel)
        if change:
            groups.setdefault((change, alert.kind, alert.severity), []).append(alert)
    return [
        Message(change, tuple(found[i : i + MOST_ALERTS]), ui_url)
        for (change, _, _), found in groups.items()
        for i in range(0, len(found), MOST_ALERTS)
    ]


def trial(now: str, ui_url: str) -> Message:
    """A message that is only there to be received."""
    alert = Alert(
        alert_id=hashlib.sha256(now.encode()).hexdigest()[:16],
        kind="test",
        subject="alert channels",
        asset=None,
        claim_month=None,
        severity="warning",
        what="This is a test: nothing is wrong.",
        remedy="Nothing is to be done.",
        page="",
        since=now,
        opened_at=now,
    )
    return Message("test", (alert,), ui_url)


def plain(message: Message) -> str:
    """The body of a mail."""
    lines = [f"- {a.what} {message.when(a)}\n  {message.link(a)}" for a in message.alerts]
    return "\n".join([*lines, *(["", "What to do:"] if message.remedies else []), *message.remedies]) + "\n"


def webhook(message: Message) -> dict[str, Any]:
    """Plain JSON for any receiver."""
    shown = ("alert_id", "kind", "subject", "asset", "claim_month", "severity", "what", "remedy", "since")
    return {
        "message_id": message.message_id,
        "change": message.change,
        "kind": message.kind,
        "severity": message.severity,
        "title": message.title,
        "alerts": [
            {n: getattr(a, n) for n in (*shown, "opened_at", "recovered_at")} | {"link": message.link(a)}
            for a in message.alerts
        ],
    }


def slack(message: Message) -> dict[str, Any]:
    """An incoming webhook's message; `text` is what notifications show."""
    parts = [f"*{_escaped(message.title)}*"]
    parts += [f"{_escaped(a.what)} {message.when(a)}\n<{message.link(a)}|Open>" for a in message.alerts]
    parts += [f"_{_escaped(remedy)}_" for remedy in message.remedies]
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": part}} for part in parts]
    return {"text": _escaped(message.title), "blocks": blocks}


def _escaped(text: str) -> str:
    """Slack's three control characters."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def teams(message: Message) -> dict[str, Any]:
    """An Adaptive Card, the one form that a Teams workflow webhook takes (the older connectors are retired)."""
    colour = {"opened": "Attention", "recovered": "Good", "test": "Default"}[message.change]
    body = [_text(message.title, weight="Bolder", size="Medium", color=colour)]
    body += [_text(f"{a.what} {message.when(a)} [Open]({message.link(a)})") for a in message.alerts]
    body += [_text(remedy, isSubtle=True) for remedy in message.remedies]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
    }
    content = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [content]}


def _text(text: str, **looks: Any) -> dict[str, Any]:
    return {"type": "TextBlock", "text": text, "wrap": True, **looks}


def pagerduty(message: Message, routing_key: str) -> Sequence[dict[str, Any]]:
    """One event of the Events API v2 per alert: its recovery resolves the incident that its opening triggered."""
    return [
        {
            "routing_key": routing_key,
            "event_action": "resolve" if message.change == "recovered" else "trigger",
            "dedup_key": hashlib.sha256("|".join(str(part) for part in a.key).encode()).hexdigest()[:32],
            "payload": {
                "summary": a.what[:1024],  # the limit of the API
                "source": a.asset or a.subject,
                "severity": "info" if message.change == "test" else a.severity,
                "timestamp": a.since,
                "class": a.kind,
                "component": a.asset or a.subject,
                "custom_details": {"claim month": a.claim_month, "remedy": a.remedy},
            },
            "links": [{"href": message.link(a), "text": "Open in the Dagster UI"}],
        }
        for a in message.alerts
    ]


def mail(message: Message, sender: str, receivers: Sequence[str]) -> EmailMessage:
    """A plain text mail."""
    found = EmailMessage()
    found["Subject"] = f"[claims] {message.title}"
    found["From"] = sender
    found["To"] = ", ".join(receivers)
    found["Message-ID"] = f"<{message.message_id}@claims-assets>"
    found["Auto-Submitted"] = "auto-generated"
    found.set_content(plain(message))
    return found
