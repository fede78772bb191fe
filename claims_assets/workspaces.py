"""The Databricks workspace that runs the steps, from the environment: `workspace_from(env)`.

Two ways there: step launchers (CLAIMS_COMPUTE=databricks), which give each layer a cluster of its size, and Dagster
Pipes (CLAIMS_COMPUTE=pipes), for serverless compute and workspaces without a DBFS root. Credentials are named, never
held.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from claims_assets.setting_values import (
    SettingError,
    month,
    month_or_none,
    names,
    needed,
    number,
    one_of,
    pairs,
    plain_name,
)

Compute = Literal["local", "databricks", "pipes"]
SignIn = Literal["token", "oauth", "azure"]
SIGN_INS: dict[SignIn, tuple[str, ...]] = {
    "token": ("DATABRICKS_TOKEN",),
    "oauth": ("DATABRICKS_CLIENT_ID", "DATABRICKS_CLIENT_SECRET"),
    "azure": ("ARM_CLIENT_ID", "ARM_CLIENT_SECRET", "ARM_TENANT_ID"),
}
"""Ways to sign in to a workspace and the variables each needs; the names are those of Databricks' own tools."""
VOLUMES = "/Volumes/"
URL_WITH_PASSWORD = re.compile(r"://[^/\s]*:[^/\s]*@")


@dataclass(frozen=True)
class Workspace:
    """What a step in a workspace is told, however it gets there."""

    environment: str
    home: str
    """CLAIMS_HOME there: a folder of a Unity Catalog volume."""
    landing: str | None
    """CLAIMS_LANDING there; None: under `home`."""
    catalog: str | None
    engine: str | None
    """CLAIMS_ENGINE there; None: what is usual there."""
    start_month: str
    closed_before: str | None
    most_failures: str | None
    ingestion: str | None
    """CLAIMS_INGESTION there; None: what is usual."""
    tracking_uri: str | None
    registry_uri: str | None
    """MLflow registry of the models; None: that of `tracking_uri`."""
    existing_cluster: str | None
    secret_scope: str | None
    secrets: tuple[str, ...]
    """Variables of the step that are secrets; each has the name of its key in the scope."""
    timeout: int
    """Seconds after which the service ends a run, even if nobody waits for it any more."""
    poll: float
    """Seconds between two looks at a run."""

    def variables(self) -> dict[str, str]:
        """Environment variables of the step; readable there by anyone, so none is a secret."""
        given = {
            "CLAIMS_ENV": self.environment,
            "CLAIMS_HOME": self.home,
            "CLAIMS_LANDING": self.landing,
            "CLAIMS_CATALOG": self.catalog,
            "CLAIMS_ENGINE": self.engine,
            "CLAIMS_START_MONTH": self.start_month,
            "CLAIMS_CLOSED_BEFORE": self.closed_before,
            "CLAIMS_MOST_FAILURES": self.most_failures,
            "CLAIMS_INGESTION": self.ingestion,
            "MLFLOW_TRACKING_URI": self.tracking_uri,
            "MLFLOW_REGISTRY_URI": self.registry_uri,
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "DAGSTER_DISABLE_TELEMETRY": "true",
            # delta-rs, which commits the inventory of the landing, else needs hard links, and a volume has none. Two
            # commits at once could lose one: steps of a run follow one another.
            "MOUNT_ALLOW_UNSAFE_RENAME": "true" if self.home.startswith(VOLUMES) else None,
        }
        return {name: value for name, value in given.items() if value}


@dataclass(frozen=True)
class Databricks(Workspace):
    """A workspace whose steps are launched on clusters of three sizes."""

    host: str
    sign_in: SignIn
    pool: str | None
    tags: tuple[tuple[str, str], ...]
    run_managers: str | None
    """Group that may see and cancel the runs."""
    retries: int
    """New attempts of a step whose cluster was lost."""


@dataclass(frozen=True)
class Pipes(Workspace):
    """A workspace whose steps go through Dagster Pipes: serverless, or on its existing cluster. Databricks' own library
    reads how to sign in.
    """

    volume: str
    """Folder of a Unity Catalog volume for context and messages of running steps."""
    code: str
    """Folder that holds the deployed package and `deploy/`, as the workspace sees it."""


def workspace_from(env: Mapping[str, str]) -> Databricks | Pipes | None:
    """None unless CLAIMS_COMPUTE names a workspace's, which must stay unset where the step runs.

    Raises:
        SettingError: a setting is missing or can't be used.
    """
    compute = one_of("CLAIMS_COMPUTE", env.get("CLAIMS_COMPUTE") or "local", get_args(Compute))
    if compute == "local":
        return None
    if compute == "pipes":
        return Pipes(
            volume=_folder(env, "CLAIMS_PIPES_VOLUME", "a folder of a volume for messages, /Volumes/<...>"),
            code=_folder(env, "CLAIMS_PIPES_CODE", "the folder of the deployed code, /Workspace/<...>"),
            **_of_both(env),
        )
    return Databricks(
        host=_host(_needed(env, "DATABRICKS_HOST", "the workspace's address, https://<...>.cloud.databricks.com")),
        sign_in=_sign_in(env),
        pool=env.get("CLAIMS_CLUSTER_POOL") or None,
        tags=pairs("CLAIMS_CLUSTER_TAGS", env.get("CLAIMS_CLUSTER_TAGS") or ""),
        run_managers=env.get("CLAIMS_RUN_MANAGERS") or None,
        retries=int(number("CLAIMS_CLUSTER_RETRIES", env.get("CLAIMS_CLUSTER_RETRIES") or "1", least=0)),
        **_of_both(env),
    )


def _of_both(env: Mapping[str, str]) -> dict[str, Any]:
    """The fields of `Workspace`."""
    home = _folder(env, "CLAIMS_CLUSTER_HOME", "the folder of the lake as the workspace sees it, /Volumes/<...>")
    secrets, scope = names(env.get("CLAIMS_SECRETS")), env.get("CLAIMS_SECRET_SCOPE") or None
    if secrets and not scope:
        raise SettingError("CLAIMS_SECRETS is set without CLAIMS_SECRET_SCOPE: name the Databricks scope of them.")
    return {
        "environment": env.get("CLAIMS_ENV") or "local",
        "home": home,
        "landing": env.get("CLAIMS_CLUSTER_LANDING") or None,
        "catalog": plain_name("CLAIMS_CATALOG", env.get("CLAIMS_CATALOG")),
        "engine": env.get("CLAIMS_CLUSTER_ENGINE") or None,
        "start_month": month("CLAIMS_START_MONTH", env.get("CLAIMS_START_MONTH") or "2022-01"),
        "closed_before": month_or_none("CLAIMS_CLOSED_BEFORE", env.get("CLAIMS_CLOSED_BEFORE")),
        "most_failures": env.get("CLAIMS_MOST_FAILURES") or None,
        "ingestion": env.get("CLAIMS_INGESTION") or None,
        "tracking_uri": _tracking_uri(env, home, secrets),
        "registry_uri": env.get("MLFLOW_REGISTRY_URI") or None,
        "existing_cluster": env.get("CLAIMS_CLUSTER_ID") or None,
        "secret_scope": scope,
        "secrets": secrets,
        "timeout": int(number("CLAIMS_RUN_TIMEOUT", env.get("CLAIMS_RUN_TIMEOUT") or "14400", least=1)),
        "poll": number("CLAIMS_POLL_SECONDS", env.get("CLAIMS_POLL_SECONDS") or "2", least=0.05),
    }


def _tracking_uri(env: Mapping[str, str], home: str, secrets: tuple[str, ...]) -> str | None:
    """A volume can't hold the SQLite file of a laptop's registry, so there the workspace's own is the default."""
    if "MLFLOW_TRACKING_URI" in secrets:
        return None
    uri = env.get("MLFLOW_TRACKING_URI") or ("databricks" if home.startswith(VOLUMES) else None)
    if uri and URL_WITH_PASSWORD.search(uri):
        raise SettingError(
            "MLFLOW_TRACKING_URI holds a password, and what is sent to a cluster is readable there: put it into the"
            " secret scope and add MLFLOW_TRACKING_URI to CLAIMS_SECRETS."
        )
    return uri


def _needed(env: Mapping[str, str], name: str, what: str) -> str:
    return needed(env, name, what, by=f"CLAIMS_COMPUTE={env.get('CLAIMS_COMPUTE')}")


def _folder(env: Mapping[str, str], name: str, what: str) -> str:
    return _needed(env, name, what).rstrip("/")


def _host(value: str) -> str:
    """The address without a path: people copy it from the browser's address bar."""
    found = re.match(r"^(?:(https?)://)?([^/?#@\s]+)", value)
    if not found:
        raise SettingError(f"DATABRICKS_HOST={value!r} is no address: write https://<workspace>.")
    return f"{found[1] or 'https'}://{found[2]}"


def _sign_in(env: Mapping[str, str]) -> SignIn:
    """The one way to sign in that is set; two at once are refused by Databricks' library without saying which."""
    begun: list[SignIn] = [way for way, variables in SIGN_INS.items() if any(env.get(n) for n in variables)]
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
