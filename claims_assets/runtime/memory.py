"""How much memory a run may hold, how that is shared out, and the one sentence for when it is not enough.

Here: the shares of the limit, what running out of memory looks like on each engine and in each library, and the watch
over the process and its children. Elsewhere: who takes a share (`spark.py` the engine's operators, `counting.py` the
counts of a stage, `reading.py` the rows of one commit).
"""

import contextlib
import ctypes
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

GIGABYTE, MEGABYTE = 2**30, 2**20
PROCESS = 3 * GIGABYTE // 4
"""What a process holds beside its engine: code, models, batches between engine, Arrow and Delta (0.5 to 0.7 GB)."""
ENGINE_SHARE = 0.4
"""Share of the rest that goes to the operators of Sail: their batches and writers are not counted in their pool."""
HEAP_SHARE = 0.6
"""Share of the rest that goes to the heap of Spark, which counts everything; its Python workers hold what is left."""
LEAST_SHARE, LEAST_HEAP = 256 * MEGABYTE, 512 * MEGABYTE
"""Spark starts with no heap below 450 MB: it keeps 300 MB and asks for half as much again (UnifiedMemoryManager)."""
MOST_ROWS, LEAST_ROWS = 1_000_000, 50_000
BYTES_A_ROW = 4 * GIGABYTE // MOST_ROWS
"""Of the limit, for each input row of one commit: a million rows of claims with sixty columns fit into 4 GB."""
WARNED, ENDED = 0.92, 0.98
"""Shares of a limit: above the first the step is ended, above the second the process. At a limit of the operating
system itself a native library would end the process without a word."""
PATIENCE = 20.0
"""Seconds in which a step that was told to end must have given memory back."""
PAUSE = 0.05
CGROUPS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
"""Limit of a container, version 2 and version 1."""
CLASSES = frozenset(
    {"MemoryError", "ArrowMemoryError", "_ArrayMemoryError", "OutOfMemoryException", "OutOfMemoryError"}
)
"""Names of errors that say it: Python, pyarrow, numpy, DuckDB, Java."""
WORDS = (
    "Failed to allocate additional", "Resources exhausted", "Java heap space", "GC overhead limit exceeded",
    "Out of Memory Error", "std::bad_alloc", "unable to create native thread", "OutOfMemoryError",
)  # fmt: skip
"""Words by which they are known inside the error of another library: Sail (the first two), Spark, DuckDB, C++."""

_working_on: str | None = None
"""Table or step that the process works on, for the sentence of the watch."""


def engine_share(limit: int) -> int:
    """Bytes for the state of Sail's operators, of a limit for the whole process."""
    return max(LEAST_SHARE, int((limit - PROCESS) * ENGINE_SHARE))


def heap_share(limit: int) -> int:
    """Bytes for the heap of Spark's driver, of a limit for the process and its children."""
    return max(LEAST_HEAP, int((limit - PROCESS) * HEAP_SHARE))


def rows_at_once(limit: int | None) -> int:
    """Input rows of one commit."""
    return MOST_ROWS if limit is None else min(MOST_ROWS, max(LEAST_ROWS, int(limit / BYTES_A_ROW)))


def machine() -> int:
    """Bytes that this process could have at most: of the machine, of its container, or of the shell that started it."""
    known = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), *(limit for limit, _ in _hard_limits())]
    for place in CGROUPS:
        try:
            known.append(int(Path(place).read_text()))
        except (OSError, ValueError):
            continue
    return min(known)


def is_exhaustion(kind: str, message: str) -> bool:
    """Whether an error, known by the name of its class and its text, says that memory has run out."""
    return kind.rpartition(".")[2] in CLASSES or any(word in message for word in WORDS)


def ran_out(error: BaseException | None) -> bool:
    """Whether an error, or one that it comes from, says that memory has run out."""
    seen = 0
    while error is not None and seen < 10:
        if is_exhaustion(type(error).__name__, str(error)):
            return True
        error, seen = error.__cause__ or error.__context__, seen + 1
    return False


def sentence(name: str | None) -> str:
    """What to tell of a table (or step) that needs more memory than it may hold, and how to go on."""
    return (
        f"{name or 'The run'} needs more memory than it may hold: raise CLAIMS_MEMORY_LIMIT (on a machine that has"
        " more), or run fewer claim months at once with --from and --to. What was written before stays as it was."
    )


@contextmanager
def told(name: str) -> Iterator[None]:
    """A block of work on a table: running out of memory in it is a failure with `sentence`."""
    import dagster as dg  # not above: the settings ask this module, and need nothing else of it

    global _working_on
    before, _working_on = _working_on, name
    try:
        yield
    except dg.Failure:
        raise
    except Exception as error:
        if ran_out(error):
            raise dg.Failure(description=sentence(name)) from None
        raise
    finally:
        _working_on = before


def give_back() -> None:
    """Return to the operating system what allocators keep for later."""
    arrow = sys.modules.get("pyarrow")
    if arrow is not None:
        arrow.default_memory_pool().release_unused()
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)


@dataclass(frozen=True)
class _Gauge:
    """A limit and how much of it is used."""

    limit: int
    used: Callable[[], int]

    def is_above(self, share: float) -> bool:
        return self.used() > self.limit * share


@contextmanager
def watched(limit: int) -> Iterator[None]:
    """While the block lasts, end the step that makes the process and its children hold more than `limit` bytes.

    The main thread gets a MemoryError, so the step fails as if an allocation had: what it staged is removed, and what
    was committed stays. A step that does not end so is ended with the process: sentence on stderr, exit code 1. Linux
    only; elsewhere the shares alone bound the memory.
    """
    if sys.platform != "linux":
        yield
        return
    gauges = [
        _Gauge(min(limit, machine()), lambda: held(os.getpid())),
        *(_Gauge(n, used) for n, used in _hard_limits()),
    ]
    over = threading.Event()
    watch = threading.Thread(target=_watch, args=(gauges, threading.get_ident(), over), daemon=True, name="memory")
    watch.start()
    try:
        yield
    finally:
        over.set()
        watch.join()


def _watch(gauges: list[_Gauge], thread: int, over: threading.Event) -> None:
    """Look at the gauges until the block is over."""
    waited: float | None = None
    while not over.wait(PAUSE):
        if any(g.is_above(WARNED) for g in gauges):
            give_back()
        if not any(g.is_above(WARNED) for g in gauges):
            waited = None
            continue
        if waited is None:
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(MemoryError))
            waited = 0.0
        waited += PAUSE
        if waited > PATIENCE or any(g.is_above(ENDED) for g in gauges):
            os.write(2, f"{sentence(_working_on)}\n".encode())
            os._exit(1)


def held(process: int) -> int:
    """Bytes of memory that a process and its children hold; what several of them share counts for each."""
    total = 0
    for one in _family(process):
        try:
            total += int(Path(f"/proc/{one}/statm").read_text().split()[1])
        except (OSError, IndexError):  # it has ended since
            continue
    return total * os.sysconf("SC_PAGE_SIZE")


def _family(process: int) -> list[int]:
    found = [process]
    for one in found:
        with contextlib.suppress(OSError):  # it, or one of its threads, has ended since
            for listed in Path(f"/proc/{one}/task").glob("*/children"):
                found += map(int, listed.read_text().split())
    return found


def _hard_limits() -> list[tuple[int, Callable[[], int]]]:
    """Limits of this process by its shell (`ulimit -d`, `ulimit -v`), each with what it counts."""
    if sys.platform != "linux":
        return []
    import resource

    found = [(resource.RLIMIT_DATA, 5), (resource.RLIMIT_AS, 0)]
    limits = [(resource.getrlimit(kind)[0], column) for kind, column in found]
    return [
        (limit, lambda column=column: _own_pages(column) * resource.getpagesize())
        for limit, column in limits
        if limit != resource.RLIM_INFINITY
    ]


def _own_pages(column: int) -> int:
    """A number of /proc/self/statm: 0 all address space, 5 data and stacks."""
    return int(Path("/proc/self/statm").read_text().split()[column])
