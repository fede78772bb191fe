"""The schedules: at its hour, a job's layers are brought up to date, if what they read is up to date itself.

A schedule asks for the stale claim months of its layers, whichever they are, and says why when it asks for nothing. An
hour is no dependency: a job whose inputs are stale waits for the next tick. One tick asks for one run; what becomes
stale by it follows by `on_scheduled_run_success`, until the job's layers are up to date. Where steps run in a workspace
whose lake this host does not see, a tick asks for the whole job and the last months.
"""

from collections.abc import Sequence

import dagster as dg

from claims_assets.automation.jobs import BRONZE, Job
from claims_assets.automation.stale_runs import (
    BY,
    landing_run,
    next_run,
    recent_run,
    stale_before,
    standing_still,
    unfinished,
)
from claims_assets.runtime.lake import Lake
from claims_assets.settings import Settings

TIMEZONE = "America/New_York"
"""Of the source system's schedules."""


def schedules(settings: Settings, jobs: Sequence[Job]) -> list[dg.ScheduleDefinition]:
    """One for each job that has a time; they run by themselves in production only."""
    return [_schedule(job, job.cron, settings) for job in jobs if job.cron]


def _schedule(job: Job, cron: str, settings: Settings) -> dg.ScheduleDefinition:
    running = settings.environment == "production"

    @dg.schedule(
        name=f"{job.name}_schedule",
        job=job.definition,
        cron_schedule=cron,
        execution_timezone=TIMEZONE,
        default_status=dg.DefaultScheduleStatus.RUNNING if running else dg.DefaultScheduleStatus.STOPPED,
        required_resource_keys={"lake"},
        description=f"{job.description} Asks for what is stale, and for nothing else.",
    )
    def tick(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        day = f"{context.scheduled_execution_time:%Y-%m-%d}"
        busy = unfinished(context.instance)
        if busy:
            return dg.SkipReason(busy)
        if settings.workspace and not settings.lake.exists():
            return recent_run(day[:7], job.name, f"{job.name} {day}")
        if job == BRONZE:
            return landing_run(job.name, f"landing {day}")
        waits = stale_before(job.layers, context.resources.lake)
        if waits:
            return dg.SkipReason(f"{job.name} waits, {waits}")
        today = context.scheduled_execution_time.date()
        request = next_run(job.layers, context.resources.lake, context.instance, job.name, occasion=day, today=today)
        still = None if request else standing_still(job.layers, context.resources.lake)
        return request or dg.SkipReason(still or f"{', '.join(job.layers)}: nothing is stale.")

    return tick


def on_scheduled_run_success(settings: Settings, jobs: Sequence[Job]) -> dg.SensorDefinition:
    """Goes on with a job whose run has ended well, until its layers are up to date."""
    by_name, targets = {job.name: job for job in jobs if job.cron}, [job.definition for job in jobs if job.cron]
    running = settings.environment == "production"

    @dg.run_status_sensor(
        run_status=dg.DagsterRunStatus.SUCCESS,
        name="on_scheduled_run_success",
        monitored_jobs=targets,
        request_jobs=targets,
        default_status=dg.DefaultSensorStatus.RUNNING if running else dg.DefaultSensorStatus.STOPPED,
        description="Asks for what a scheduled job's run has made stale in the job's own layers.",
    )
    def tick(context: dg.RunStatusSensorContext, lake: Lake) -> dg.RunRequest | dg.SkipReason:
        job = by_name[context.dagster_run.job_name]
        if context.dagster_run.tags.get(BY) != job.name:
            return dg.SkipReason("The run was not asked for by a schedule.")
        busy = unfinished(context.instance)
        if busy:
            return dg.SkipReason(busy)
        run = next_run(job.layers, lake, context.instance, job.name, job_name=job.name)
        return run or dg.SkipReason(f"{', '.join(job.layers)}: nothing is stale.")

    return tick
