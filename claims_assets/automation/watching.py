"""All that watches the graph and builds nothing: the check of claim months, its schedule, and the alerts."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import dagster as dg

from claims_assets.automation import completeness
from claims_assets.automation.alerts.sensor import alert_sensors
from claims_assets.settings import Settings

if TYPE_CHECKING:
    from claims_assets.table import Table


def watching(settings: Settings, tables: Sequence["Table"]) -> dg.Definitions:
    """The watch over these tables, to be merged with the definitions that hold them and the resource `lake`."""
    checks = completeness.checks_for(tables)
    return dg.Definitions(
        asset_checks=[checks],
        schedules=[completeness.schedule_for(checks, settings)],
        sensors=alert_sensors(settings, tables),
    )
