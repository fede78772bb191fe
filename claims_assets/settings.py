"""Everything that can be set from outside. The only module that reads the environment.

Secrets are read here too, from the environment alone, and never printed.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from claims_assets.setting_values import SettingError, month, one_of, size_in_bytes
from claims_assets.sources.provider_tls import REMEDY, plaintext_allowed
from claims_assets.workspaces import Databricks, Pipes, workspace_from

__all__ = ["Engine", "Environment", "SettingError", "Settings", "settings_from_environment"]

Environment = Literal["local", "staging", "production"]
Engine = Literal["sail", "spark"]


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
    workspace: Databricks | Pipes | None = None
    """Where steps run; None: in this process."""
    dagster_yaml: Path | None = None
    """Configuration of the Dagster instance; None: that of the checkout."""

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
    environment = one_of("CLAIMS_ENV", env.get("CLAIMS_ENV") or "local", get_args(Environment))
    on_cluster = bool(env.get("DATABRICKS_RUNTIME_VERSION"))
    engine = env.get("CLAIMS_ENGINE") or ("spark" if on_cluster else "sail")
    return Settings(
        environment=environment,
        home=home,
        landing=Path(env.get("CLAIMS_LANDING") or home / "landing").expanduser().absolute(),
        providers_url=_providers_url(env.get("CLAIMS_PROVIDERS_URL") or None, environment),
        engine=one_of("CLAIMS_ENGINE", engine, get_args(Engine)),
        on_cluster=on_cluster,
        spark_jars=Path(env.get("CLAIMS_SPARK_JARS") or ".cache/spark-jars").expanduser().absolute(),
        start_month=month("CLAIMS_START_MONTH", env.get("CLAIMS_START_MONTH") or "2022-01"),
        memory_limit=size_in_bytes("CLAIMS_MEMORY_LIMIT", env.get("CLAIMS_MEMORY_LIMIT")),
        tracking_uri=env.get("MLFLOW_TRACKING_URI") or None,
        workspace=workspace_from(env),
        dagster_yaml=Path(env["CLAIMS_DAGSTER_YAML"]).expanduser().absolute()
        if env.get("CLAIMS_DAGSTER_YAML")
        else None,
    )


def _providers_url(url: str | None, environment: Environment) -> str | None:
    """The URL holds a password, so no message shows it."""
    if url and environment != "local" and plaintext_allowed(url):
        raise SettingError(REMEDY.format(env=environment))
    return url
