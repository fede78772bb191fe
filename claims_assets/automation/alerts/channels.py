"""How a message gets out: one class per way, the same few attempts for all.

Each sends or raises `NotDelivered`, whose sentence never holds an address or a key: those of a webhook are its secret.
Written on `requests` and `smtplib`: a library for many services, Apprise (BSD-2), fits our pins, but it posts to fixed
hosts only, so a proxy, a gateway or a test can't stand in, and it answers yes or no without the reason.
"""

import json
import smtplib
import ssl
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from claims_assets.alert_settings import AlertSettings
from claims_assets.automation.alerts import messages
from claims_assets.automation.alerts.messages import Message

TRY_AGAIN = {408, 425, 429}
"""Answers below 500 that say the message itself is well (RFC 9110, RFC 8470, RFC 6585)."""
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class NotDelivered(RuntimeError):
    """A channel did not take a message; the sentence says why and holds no address."""

    def __init__(self, why: str, *, may_pass: bool) -> None:
        super().__init__(why)
        self.may_pass = may_pass
        """Whether the same message can succeed later."""


@dataclass(frozen=True)
class Patience:
    """How long a channel is waited for; Dagster stops a sensor's tick after 60 seconds."""

    waits: tuple[float, ...] = (1.0, 4.0)
    """Seconds before each further attempt."""
    timeout: float = 5.0
    """Seconds for one answer."""


class Channel(Protocol):
    """A way out."""

    @property
    def name(self) -> str: ...

    def send(self, message: Message, timeout: float) -> None: ...


@dataclass(frozen=True)
class Http:
    """Posts JSON to one address."""

    name: str
    url: str = field(repr=False)
    payloads: Callable[[Message], Sequence[dict[str, Any]]] = field(repr=False)

    def send(self, message: Message, timeout: float) -> None:
        for payload in self.payloads(message):
            _post(self.url, payload, timeout)


def _post(url: str, payload: dict[str, Any], timeout: float) -> None:
    import requests

    headers = {"Content-Type": "application/json"}
    try:
        # A redirect would be followed by GET, without the message, and look like success.
        answer = requests.post(url, json.dumps(payload), headers=headers, timeout=timeout, allow_redirects=False)
    except requests.RequestException as error:
        raise NotDelivered(f"no answer ({type(error).__name__})", may_pass=True) from None
    if not 200 <= answer.status_code < 300:
        code = answer.status_code
        raise NotDelivered(f"HTTP {code}", may_pass=code >= 500 or code in TRY_AGAIN)


@dataclass(frozen=True)
class Mail:
    """Sends mails through one SMTP server; `smtps://`: encrypted from the first byte, `smtp://`: where it offers to."""

    url: str = field(repr=False)
    sender: str
    receivers: tuple[str, ...]
    name: str = "mail"

    def send(self, message: Message, timeout: float) -> None:
        try:
            with self._server(timeout) as server:
                server.send_message(messages.mail(message, self.sender, self.receivers))
        except smtplib.SMTPResponseException as error:
            raise NotDelivered(f"SMTP {error.smtp_code}", may_pass=error.smtp_code < 500) from None
        except (smtplib.SMTPException, OSError) as error:
            raise NotDelivered(f"no answer ({type(error).__name__})", may_pass=True) from None

    def _server(self, timeout: float) -> smtplib.SMTP:
        at = urlsplit(self.url)
        host, safe = at.hostname or "", ssl.create_default_context()
        if at.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, at.port or 465, timeout=timeout, context=safe)
        else:
            server = smtplib.SMTP(host, at.port or 587, timeout=timeout)
            server.ehlo()
            if server.has_extn("starttls"):
                server.starttls(context=safe)
            elif at.username and host not in LOOPBACK:
                server.close()
                raise NotDelivered("the mail server offers no encryption, so the password is kept", may_pass=False)
        if at.username:
            server.login(unquote(at.username), unquote(at.password or ""))
        return server


def channels_for(settings: AlertSettings) -> list[Channel]:
    """The configured ways out."""
    found: list[Channel] = []
    for name, url, form in (
        ("webhook", settings.webhook, messages.webhook),
        ("slack", settings.slack_webhook, messages.slack),
        ("teams", settings.teams_webhook, messages.teams),
    ):
        if url:
            found.append(Http(name, url, lambda message, form=form: [form(message)]))
    key = settings.pagerduty_key
    if key:
        found.append(Http("pagerduty", settings.pagerduty_url, lambda message: messages.pagerduty(message, key)))
    if settings.smtp_url:
        found.append(Mail(settings.smtp_url, settings.mail_from, settings.mail_to))
    return found


def deliver(channel: Channel, message: Message, patience: Patience) -> None:
    """Send, and try again after each wait while that can help.

    Raises:
        NotDelivered: the last attempt failed too.
    """
    for wait in (*patience.waits, None):
        try:
            return channel.send(message, patience.timeout)
        except NotDelivered as failure:
            if wait is None or not failure.may_pass:
                raise
            time.sleep(wait)


def deliver_all(
    news: Sequence[tuple[Channel, Sequence[Message]]], patience: Patience
) -> list[tuple[str, list[Message], str | None]]:
    """Channel, the messages it took, and why it took no more; all channels at once, each in order.

    A message that a channel refuses for good does not hold up the ones after it; one without an answer does.
    """

    def send(job: tuple[Channel, Sequence[Message]]) -> tuple[str, list[Message], str | None]:
        channel, waiting = job
        taken: list[Message] = []
        why = None
        for message in waiting:
            try:
                deliver(channel, message, patience)
                taken.append(message)
            except NotDelivered as failure:
                why = f"{channel.name}: {failure}"
                if failure.may_pass:
                    break
        return channel.name, taken, why

    with ThreadPoolExecutor(max_workers=max(len(news), 1)) as pool:
        return list(pool.map(send, news))
