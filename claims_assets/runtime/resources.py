"""`resources_for(settings)`: the only place that knows where the graph runs.

A URL may hold a password, and the Dagster UI shows the configuration of resources. So a configured URL goes in as the
name of its environment variable, which Dagster resolves when a run starts.
"""

import dagster as dg

from claims_assets.outreach.extract_folder import ExtractFolder
from claims_assets.outreach.policy import PolicyFile
from claims_assets.runtime.compute import computes_for
from claims_assets.runtime.lake import Lake
from claims_assets.runtime.spark import spark_for
from claims_assets.runtime.tracking import Tracking
from claims_assets.settings import PSEUDONYM_KEY, REGISTRY, UNITY_CATALOG, Settings
from claims_assets.sources.files import LandingZone


def lake_for(settings: Settings) -> Lake:
    """The lake of these settings."""
    return Lake(
        root=str(settings.lake),
        engine=settings.engine,
        closed_before=settings.closed_before,
        memory_limit=settings.memory_limit,
        most_failures=settings.most_failures,
    )


def tracking_for(settings: Settings, **given: str) -> Tracking:
    """The MLflow registry of these settings; `given`: fields that they don't speak of."""
    folder = settings.home / "mlflow"
    if settings.tracking_uri:
        return Tracking(
            uri=dg.EnvVar("MLFLOW_TRACKING_URI"),
            registry=dg.EnvVar(REGISTRY) if settings.registry_uri else None,
            catalog=settings.catalog if settings.registry_uri == UNITY_CATALOG else None,
            **given,
        )
    return Tracking(uri=f"sqlite:///{folder / 'mlflow.db'}", artifacts=str(folder / "artifacts"), **given)


def extracts_for(settings: Settings) -> ExtractFolder:
    """The folder of extracts of these settings."""
    return ExtractFolder(
        folder=str(settings.home / "extracts"),
        pseudonym_key=dg.EnvVar(PSEUDONYM_KEY) if settings.has_pseudonym_key else None,
        key_file=str(settings.home / "pseudonym.key") if settings.environment == "local" else None,
    )


def resources_for(settings: Settings) -> dict[str, object]:
    """Resources by name. Building them starts nothing: no server, no session, no connection."""
    return {
        "spark": spark_for(settings),
        "lake": lake_for(settings),
        "tracking": tracking_for(settings),
        "landing": LandingZone(
            folder=str(settings.landing),
            lake_root=str(settings.lake),
            start_month=settings.start_month,
            providers_url=dg.EnvVar("CLAIMS_PROVIDERS_URL") if settings.providers_url else None,
            postgres=str(settings.postgres),
            streams=None if settings.ingestion == "embedded" else str(settings.streams),
            file_events=settings.ingestion == "autoloader-events",
        ),
        "policy_file": PolicyFile(path=str(settings.outreach_policy) if settings.outreach_policy else None),
        "extracts": extracts_for(settings),
        **computes_for(settings.workspace),
    }
