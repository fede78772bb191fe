"""Everything that can be set from outside. The only module that reads the environment.

Secrets are read here too, from the environment alone, and never printed.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from claims_assets.sources.provider_tls import REMEDY, plaintext_allowed

Environment = Literal["local", "staging", "production"]
Engine = Literal["sail"]
Compute = Literal["local", "pipes"]
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
    pipes: "Pipes | None" = None
    """The workspace that runs the steps through Dagster Pipes; None: this process does."""

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
    environment = _one_of("CLAIMS_ENV", env.get("CLAIMS_ENV") or "local", get_args(Environment))
    return Settings(
        environment=environment,
        home=home,
        landing=Path(env.get("CLAIMS_LANDING") or home / "landing").expanduser().absolute(),
        providers_url=_providers_url(env.get("CLAIMS_PROVIDERS_URL") or None, environment),
        engine=_one_of("CLAIMS_ENGINE", env.get("CLAIMS_ENGINE") or "sail", get_args(Engine)),
        start_month=_month("CLAIMS_START_MONTH", env.get("CLAIMS_START_MONTH") or "2022-01"),
        memory_limit=_bytes("CLAIMS_MEMORY_LIMIT", env.get("CLAIMS_MEMORY_LIMIT")),
        tracking_uri=env.get("MLFLOW_TRACKING_URI") or None,
        pipes=_pipes(env),
    )


@dataclass(frozen=True)
class Pipes:
    """A workspace as Pipes needs it. Databricks' own library reads how to sign in; nothing here is a secret."""

    environment: str
    volume: str
    """Folder of a Unity Catalog volume for context and messages of running steps."""
    code: str
    """Folder that holds the deployed package and `deploy/`, as the workspace sees it."""
    home: str
    """CLAIMS_HOME there: a folder of a volume."""
    landing: str | None
    """CLAIMS_LANDING there; None: under `home`."""
    start_month: str
    tracking_uri: str | None
    cluster: str | None
    """An existing cluster; None: serverless."""
    secret_scope: str | None
    secrets: tuple[str, ...]
    """Variables of the step that are secrets; each has the name of its key in the scope."""
    poll: float
    """Seconds between two looks at a run."""
    timeout: int
    """Seconds after which the service ends a run."""


def _pipes(env: Mapping[str, str]) -> Pipes | None:
    """The settings of CLAIMS_COMPUTE=pipes, which must stay unset where the step runs."""
    if _one_of("CLAIMS_COMPUTE", env.get("CLAIMS_COMPUTE") or "local", get_args(Compute)) != "pipes":
        return None
    secrets = tuple(filter(None, (n.strip() for n in (env.get("CLAIMS_SECRETS") or "").split(","))))
    scope = env.get("CLAIMS_SECRET_SCOPE") or None
    if secrets and not scope:
        raise SettingError("CLAIMS_SECRETS is set without CLAIMS_SECRET_SCOPE: name the Databricks scope of them.")
    return Pipes(
        environment=env.get("CLAIMS_ENV") or "local",
        volume=_needed_by_pipes(env, "CLAIMS_PIPES_VOLUME", "a folder of a volume for messages, /Volumes/<...>"),
        code=_needed_by_pipes(env, "CLAIMS_PIPES_CODE", "the folder of the deployed code, /Workspace/<...>"),
        home=_needed_by_pipes(env, "CLAIMS_CLUSTER_HOME", "the folder of the lake as the workspace sees it"),
        landing=env.get("CLAIMS_CLUSTER_LANDING") or None,
        start_month=_month("CLAIMS_START_MONTH", env.get("CLAIMS_START_MONTH") or "2022-01"),
        tracking_uri=None if "MLFLOW_TRACKING_URI" in secrets else env.get("MLFLOW_TRACKING_URI") or "databricks",
        cluster=env.get("CLAIMS_CLUSTER_ID") or None,
        secret_scope=scope,
        secrets=secrets,
        poll=float(env.get("CLAIMS_POLL_SECONDS") or "2"),
        timeout=int(env.get("CLAIMS_RUN_TIMEOUT") or "14400"),
    )


def _needed_by_pipes(env: Mapping[str, str], name: str, what: str) -> str:
    value = env.get(name)
    if not value:
        raise SettingError(f"CLAIMS_COMPUTE=pipes needs {name}: set it to {what}.")
    return value.rstrip("/")


def _providers_url(url: str | None, environment: str) -> str | None:
    """The URL holds a password, so no message shows it."""
    if url and environment != "local" and plaintext_allowed(url):
        raise SettingError(REMEDY.format(env=environment))
    return url


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
