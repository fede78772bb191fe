"""All jobs, schedules and sensors of this folder, for `definitions.build`."""

from collections.abc import Collection
from typing import Any

from claims_assets.automation.conditions import automation_sensor
from claims_assets.automation.jobs import jobs
from claims_assets.automation.late_months import late_months_sensor
from claims_assets.automation.retraining import retraining_sensor
from claims_assets.automation.schedules import on_scheduled_run_success, schedules
from claims_assets.settings import Settings


def collected(settings: Settings, assets: Collection[Any]) -> dict[str, Any]:
    """Arguments of `dg.Definitions`. The same in every environment; only what runs by itself differs."""
    chosen = jobs(assets)
    sensors = [late_months_sensor(settings), on_scheduled_run_success(settings, chosen), retraining_sensor(settings)]
    return {
        "jobs": [job.definition for job in chosen],
        "schedules": schedules(settings, chosen),
        "sensors": [*sensors, automation_sensor()],
    }
