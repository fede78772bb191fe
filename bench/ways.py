"""The ways of the benchmark: the graph on either engine, and the same tables by hand in DuckDB and in Polars.

Each makes all tables of all months in a process of its own, from the same bronze tables, into a lake of its own.
"""

import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.measured import Run, Spent, measured
from bench.population import LAST, Population, copied, environment, run_claims
from bench.wanted import TABLES

GRAPH, BY_HAND = ("sail", "spark"), ("duckdb", "polars")
WAYS = (*GRAPH, *BY_HAND)
KEYS = [name.replace("_", "/", 1) for name in TABLES]


@dataclass(frozen=True)
class Found:
    """What a way took, and where its tables are."""

    way: str
    lake: Path
    whole: Spent
    """Of a way by hand without the start of Python: it imports code lists of the package, and would pay for it."""
    tables: Mapping[str, Spent]
    written: Mapping[str, int]
    """Bytes of each table as it stands."""
    one_month: Spent | None = None
    """Of the graph: its last month built again in a new process, from its start to the last commit."""


def run(way: str, population: Population, folder: Path, memory: int) -> Found:
    """Make all tables in one way."""
    return _graph(way, population, folder, memory) if way in GRAPH else _by_hand(way, population, folder, memory)


def _graph(engine: str, population: Population, folder: Path, memory: int) -> Found:
    home = copied(population, folder)
    environ = environment(home, engine, memory, population.size.first)
    whole = measured(run_claims(KEYS, population.size.first, LAST), environ, folder / "whole.log")
    spent = {name: whole.between(*when) for name, when in steps(home).items()}
    written = sizes(home / "lake")
    again = measured(run_claims(KEYS, LAST, LAST), environ, folder / "month.log")
    return Found(engine, home / "lake", whole.spent, spent, written, again.spent)


def steps(home: Path) -> dict[str, tuple[float, float]]:
    """Table -> when its step of the newest run that has it began and ended, as Dagster recorded."""
    import dagster as dg

    found: dict[str, tuple[float, float]] = {}
    with dg.DagsterInstance.from_config(str(home / "dagster")) as instance:
        for run_ in reversed(instance.get_runs()):
            for step in instance.get_run_step_stats(run_.run_id):
                name = step.step_key.replace("__", "_", 1)
                if name in TABLES and step.start_time and step.end_time:
                    found[name] = (step.start_time, step.end_time)
    return found


def _by_hand(way: str, population: Population, folder: Path, memory: int) -> Found:
    shutil.rmtree(folder, ignore_errors=True)
    given = ["--lake", population.lake, "--out", folder, "--wanted", population.wanted, "--memory", memory]
    command = [sys.executable, "-m", f"bench.by_{way}", *map(str, given)]
    done = measured(command, environment(folder, "sail", memory, population.size.first), folder / "whole.log")
    told = told_steps(done)
    whole = done.between(min(start for start, _ in told.values()), max(end for _, end in told.values()))
    return Found(way, folder, whole, {n: done.between(*when) for n, when in told.items()}, sizes(folder))


def told_steps(done: Run) -> dict[str, tuple[float, float]]:
    """Table -> when it began and ended, as the process told in its last line."""
    return {name: (start, end) for name, start, end in json.loads(done.output.splitlines()[-1])["steps"]}


def sizes(lake: Path, names: Sequence[str] = TABLES) -> dict[str, int]:
    """Bytes of the data files that the newest commit of each table names."""
    from deltalake import DeltaTable

    found = {}
    for name in names:
        actions = DeltaTable(str(lake / name.replace("_", "/", 1))).get_add_actions()
        found[name] = sum(actions.column("size_bytes").to_pylist())
    return found
