"""Which runs of the local instance are lost: recorded as in progress while their process is gone.

Dagster's own launcher starts runs and cannot tell whether they live, so a run whose process was killed together with
its code server would stay in progress for ever, and count against `max_concurrent_runs`. Here: the launcher that can
tell, for the daemon's run monitoring (`dagster.yaml`), and the same answer for the console script. It holds for an
instance of one machine; a team's instance has a launcher of its own (`deploy/`).
"""

import fcntl
import os
import time
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.launcher.base import CheckRunHealthResult, WorkerStatus
from dagster._core.launcher.default_run_launcher import DefaultRunLauncher

BY, CONSOLE = "claims/by", "claims run"
"""Run tag, and its value for runs of the console script, which live and die with its process."""
LOCK = "run.lock"
"""File in CLAIMS_HOME that the console script holds as long as it runs; the system lets go of it with the process."""
STARTED_BEFORE_SAYING_SO = 60
"""Seconds by which a process may seem younger than its first event: the clock of the machine may have been set."""


class LocalRunLauncher(DefaultRunLauncher):
    """Dagster's launcher, which also knows whether the process of a run lives."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """FAILED once the process of the run is gone."""
        if is_lost(self._instance, run):
            return CheckRunHealthResult(WorkerStatus.FAILED, "its process is gone")
        return CheckRunHealthResult(WorkerStatus.RUNNING)


def is_lost(instance: Any, run: dg.DagsterRun) -> bool:
    """Whether the process of a run in progress is gone; False as long as nothing says which process it is."""
    if run.tags.get(BY) == CONSOLE:
        return not _is_held(Path(instance.root_directory).parent / LOCK)
    for record in instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ENGINE_EVENT):
        metadata = record.dagster_event.engine_event_data.metadata
        if "pid" in metadata:
            return not _lives(int(metadata["pid"].value), record.timestamp)
    return False


def _is_held(lock: Path) -> bool:
    """Whether any process, this one included, holds the lock file."""
    try:
        with lock.open("r") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _lives(pid: int, said_so: float) -> bool:
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
    return fields[0] != "Z" and time.time() - age <= said_so + STARTED_BEFORE_SAYING_SO
