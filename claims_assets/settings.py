"""Everything that can be set from outside. The only module that reads the environment.

Secrets are read here too, from the environment alone, and never printed.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

Environment = Literal["local", "staging", "production"]
Engine = Literal["sail"]
MONTH_PATTERN = re.compile(r"^\d{4}-(0[1-9]|1[0-2])$")
NAME_PATTERN = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")
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
    registry_uri: str | None = None
    """MLflow registry of the models; None: that of `tracking_uri`."""
    catalog: str | None = None
    """Unity Catalog catalog of published tables and of models in a registry of Unity Catalog."""

    @property
    def on_volume(self) -> bool:
        """Whether `home` is in a Unity Catalog volume, which keeps no SQLite file and no lock."""
        return self.home.is_relative_to("/Volumes")

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
        registry_uri=env.get("MLFLOW_REGISTRY_URI") or None,
        catalog=_name("CLAIMS_CATALOG", env.get("CLAIMS_CATALOG") or None),
    )


def _one_of(name: str, value: str, legal: tuple[Any, ...]) -> Any:
    if value not in legal:
        raise SettingError(f"{name}={value!r} is not one of {', '.join(legal)}: set it to one of these or unset it.")
    return value


def _name(name: str, value: str | None) -> str | None:
    if value is not None and not NAME_PATTERN.match(value):
        raise SettingError(f"{name}={value!r} is no plain name: use letters, digits and underscores.")
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
