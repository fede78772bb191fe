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
Engine = Literal["sail", "spark"]
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
    on_cluster: bool
    """Whether this process runs on a Databricks cluster, which has a Spark session of its own."""
    spark_jars: Path
    """Folder of the Delta jars of the engine `spark` on this machine."""
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
    on_cluster = bool(env.get("DATABRICKS_RUNTIME_VERSION"))
    engine = env.get("CLAIMS_ENGINE") or ("spark" if on_cluster else "sail")
    return Settings(
        environment=_one_of("CLAIMS_ENV", env.get("CLAIMS_ENV") or "local", get_args(Environment)),
        home=home,
        landing=Path(env.get("CLAIMS_LANDING") or home / "landing").expanduser().absolute(),
        providers_url=env.get("CLAIMS_PROVIDERS_URL") or None,
        engine=_one_of("CLAIMS_ENGINE", engine, get_args(Engine)),
        on_cluster=on_cluster,
        spark_jars=Path(env.get("CLAIMS_SPARK_JARS") or ".cache/spark-jars").expanduser().absolute(),
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
