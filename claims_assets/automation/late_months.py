"""The sensor for late months: a file comes, and exactly the claim months that it changes are built again.

Each tick asks for one run: a refresh of the landing tables when the folder has changed, else the next batch of stale
months in the order of the flow (`stale_runs.py`), and nothing while a run is under way. This is the same plan that
`claims run` follows, so both end in the same content. Elsewhere: the same by Dagster's own conditions, for those who
want it in the UI's terms, and less exact (`conditions.py`).
"""

import json

import dagster as dg

from claims_assets.automation.jobs import END_TO_END
from claims_assets.automation.landing import changes, picture
from claims_assets.automation.stale_runs import landing_run, next_run, standing_still, unfinished
from claims_assets.layers import LAYERS
from claims_assets.settings import Settings
from claims_assets.sources.feeds import LandingError

NAME = "late_months_sensor"
SECONDS = 60
"""Between two ticks."""
ASKED = "asked"
"""Key in the cursor: the run key last asked for."""


def late_months_sensor(settings: Settings) -> dg.SensorDefinition:
    """The sensor; it runs by itself in production only."""
    running = settings.environment == "production"

    @dg.sensor(
        name=NAME,
        job=END_TO_END.definition,
        minimum_interval_seconds=SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING if running else dg.DefaultSensorStatus.STOPPED,
        required_resource_keys={"lake", "landing"},
        description="New landing files, then the claim months that they change: one run at a time, by content.",
    )
    def tick(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        busy = unfinished(context.instance)
        if busy:
            return dg.SkipReason(busy)
        try:
            request = _wanted(context)
        except LandingError as error:
            return dg.SkipReason(str(error))
        if request is None:
            still = standing_still(LAYERS, context.resources.lake)
            return dg.SkipReason(still or "Up to date: no landing file has changed, and no claim month is stale.")
        asked = json.loads(context.cursor or "{}").get(ASKED)
        if request.run_key == asked:
            return dg.SkipReason(
                "The last run was asked for by the same content and has not brought it up to date: see why it failed,"
                f" then launch {END_TO_END.name} or `claims run`; a change of the landed files asks again by itself."
            )
        context.update_cursor(json.dumps({ASKED: request.run_key}))
        return request

    return tick


def _wanted(context: dg.SensorEvaluationContext) -> dg.RunRequest | None:
    if changes(context.resources.landing):
        return landing_run(NAME, picture(context.resources.landing))
    return next_run(tuple(LAYERS), context.resources.lake, context.instance, NAME)
