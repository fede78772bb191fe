"""Where alerts go, from the environment: `alerts_from(env)`. What is not set is not used.

The address of a webhook is its password, so none is ever shown, neither in a message nor in a `repr`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from claims_assets.setting_values import SettingError, names

UI = "http://127.0.0.1:3000"
"""Where `claims ui` serves."""
PAGERDUTY_EVENTS = "https://events.pagerduty.com/v2/enqueue"
"""Events API v2 of PagerDuty; its customers in the European Union have another host."""
SENDER = "claims-alerts@localhost"
WEB, MAIL = ("http", "https"), ("smtp", "smtps")


@dataclass(frozen=True)
class AlertSettings:
    """The channels of alerts; build it with `alerts_from`."""

    ui_url: str = UI
    """Address under which people open the Dagster UI; every alert links to it."""
    webhook: str | None = field(default=None, repr=False)
    slack_webhook: str | None = field(default=None, repr=False)
    teams_webhook: str | None = field(default=None, repr=False)
    pagerduty_key: str | None = field(default=None, repr=False)
    pagerduty_url: str = PAGERDUTY_EVENTS
    smtp_url: str | None = field(default=None, repr=False)
    mail_to: tuple[str, ...] = ()
    mail_from: str = SENDER
    silenced: tuple[str, ...] = ()
    """Kinds, assets or subjects of which nothing new is told, as patterns such as `volume` or `gold/*`."""
    heartbeat_url: str | None = field(default=None, repr=False)
    """Asked for after every round that worked, so that a service outside can tell when they stop."""


def alerts_from(env: Mapping[str, str]) -> AlertSettings:
    """Read and validate the `CLAIMS_ALERTS_*` variables and `CLAIMS_UI_URL`.

    Raises:
        SettingError: a value is not usable; the message does not repeat an address.
    """
    smtp, to = _address(env, "CLAIMS_ALERTS_SMTP_URL", MAIL), names(env.get("CLAIMS_ALERTS_MAIL_TO"))
    if bool(smtp) != bool(to):
        lacking = "CLAIMS_ALERTS_MAIL_TO" if smtp else "CLAIMS_ALERTS_SMTP_URL"
        raise SettingError(f"{lacking} is not set: mails need both the server and the receivers.")
    sender = env.get("CLAIMS_ALERTS_MAIL_FROM") or SENDER
    for name, address in [("CLAIMS_ALERTS_MAIL_FROM", sender), *(("CLAIMS_ALERTS_MAIL_TO", a) for a in to)]:
        if not _is_mail_address(address):
            raise SettingError(f"{name} holds {address!r}, no mail address: write name@host, with commas between them.")
    return AlertSettings(
        ui_url=_address(env, "CLAIMS_UI_URL", WEB) or UI,
        webhook=_address(env, "CLAIMS_ALERTS_WEBHOOK", WEB),
        slack_webhook=_address(env, "CLAIMS_ALERTS_SLACK_WEBHOOK", WEB),
        teams_webhook=_address(env, "CLAIMS_ALERTS_TEAMS_WEBHOOK", WEB),
        pagerduty_key=env.get("CLAIMS_ALERTS_PAGERDUTY_KEY") or None,
        pagerduty_url=_address(env, "CLAIMS_ALERTS_PAGERDUTY_URL", WEB) or PAGERDUTY_EVENTS,
        smtp_url=smtp,
        mail_to=to,
        mail_from=sender,
        silenced=names(env.get("CLAIMS_ALERTS_SILENCED")),
        heartbeat_url=_address(env, "CLAIMS_ALERTS_HEARTBEAT_URL", WEB),
    )


def _address(env: Mapping[str, str], name: str, schemes: tuple[str, ...]) -> str | None:
    """The value, held to its form; it may be a secret, so it is not repeated."""
    value = (env.get(name) or "").strip()
    if not value:
        return None
    try:
        parts = urlsplit(value)
        usable = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise SettingError(f"{name} is not an address: write it as {schemes[-1]}://host/...; its value is not shown.")
    return value


def _is_mail_address(text: str) -> bool:
    name, at, host = text.rpartition("@")
    return bool(name and at and host) and not any(c.isspace() for c in text)
