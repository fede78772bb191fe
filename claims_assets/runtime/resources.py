"""`resources_for(settings)`: the only place that knows where the graph runs."""

from claims_assets.runtime.lake import Lake
from claims_assets.runtime.spark import EmbeddedSpark
from claims_assets.runtime.tracking import Tracking
from claims_assets.settings import Settings
from claims_assets.sources.files import LandingZone


def lake_for(settings: Settings) -> Lake:
    """The lake of these settings."""
    return Lake(root=str(settings.lake))


def resources_for(settings: Settings) -> dict[str, object]:
    """Resources by name. Building them starts nothing: no server, no session, no connection."""
    return {
        "spark": EmbeddedSpark(memory_limit=settings.memory_limit),
        "lake": lake_for(settings),
        "tracking": Tracking(uri=settings.tracking_uri, artifacts=str(settings.home / "mlflow" / "artifacts")),
        "landing": LandingZone(
            folder=str(settings.landing),
            lake_root=str(settings.lake),
            start_month=settings.start_month,
            providers_url=settings.providers_url,
            postgres=str(settings.postgres),
        ),
    }
