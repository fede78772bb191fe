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
Compute = Literal["local", "databricks"]
SignIn = Literal["token", "oauth", "azure"]
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
    databricks: "Databricks | None" = None
    """Where steps run; None: in this process."""

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
        databricks=_databricks(env),
    )


@dataclass(frozen=True)
class Databricks:
    """The workspace that runs the steps. Credentials are named, never held: resources read them when a run starts."""

    host: str
    sign_in: SignIn
    home: str
    """CLAIMS_HOME on the cluster: a folder of a Unity Catalog volume."""
    landing: str | None
    """CLAIMS_LANDING on the cluster; None: under `home`."""
    catalog: str | None
    engine: str | None
    """CLAIMS_ENGINE on the cluster; None: what is usual there."""
    start_month: str
    tracking_uri: str | None
    existing_cluster: str | None
    pool: str | None
    tags: tuple[tuple[str, str], ...]
    secret_scope: str | None
    secrets: tuple[str, ...]
    """Environment variables of the cluster that are secrets; each has the name of its key in the scope."""
    run_managers: str | None
    """Group that may see and cancel the runs."""
    timeout: int
    """Seconds after which the service ends a run, even if nobody waits for it any more."""
    poll: float
    """Seconds between two looks at a run."""
    retries: int
    """New attempts of a step whose cluster was lost."""


SIGN_INS: dict[SignIn, tuple[str, ...]] = {
    "token": ("DATABRICKS_TOKEN",),
    "oauth": ("DATABRICKS_CLIENT_ID", "DATABRICKS_CLIENT_SECRET"),
    "azure": ("ARM_CLIENT_ID", "ARM_CLIENT_SECRET", "ARM_TENANT_ID"),
}
"""Ways to sign in to a workspace and the variables each needs; the names are those of Databricks' own tools."""
VOLUMES = "/Volumes/"
URL_WITH_PASSWORD = re.compile(r"://[^/\s]*:[^/\s]*@")


def _databricks(env: Mapping[str, str]) -> Databricks | None:
    """The settings of the workspace; None unless CLAIMS_COMPUTE=databricks, which must stay unset on a cluster."""
    if _one_of("CLAIMS_COMPUTE", env.get("CLAIMS_COMPUTE") or "local", get_args(Compute)) == "local":
        return None
    home = _needed(env, "CLAIMS_CLUSTER_HOME", "the folder of the lake as the cluster sees it, /Volumes/<...>")
    uri = env.get("MLFLOW_TRACKING_URI") or ("databricks" if home.startswith(VOLUMES) else None)
    secrets = tuple(filter(None, (n.strip() for n in (env.get("CLAIMS_SECRETS") or "").split(","))))
    scope = env.get("CLAIMS_SECRET_SCOPE") or None
    if secrets and not scope:
        raise SettingError(
            "CLAIMS_SECRETS is set without CLAIMS_SECRET_SCOPE: name the Databricks scope that has them."
        )
    if uri and URL_WITH_PASSWORD.search(uri) and "MLFLOW_TRACKING_URI" not in secrets:
        raise SettingError(
            "MLFLOW_TRACKING_URI holds a password, and what is sent to a cluster is readable there: put it into the"
            " secret scope and add MLFLOW_TRACKING_URI to CLAIMS_SECRETS."
        )
    return Databricks(
        host=_host(_needed(env, "DATABRICKS_HOST", "the workspace's address, https://<...>.cloud.databricks.com")),
        sign_in=_sign_in(env),
        home=home,
        landing=env.get("CLAIMS_CLUSTER_LANDING") or None,
        catalog=env.get("CLAIMS_CATALOG") or None,
        engine=env.get("CLAIMS_CLUSTER_ENGINE") or None,
        start_month=_month("CLAIMS_START_MONTH", env.get("CLAIMS_START_MONTH") or "2022-01"),
        tracking_uri=None if "MLFLOW_TRACKING_URI" in secrets else uri,
        existing_cluster=env.get("CLAIMS_CLUSTER_ID") or None,
        pool=env.get("CLAIMS_CLUSTER_POOL") or None,
        tags=_pairs("CLAIMS_CLUSTER_TAGS", env.get("CLAIMS_CLUSTER_TAGS") or ""),
        secret_scope=scope,
        secrets=secrets,
        run_managers=env.get("CLAIMS_RUN_MANAGERS") or None,
        timeout=int(_number("CLAIMS_RUN_TIMEOUT", env.get("CLAIMS_RUN_TIMEOUT") or "14400", least=1)),
        poll=_number("CLAIMS_POLL_SECONDS", env.get("CLAIMS_POLL_SECONDS") or "2", least=0.05),
        retries=int(_number("CLAIMS_CLUSTER_RETRIES", env.get("CLAIMS_CLUSTER_RETRIES") or "1", least=0)),
    )


def _needed(env: Mapping[str, str], name: str, what: str) -> str:
    value = env.get(name)
    if not value:
        raise SettingError(f"CLAIMS_COMPUTE=databricks needs {name}: set it to {what}.")
    return value


def _host(value: str) -> str:
    """The address without a path: people copy it from the browser's address bar."""
    found = re.match(r"^(?:(https?)://)?([^/?#@\s]+)", value)
    if not found:
        raise SettingError(f"DATABRICKS_HOST={value!r} is no address: write https://<workspace>.")
    return f"{found[1] or 'https'}://{found[2]}"


def _sign_in(env: Mapping[str, str]) -> SignIn:
    """The one way to sign in that is set; two at once are refused by Databricks' library without saying which."""
    begun: list[SignIn] = [way for way, names in SIGN_INS.items() if any(env.get(n) for n in names)]
    if not begun:
        raise SettingError(
            "CLAIMS_COMPUTE=databricks needs credentials: set DATABRICKS_TOKEN, or DATABRICKS_CLIENT_ID and"
            " DATABRICKS_CLIENT_SECRET, or ARM_CLIENT_ID, ARM_CLIENT_SECRET and ARM_TENANT_ID."
        )
    if len(begun) > 1:
        found = " and ".join(n for way in begun for n in SIGN_INS[way] if env.get(n))
        raise SettingError(f"{found} are set at once: keep one way to sign in to Databricks and unset the others.")
    lacking = [n for n in SIGN_INS[begun[0]] if not env.get(n)]
    if lacking:
        raise SettingError(f"{lacking[0]} is not set: to sign in, {', '.join(SIGN_INS[begun[0]])} are needed together.")
    return begun[0]


def _pairs(name: str, value: str) -> tuple[tuple[str, str], ...]:
    pairs = [tuple(part.strip().split("=")) for part in value.split(",") if part.strip()]
    if any(len(pair) != 2 for pair in pairs):
        raise SettingError(f"{name}={value!r} is no list of tags: write key=value,key=value.")
    return tuple((key, text) for key, text in pairs)


def _number(name: str, value: str, *, least: float) -> float:
    try:
        number = float(value)
    except ValueError:
        number = least - 1
    if number < least:
        raise SettingError(f"{name}={value!r} is not a number of at least {least:g}: correct or unset it.")
    return number


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
