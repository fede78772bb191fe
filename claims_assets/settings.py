"""Everything that can be set from outside. The only module that reads the environment.

Secrets are read here too, from the environment alone, and never printed.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from claims_assets.alert_settings import AlertSettings, alerts_from
from claims_assets.setting_values import (
    SettingError,
    month,
    month_or_none,
    names,
    needed,
    number,
    one_of,
    plain_name,
    size_in_bytes,
)
from claims_assets.sources.provider_tls import REMEDY, plaintext_allowed
from claims_assets.workspaces import Databricks, Pipes, workspace_from

__all__ = ["Engine", "Environment", "Ingestion", "SettingError", "Settings", "settings_from_environment"]

Environment = Literal["local", "staging", "production"]
Engine = Literal["sail", "spark"]
MOST_FAILURES = 1_000
"""Critical validation failures from which on the public project rdmurugan/agenticdataengineering speaks of an incident
(its operations guide)."""
Ingestion = Literal["embedded", "autoloader", "autoloader-events"]
REGISTRY = "MLFLOW_REGISTRY_URI"
PSEUDONYM_KEY = "CLAIMS_PSEUDONYM_KEY"
SHORTEST_KEY = 32
"""Characters: 128 bits where each is a hexadecimal digit (NIST SP 800-107, the least strength of an HMAC key)."""
UNITY_CATALOG = "databricks-uc"
"""Address of the registry in Unity Catalog, where a model's name is `catalog.schema.name`."""


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
    """Bytes that a run (this process and its children) may hold; `runtime/memory.py` shares them out."""
    tracking_uri: str | None
    """None: MLflow in a SQLite file under `home`."""
    closed_before: str | None = None
    """Claim months before it are closed: what is built of them is not rewritten; None: no month is."""
    most_failures: int = MOST_FAILURES
    """Critical failures of a month of a table above which nothing is built from it."""
    registry_uri: str | None = None
    """MLflow registry of the models; None: that of `tracking_uri`."""
    catalog: str | None = None
    """Unity Catalog catalog of published tables and of models in a registry of Unity Catalog."""
    workspace: Databricks | Pipes | None = None
    """Where steps run; None: in this process."""
    alerts: AlertSettings = field(default_factory=AlertSettings)
    ingestion: Ingestion = "embedded"
    """How claim files are found: by listing their folder, or by Auto Loader, which exists on Databricks only."""
    outreach_policy: Path | None = None
    """File of the outreach policy; None: the shipped one."""
    has_pseudonym_key: bool = False
    """Whether CLAIMS_PSEUDONYM_KEY is set; its value is read where pseudonyms are made."""
    dagster_yaml: Path | None = None
    """Configuration of the Dagster instance; None: that of the checkout."""
    hooks: tuple[str, ...] = ()
    """Modules that are told of each job (`automation/hooks.py`)."""

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
    def streams(self) -> Path:
        """Checkpoints of Auto Loader, and the files that it has met."""
        return self.home / "streams"

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
    workspace = workspace_from(env)
    has_auto_loader = workspace is not None or (on_cluster and engine == "spark")
    catalog = plain_name("CLAIMS_CATALOG", env.get("CLAIMS_CATALOG"))
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
        closed_before=month_or_none("CLAIMS_CLOSED_BEFORE", env.get("CLAIMS_CLOSED_BEFORE")),
        most_failures=int(
            number("CLAIMS_MOST_FAILURES", env.get("CLAIMS_MOST_FAILURES") or str(MOST_FAILURES), least=0)
        ),
        registry_uri=_registry_uri(env, catalog),
        catalog=catalog,
        workspace=workspace,
        alerts=alerts_from(env),
        ingestion=_ingestion(env.get("CLAIMS_INGESTION") or "embedded", has_auto_loader),
        outreach_policy=_path_or_none(env.get("CLAIMS_OUTREACH_POLICY")),
        has_pseudonym_key=_has_pseudonym_key(env.get(PSEUDONYM_KEY)),
        dagster_yaml=_path_or_none(env.get("CLAIMS_DAGSTER_YAML")),
        hooks=names(env.get("CLAIMS_HOOKS")),
    )


def _has_pseudonym_key(value: str | None) -> bool:
    """No message shows the key."""
    if value and len(value) < SHORTEST_KEY:
        raise SettingError(
            f"{PSEUDONYM_KEY} is shorter than {SHORTEST_KEY} characters: a short key can be guessed; make one with"
            " `python -c 'import secrets; print(secrets.token_hex(32))'`."
        )
    return bool(value)


def _path_or_none(value: str | None) -> Path | None:
    return Path(value).expanduser().absolute() if value else None


def _ingestion(value: str, has_auto_loader: bool) -> Ingestion:
    found = one_of("CLAIMS_INGESTION", value, get_args(Ingestion))
    if found != "embedded" and not has_auto_loader:
        raise SettingError(
            f"CLAIMS_INGESTION={found} needs the Spark of a Databricks cluster, the only one with Auto Loader: unset"
            " it, or set CLAIMS_COMPUTE to databricks or pipes."
        )
    return found


def _providers_url(url: str | None, environment: Environment) -> str | None:
    """The URL holds a password, so no message shows it."""
    if url and environment != "local" and plaintext_allowed(url):
        raise SettingError(REMEDY.format(env=environment))
    return url


def _registry_uri(env: Mapping[str, str], catalog: str | None) -> str | None:
    """A registry elsewhere would name files that only the tracking server of this machine can read."""
    uri = env.get(REGISTRY) or None
    if uri:
        needed(env, "MLFLOW_TRACKING_URI", "the server of the models' files, for example databricks", by=REGISTRY)
    if uri == UNITY_CATALOG and catalog is None:
        raise SettingError(f"{REGISTRY}={uri} needs CLAIMS_CATALOG: set it to the catalog of the registered models.")
    return uri
