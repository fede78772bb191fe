"""The claims workload on the graph, in DuckDB and in Polars: the same tables from the same bronze rows, compared.

`make bench`, or `python -m bench.claims --sizes 0.1`. How it is measured and what came out: docs/benchmarks.md.
Elsewhere: the data (`population.py`), the ways (`ways.py`, `by_duckdb.py`, `by_polars.py`), the price of contracts and
Dagster (`bare.py`), the measuring (`measured.py`), the comparing (`equal.py`), tables and plots (`shown.py`).
"""

import argparse
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from bench import equal, population, shown, wanted, ways
from bench.measured import Spent, measured
from bench.population import Population, Size

CACHE, RESULTS = Path(".cache/bench"), Path(__file__).parent / "results"
SIZES = (0.1, 1.0, 5.0, 10.0)
"""Millions of claim lines."""
MILLION = 1_000_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=float, nargs="+", default=SIZES, help="Millions of claim lines.")
    parser.add_argument("--ways", nargs="+", default=ways.WAYS, choices=ways.WAYS)
    parser.add_argument("--cache", type=Path, default=CACHE, help="Folder of the data, outside git.")
    parser.add_argument("--results", type=Path, default=RESULTS, help="Folder of the numbers.")
    parser.add_argument("--memory", default=None, help="What an engine may hold, as 4GB; a quarter of the memory.")
    parser.add_argument("--keep", action="store_true", help="Leave the tables of the ways in the cache.")
    parser.add_argument("--plot", type=Path, default=None, help="Where to draw the ratios.")
    asked = parser.parse_args()
    memory = population.memory_of(asked.memory)
    for size in asked.sizes:
        folder = asked.cache.absolute() / f"{size:g}M"
        report = run(folder, Size.of_lines(size * MILLION), asked.ways, memory, say, keep=asked.keep)
        path = shown.kept(asked.results, f"{size:g}", report)
        say(shown.as_text(report))
        say(f"kept in {path}")
    if asked.plot:
        shown.plot(shown.latest(asked.results), asked.plot)


def say(sentence: str) -> None:
    sys.stdout.write(sentence + "\n")
    sys.stdout.flush()


def run(
    folder: Path, size: Size, chosen: Sequence[str], memory: int, say: Callable[[str], None], *, keep: bool = False
) -> dict:
    """Make the tables of one size in every chosen way, hold them against those of the first, and tell what it took.

    Raises:
        NotEqual: two ways made different rows.
        Failed: a way ended with an error.
    """
    data = population.made(folder, size, memory, say)
    say(f"{data.lines:,} claim lines, {size.members:,} members x {size.months} months")
    found: dict[str, ways.Found] = {}
    try:
        for way in chosen:
            say(f"  {way} ...")
            found[way] = ways.run(way, data, folder / way, memory)
        bare = _bare(data, folder / "bare", memory) if "sail" in found else None
        first, *others = found.values()
        asked = wanted.read(data.wanted)
        rows = 0
        for other in [f.lake for f in others] + ([folder / "bare" / "lake"] if bare else []):
            rows = equal.assert_equal(first.lake, other, asked)
        say(f"  all ways made the same {rows:,} rows")
    finally:
        if not keep:
            for way in [*chosen, "bare"]:
                shutil.rmtree(folder / way, ignore_errors=True)
    return shown.report(data, found, bare, rows)


def _bare(data: Population, home: Path, memory: int) -> dict[str, Spent]:
    """The transforms of the graph alone, by table."""
    population.copied(data, home)
    given = ["--home", home, "--wanted", data.wanted, "--memory", memory]
    command = [sys.executable, "-m", "bench.bare", *map(str, given)]
    done = measured(command, population.environment(home, "sail", memory, data.size.first), home / "bare.log")
    return {name: done.between(*when) for name, when in ways.told_steps(done).items()}


if __name__ == "__main__":
    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "true")
    main()
