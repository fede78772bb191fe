"""Run the whole graph once per engine on the same landing files and compare every table: `make parity`.

Each engine runs in a process of its own, as a user runs it. Ends with one line of counts, and with code 1 where a
table differs.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from claims_assets.partitions import add_months
from claims_assets.settings import Engine
from claims_assets_tests.console import claims
from claims_assets_tests.parity.compare import Compared, compare

ENGINES: tuple[Engine, ...] = ("sail", "spark")
QUICK_JAVA = {
    "JDK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    "SPARK_CONF_DIR": str(Path(__file__).with_name("spark")),
}
"""Most of Java's time at this size would be that of compilers: its second one, and Spark's of each plan."""


@dataclass(frozen=True)
class Population:
    """A synthetic population; `end` is its last claim month."""

    profile: str
    end: str


POPULATIONS = (Population("medicaid", "2025-12"), Population("third_party", "2009-12"))


class RunFailed(RuntimeError):
    """A run of one engine did not succeed."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code; prints one line a step and one a difference."""
    parser = argparse.ArgumentParser(prog="parity", description=__doc__)
    parser.add_argument("--members", type=int, default=300)
    parser.add_argument("--months", type=int, default=4)
    parser.add_argument("--profile", choices=[p.profile for p in POPULATIONS], help="one population [default: all]")
    parser.add_argument("--keep", type=Path, help="folder for the lakes [default: a temporary one]")
    asked = parser.parse_args(arguments)
    found: list[Compared] = []
    with tempfile.TemporaryDirectory(prefix="claims-parity-") as temporary:
        for population in [p for p in POPULATIONS if asked.profile in (None, p.profile)]:
            found += _of(population, (asked.keep or Path(temporary)) / population.profile, asked.members, asked.months)
    return report(found)


def report(found: Sequence[Compared]) -> int:
    """Print each difference and the line of counts; the exit code."""
    for difference in (d for c in found for d in c.differences):
        _say(difference)
    differing = sum(bool(c.differences) for c in found)
    _say(f"parity: {len(found)} tables, {sum(c.rows for c in found):,} rows, {differing} differ")
    return 1 if differing or not found else 0


def _of(population: Population, folder: Path, members: int, months: int) -> list[Compared]:
    """The tables of one population."""
    settings = {
        "CLAIMS_LANDING": str(folder / "landing"),
        "CLAIMS_START_MONTH": add_months(population.end, 1 - months),
        **QUICK_JAVA,
    }
    size = ["--members", str(members), "--months", str(months), "--end", population.end]
    _done(claims(folder, "generate", str(folder / "landing"), "--profile", population.profile, *size))
    for engine in ENGINES:
        started, more = time.monotonic(), settings | {"CLAIMS_ENGINE": engine}
        if (folder / "providers.csv").exists():
            _done(claims(folder / engine, "providers", "load", str(folder / "providers.csv"), **more))
        _done(claims(folder / engine, "run", **more))
        _say(f"{population.profile}: {members} members, {months} months, {engine}: {time.monotonic() - started:.0f} s")
    return list(compare(*[folder / engine / "lake" for engine in ENGINES]))


def _done(process: subprocess.CompletedProcess[str]) -> None:
    if process.returncode:
        raise RunFailed(f"{' '.join(map(str, process.args))}\n{process.stdout[-4000:]}\n{process.stderr[-4000:]}")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
