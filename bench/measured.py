"""A process and all that it starts, run and measured: wall clock, CPU seconds, peak memory, and the same of its steps.

CPU seconds come from the kernel when the process has ended (os.wait4); memory, and the parts of steps, from samples of
/proc taken while it ran, at the times that the process itself told.
"""

import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

SAMPLES_A_SECOND = 20
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


class Failed(RuntimeError):
    """A measured process ended with an error."""


@dataclass(frozen=True)
class Spent:
    """What something took."""

    wall: float
    cpu: float
    """Seconds of user and system time, all processes and threads together."""
    peak: int
    """Bytes resident at once, all processes together; pages that they share count in each."""


@dataclass
class Run:
    """A process that has ended."""

    output: str
    started: float
    spent: Spent
    samples: list[tuple[float, float, int]] = field(default_factory=list)
    """Time, CPU seconds so far, bytes resident."""

    def between(self, start: float, end: float) -> Spent:
        """What was spent between two times of the clock."""
        peaks = [peak for at, _, peak in self.samples if start <= at <= end]
        return Spent(end - start, self._cpu_at(end) - self._cpu_at(start), max(peaks, default=0))

    def _cpu_at(self, moment: float) -> float:
        before = (self.started, 0.0)
        end = self.started + self.spent.wall
        for at, cpu in [*((at, cpu) for at, cpu, _ in self.samples), (end, self.spent.cpu)]:
            if at >= moment:
                share = (moment - before[0]) / (at - before[0]) if at > before[0] else 0.0
                return before[1] + share * (cpu - before[1])
            before = (at, max(cpu, before[1]))
        return before[1]


def measured(command: Sequence[str], environment: Mapping[str, str], log: Path) -> Run:
    """Run a command to its end; its errors go to `log`.

    Raises:
        Failed: it ended with an error; the sentence names the log.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    out = log.with_suffix(".out")
    started, clock = time.time(), time.perf_counter()
    with out.open("w") as standard, log.open("w") as errors:
        process = subprocess.Popen(command, env=dict(environment), stdout=standard, stderr=errors)
        samples: list[tuple[float, float, int]] = []
        ended = threading.Event()
        watcher = threading.Thread(target=_watch, args=(process.pid, samples, ended))
        watcher.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - clock
        process.returncode = os.waitstatus_to_exitcode(status)
        ended.set()
        watcher.join()
    if process.returncode:
        raise Failed(f"{' '.join(command[:4])} ended with {process.returncode}: see {log} and {out}.")
    # A JVM that outlives its parent by a moment is in the samples only.
    cpu = max([usage.ru_utime + usage.ru_stime, *(cpu for _, cpu, _ in samples)])
    # Not the kernel's own maximum: it begins with the size that this process had when it forked.
    peak = max([peak for _, _, peak in samples], default=usage.ru_maxrss * 1024)
    return Run(out.read_text(), started, Spent(wall, cpu, peak), samples)


def _watch(pid: int, samples: list[tuple[float, float, int]], ended: threading.Event) -> None:
    while not ended.wait(1 / SAMPLES_A_SECOND):
        found = [x for x in map(_used, _family(pid)) if x]
        if found:
            resident = max(sum(now for _, now, _ in found), max(highest for _, _, highest in found))
            samples.append((time.time(), sum(cpu for cpu, _, _ in found), resident))


def _family(pid: int) -> list[int]:
    """The process and its descendants."""
    found, waiting = [], [pid]
    while waiting:
        one = waiting.pop()
        found.append(one)
        for task in _children(one):
            try:
                waiting += [int(child) for child in task.read_text().split()]
            except OSError:  # a thread that ended just now
                continue
    return found


def _children(pid: int) -> list[Path]:
    """The files that list the children of each of its threads; none once it is gone."""
    try:
        return list(Path(f"/proc/{pid}/task").glob("*/children"))
    except OSError:
        return []


def _used(pid: int) -> tuple[float, int, int] | None:
    """CPU seconds, its ended children included, bytes resident, and the most it had so far; None once it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    highest = [int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM:")]
    return sum(int(n) for n in fields[11:15]) / TICKS, int(fields[21]) * PAGE, max(highest, default=0)
