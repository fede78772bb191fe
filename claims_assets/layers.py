"""The layers in the order of the flow: folder -> Delta schema (first part of the asset key).

The folder is also the Dagster group. No table names its schema: it follows from the folder it lives in.
"""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class Layer:
    """Defaults that every table of one folder shares."""

    folder: str
    schema: str
    owner: str
    fail_after: timedelta
    """Freshness: a table not rebuilt for this long has failed (warned at three quarters of it)."""
    compute: str
    """Size of the cluster that a launcher gives the layer: small, medium or large."""

    @property
    def launcher(self) -> str:
        """Key of the resource that runs the layer's steps, locally or on a cluster of its size."""
        return f"{self.compute}_compute"


DAILY, WEEKLY, MONTHLY = timedelta(hours=30), timedelta(days=8), timedelta(days=40)
"""A cadence plus slack for a late run."""

LAYERS: dict[str, Layer] = {
    layer.folder: layer
    for layer in (
        Layer("sources", "landing", "team:claims-data", DAILY, "small"),
        Layer("bronze", "bronze", "team:claims-data", DAILY, "small"),
        Layer("silver", "silver", "team:claims-data", DAILY, "small"),
        Layer("features", "gold", "team:analytics", WEEKLY, "medium"),
        Layer("models", "models", "team:data-science", MONTHLY, "large"),
        Layer("predictions", "gold", "team:data-science", DAILY, "medium"),
        Layer("outreach", "gold", "team:outreach", DAILY, "small"),
        Layer("monitoring", "monitoring", "team:claims-data", DAILY, "small"),
    )
}

SCHEMAS = tuple(dict.fromkeys(layer.schema for layer in LAYERS.values() if layer.schema != "models"))
"""Delta schemas, in the order of the flow."""
