"""Everything that can be set from outside. The only module that reads the environment.

Secrets are read here too, from the environment alone, and never printed.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

Environment = Literal["local", "staging", "production"]
Engine = Literal["sail"]
MONTH_PATTERN = re.compile(r"^\d{4}-(0[1-9]|1[0-2])$")
UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


class SettingError(ValueError):
    """A setting that can't be used; the message names it, its value, and the remedy."""


@dataclass(frozen=True)
class Settings:
    """One validated set of settings; build it with `settings_from_environment`."""

    environment: Environment
    home: Path
    landing: Path
    providers_url: str | None
    """None: the embedded PostgreSQL server under `home`."""
    engine: Engine
    start_month: str
    memory_limit: int
    """Bytes that the engine's operators may hold at once."""
    tracking_uri: str | None
    """None: MLflow in a SQLite file under `home`."""

    @property
    def lake(self) -> Path:
        return self.home / "lake"

    @property
    def dagster_home(self) -> Path:
        return self.home / "dagster"

    @property
    def postgres(self) -> Path:
        return self.home / "postgres"


def settings_from_environment(environ: Mapping[str, str] | None = None) -> Settings:
    """Read and validate the `CLAIMS_*` variables (default: this process's environment).

    Raises:
        SettingError: a value is not usable.
    """
    env = os.environ if environ is None else environ
    home = Path(env.get("CLAIMS_HOME") or ".claims").expanduser().absolute()
    return Settings(
        environment=_one_of("CLAIMS_ENV", env.get("CLAIMS_ENV") or "local", get_args(Environment)),
        home=home,
        landing=Path(env.get("CLAIMS_LANDING") or home / "landing").expanduser().absolute(),
        providers_url=env.get("CLAIMS_PROVIDERS_URL") or None,
        engine=_one_of("CLAIMS_ENGINE", env.get("CLAIMS_ENGINE") or "sail", get_args(Engine)),
        start_month=_month("CLAIMS_START_MONTH", env.get("CLAIMS_START_MONTH") or "2022-01"),
        memory_limit=_bytes("CLAIMS_MEMORY_LIMIT", env.get("CLAIMS_MEMORY_LIMIT")),
        tracking_uri=env.get("MLFLOW_TRACKING_URI") or None,
    )


def _one_of(name: str, value: str, legal: tuple[Any, ...]) -> Any:
    if value not in legal:
        raise SettingError(f"{name}={value!r} is not one of {', '.join(legal)}: set it to one of these or unset it.")
    return value


def _month(name: str, value: str) -> str:
    if not MONTH_PATTERN.match(value):
        raise SettingError(f"{name}={value!r} is not a month: write it as YYYY-MM, for example 2022-01.")
    return value


def _bytes(name: str, value: str | None) -> int:
    if value is None or value == "":
        return _quarter_of_memory()
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)I?B?", value.strip().upper())
    if not found:
        raise SettingError(f"{name}={value!r} is not a size: write for example 2GB or 512MB.")
    return int(float(found[1]) * UNITS[found[2]])


def _quarter_of_memory() -> int:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return total // 4


PAGERDUTY_EVENTS = "https://events.pagerduty.com/v2/enqueue"
"""Events API v2 of PagerDuty; its customers in the European Union have another host."""


@dataclass(frozen=True)
class AlertSettings:
    """Where alerts go; build it with `alert_settings_from_environment`. What is not set is not used.

    The address of a webhook is its password, so none is ever shown.
    """

    ui_url: str
    webhook: str | None = field(repr=False)
    slack_webhook: str | None = field(repr=False)
    teams_webhook: str | None = field(repr=False)
    pagerduty_key: str | None = field(repr=False)
    pagerduty_url: str
    smtp_url: str | None = field(repr=False)
    mail_to: tuple[str, ...]
    mail_from: str
    heartbeat_url: str | None = field(repr=False)
    """Asked for after every tick that worked, so that a service outside can tell when they stop."""


def alert_settings_from_environment(environ: Mapping[str, str] | None = None) -> AlertSettings:
    """Read and validate the `CLAIMS_ALERTS_*` variables and `CLAIMS_UI_URL`.

    Raises:
        SettingError: a value is not usable; the message does not repeat an address.
    """
    env = os.environ if environ is None else environ
    to = tuple(part.strip() for part in (env.get("CLAIMS_ALERTS_MAIL_TO") or "").split(",") if part.strip())
    smtp = _address("CLAIMS_ALERTS_SMTP_URL", env.get("CLAIMS_ALERTS_SMTP_URL"), ("smtp", "smtps"))
    if bool(smtp) != bool(to):
        lacking = "CLAIMS_ALERTS_MAIL_TO" if smtp else "CLAIMS_ALERTS_SMTP_URL"
        raise SettingError(f"{lacking} is not set: mails need both the server and the receivers.")
    web = ("http", "https")
    return AlertSettings(
        ui_url=_address("CLAIMS_UI_URL", env.get("CLAIMS_UI_URL"), web) or "http://127.0.0.1:3000",
        webhook=_address("CLAIMS_ALERTS_WEBHOOK", env.get("CLAIMS_ALERTS_WEBHOOK"), web),
        slack_webhook=_address("CLAIMS_ALERTS_SLACK_WEBHOOK", env.get("CLAIMS_ALERTS_SLACK_WEBHOOK"), web),
        teams_webhook=_address("CLAIMS_ALERTS_TEAMS_WEBHOOK", env.get("CLAIMS_ALERTS_TEAMS_WEBHOOK"), web),
        pagerduty_key=env.get("CLAIMS_ALERTS_PAGERDUTY_KEY") or None,
        pagerduty_url=_address("CLAIMS_ALERTS_PAGERDUTY_URL", env.get("CLAIMS_ALERTS_PAGERDUTY_URL"), web)
        or PAGERDUTY_EVENTS,
        smtp_url=smtp,
        mail_to=to,
        mail_from=env.get("CLAIMS_ALERTS_MAIL_FROM") or "claims-alerts@localhost",
        heartbeat_url=_address("CLAIMS_ALERTS_HEARTBEAT_URL", env.get("CLAIMS_ALERTS_HEARTBEAT_URL"), web),
    )


def _address(name: str, value: str | None, schemes: tuple[str, ...]) -> str | None:
    """The value, held to its form; it may be a secret, so it is not repeated."""
    if not value:
        return None
    try:
        parts = urlsplit(value.strip())
        usable = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise SettingError(f"{name} is not an address: write it as {schemes[-1]}://host/...; its value is not shown.")
    return value.strip()
