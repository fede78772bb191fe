"""The layers in the order of the flow: folder -> Delta schema (first part of the asset key).

The folder is also the Dagster group. No table names its schema: it follows from the folder it lives in.
"""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class Cadence:
    """How often a table is built, as the age at which it is late and the age at which it has failed."""

    warn_after: timedelta
    fail_after: timedelta

    @classmethod
    def of(cls, every: timedelta, *, limit: timedelta, attempts: int) -> "Cadence":
        """Late when one run of at most `limit` more is over, failed when all its attempts must be."""
        return cls(every + limit, every + attempts * limit)


DAILY = Cadence.of(timedelta(days=1), limit=timedelta(hours=2), attempts=3)
WEEKLY = Cadence.of(timedelta(days=7), limit=timedelta(hours=3), attempts=3)
MONTHLY = Cadence.of(timedelta(days=31), limit=timedelta(hours=4), attempts=2)
"""Cadences, time limits and retries of the public project sechan9999/GenZ (scripts/create_jobs.py): bronze daily at
01:00, silver at 02:00, features weekly, training monthly, scoring daily at 04:00. An age says nothing of the hour, so
the tables of a cadence need no clocks that agree."""


@dataclass(frozen=True)
class Layer:
    """Defaults that every table of one folder shares."""

    folder: str
    schema: str
    owner: str
    cadence: Cadence
    """Freshness of its tables, unless a table says otherwise by `freshness=`."""
    compute: str
    """Size of the cluster that a launcher gives the layer: small, medium or large."""

    @property
    def launcher(self) -> str:
        """Key of the resource that runs the layer's steps, locally or on a cluster of its size."""
        return f"{self.compute}_compute"


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

LAKE_POOL = "lake"
"""Dagster pool of every step that writes to the lake; `dagster.yaml` says how many runs may do so at once."""

SCHEMAS = tuple(dict.fromkeys(layer.schema for layer in LAYERS.values() if layer.schema != "models"))
"""Delta schemas, in the order of the flow."""
