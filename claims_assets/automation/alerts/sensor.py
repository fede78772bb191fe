"""The sensor `on_health_change`: a round of alerts every minute; switched on from the start in production.

Its cursor is the moment of the last round that was seen and delivered in full; failed runs are looked for from there.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg

from claims_assets.automation.alerts.channels import Patience, channels_for
from claims_assets.automation.alerts.conditions import stamp
from claims_assets.automation.alerts.look import Sight
from claims_assets.automation.alerts.tick import tick
from claims_assets.monitoring.alerts import stored
from claims_assets.settings import Settings

if TYPE_CHECKING:
    from claims_assets.table import Table

INTERVAL_SECONDS = 60
FIRST_LOOK = timedelta(hours=24)
"""Failed runs of this long before the first round are told: the window of the pipeline health in the public project
rdmurugan/agenticdataengineering."""
OVERLAP = timedelta(minutes=5)
"""Clocks of the instance's database and of this process may differ; what is seen twice is told once all the same."""


def heartbeat_path(settings: Settings) -> Path:
    """The file with the sensor's sign of life."""
    return settings.home / "alerts" / "heartbeat.json"


def alert_sensors(
    settings: Settings,
    tables: Sequence["Table"],
    *,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    patience: Patience = Patience(),  # noqa: B008  (frozen)
) -> list[dg.SensorDefinition]:
    """The sensor over these tables.

    Args:
        clock: says when it is.
        patience: how long channels are waited for.
    """
    production = settings.environment == "production"
    status = dg.DefaultSensorStatus.RUNNING if production else dg.DefaultSensorStatus.STOPPED

    @dg.sensor(
        name="on_health_change",
        description="Tells people, once, what is late, incomplete, of low quality or failed, and when it is over.",
        minimum_interval_seconds=INTERVAL_SECONDS,
        default_status=status,
        required_resource_keys={"lake"},
    )
    def on_health_change(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        to, now, lake = settings.alerts, clock(), context.resources.lake
        since = datetime.fromisoformat(context.cursor) - OVERLAP if context.cursor else now - FIRST_LOOK
        graph = context.repository_def.asset_graph if context.repository_def else None
        sight = Sight(context.instance, graph, lake, tables, now, since, stored(lake))
        channels = channels_for(to)
        done = tick(sight, channels, to, heartbeat_path(settings), patience)
        context.update_cursor(stamp(now))
        _tell_outside(to.heartbeat_url, patience.timeout)
        where = ", ".join(c.name for c in channels) or "nobody: no channel is configured (docs/alerts.md)"
        return dg.SkipReason(
            f"{done.opened} alerts opened, {done.recovered} recovered, {done.open_now} open;"
            f" {done.messages} messages to {where}."
        )

    return [on_health_change]


def _tell_outside(url: str | None, timeout: float) -> None:
    """A service outside notices when these calls stop; one that is lost is no reason to fail the round."""
    if not url:
        return
    import contextlib

    import requests

    with contextlib.suppress(requests.RequestException):
        requests.get(url, timeout=timeout)
