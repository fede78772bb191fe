"""Which runs are lost: recorded as in progress while their process is gone.

Dagster's own launcher starts runs and cannot tell whether they live, so a run whose process was killed together with
its code server would stay in progress for ever, and count against `max_concurrent_runs`. Here: the launcher that can
tell, for the daemon's run monitoring (`dagster.yaml`), and the same answer for the console script. Only the machine
that a run was started on can tell; a team's instance whose runs live elsewhere has a launcher of its own (`deploy/`).
"""

import os
import socket
import time
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.launcher.base import CheckRunHealthResult, LaunchRunContext, WorkerStatus
from dagster._core.launcher.default_run_launcher import DefaultRunLauncher

BY, PROCESS = "claims/by", "claims/process"
"""Run tags: who asked for the run; the machine it runs on, and `:` and the process id if that is known beforehand."""
CLOCKS_DIFFER_BY = 60
"""Seconds by which a process may seem younger than what it said: the clock of the machine may have been set."""


class LocalRunLauncher(DefaultRunLauncher):
    """Dagster's launcher, which also knows whether the process of a run lives."""

    def launch_run(self, context: LaunchRunContext) -> None:
        """Launch the run, and remember on which machine."""
        self._instance.add_run_tags(context.dagster_run.run_id, {PROCESS: socket.gethostname()})
        super().launch_run(context)

    @property
    def supports_check_run_worker_health(self) -> bool:
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """FAILED once the process of the run is gone."""
        if is_lost(self._instance, run):
            return CheckRunHealthResult(WorkerStatus.FAILED, "its process is gone")
        return CheckRunHealthResult(WorkerStatus.RUNNING)


def tags_of_this_process(by: str) -> dict[str, str]:
    """Tags of a run that this process itself executes."""
    return {BY: by, PROCESS: f"{socket.gethostname()}:{os.getpid()}"}


def is_lost(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Whether the process of a run in progress is gone; False where this machine can't tell."""
    machine, _, pid = run.tags.get(PROCESS, "").partition(":")
    if machine != socket.gethostname():
        return False
    known = _process(instance, run, pid)
    return known is not None and not lives(*known)


def _process(instance: dg.DagsterInstance, run: dg.DagsterRun, pid: str) -> tuple[int, float] | None:
    """Process id of a run, and when it was its own."""
    record: Any = instance.get_run_record_by_id(run.run_id)
    if record and pid:
        return int(pid), record.create_timestamp.timestamp()
    for entry in instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ENGINE_EVENT):
        event: Any = entry.dagster_event
        if "pid" in event.engine_event_data.metadata:
            return int(event.engine_event_data.metadata["pid"].value), entry.timestamp
    return None


def lives(pid: int, said_so: float) -> bool:
    """Whether the process that reported at that time lives, not another one that was given its number later."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    stat, uptime = Path(f"/proc/{pid}/stat"), Path("/proc/uptime")
    try:
        # Field 3, behind the name in brackets, is the state; field 22 the start, in ticks since the machine's start.
        fields = stat.read_text().rpartition(")")[2].split()
        age = float(uptime.read_text().split()[0]) - int(fields[19]) / os.sysconf("SC_CLK_TCK")
    except FileNotFoundError:
        return not uptime.exists()  # a system without /proc, or a process that ended just now
    return fields[0] != "Z" and time.time() - age <= said_so + CLOCKS_DIFFER_BY
