"""The data of the benchmark: landing files of a synthetic population, and bronze tables that the graph made of them.

Made once for each size, outside git, and read by every way. Delete the folder to make it anew.
"""

import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from bench import wanted
from bench.measured import Spent, measured

LINES_PER_MEMBER_MONTH = 1.78
"""Medical lines and pharmacy fills of a member and month, as the generator writes them."""
MONTHS, LAST = 48, "2025-12"
SEED = 7
CLAIMS = "from claims_assets.cli.main import claims; claims()"
"""`claims` on any path."""


@dataclass(frozen=True)
class Size:
    """Members of the population and claim months."""

    members: int
    months: int = MONTHS

    @classmethod
    def of_lines(cls, lines: float) -> "Size":
        """The size that gives about so many claim lines."""
        return cls(round(lines / (LINES_PER_MEMBER_MONTH * MONTHS)))

    @property
    def first(self) -> str:
        number = int(LAST[:4]) * 12 + int(LAST[5:]) - self.months
        return f"{number // 12:04d}-{number % 12 + 1:02d}"


@dataclass(frozen=True)
class Population:
    """A size that was made: its folder, its rows, and what landing and bronze took."""

    folder: Path
    size: Size
    rows: Mapping[str, int]
    """Rows of bronze tables."""
    bronze: Spent

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def lake(self) -> Path:
        return self.home / "lake"

    @property
    def wanted(self) -> Path:
        return self.folder / "wanted.json"

    @property
    def lines(self) -> int:
        """Claim lines, medical and pharmacy."""
        return self.rows["medical_claims"] + self.rows["pharmacy_claims"]


def memory_of(asked: str | None) -> int:
    """Bytes that an engine may hold; a quarter of this machine's, as the graph has it."""
    from claims_assets.setting_values import size_in_bytes

    return size_in_bytes("--memory", asked)


def environment(home: Path, engine: str, memory: int, start: str) -> dict[str, str]:
    """Of a process of the graph: this one's, without its settings."""
    mine = {n: v for n, v in os.environ.items() if not n.startswith(("CLAIMS_", "MLFLOW_", "SPARK_"))}
    jars = os.environ.get("CLAIMS_SPARK_JARS") or str(Path(".cache/spark-jars").absolute())
    asked = {"CLAIMS_HOME": str(home), "CLAIMS_ENGINE": engine, "CLAIMS_SPARK_JARS": jars, "CLAIMS_START_MONTH": start}
    quiet = {"DAGSTER_DISABLE_TELEMETRY": "true", "MLFLOW_DISABLE_TELEMETRY": "true"}
    here = str(Path(__file__).parents[1])
    return mine | asked | quiet | {"CLAIMS_MEMORY_LIMIT": f"{memory >> 20}MB", "PYTHONPATH": here}


def run_claims(select: list[str], first: str, last: str) -> list[str]:
    """The command that builds these tables for a range of months: `claims run`."""
    keys = " or ".join(f'key:"{key}"' for key in select)
    return [sys.executable, "-c", CLAIMS, "run", "--from", first, "--to", last, "--select", keys]


def made(folder: Path, size: Size, memory: int, say: Callable[[str], None]) -> Population:
    """The population of a size, made where it is not there yet."""
    told = folder / "made.json"
    if told.exists():
        found = json.loads(told.read_text())
        if found["size"] == asdict(size):
            return Population(folder, size, found["rows"], Spent(**found["bronze"]))
    shutil.rmtree(folder, ignore_errors=True)
    home = folder / "home"
    say(f"writing landing files of {size.members:,} members x {size.months} months")
    _generate(home, size)
    say("landing to bronze, once")
    keys = [f"{schema}/{name}" for name in wanted.BRONZE for schema in ("landing", "bronze") if _has(schema, name)]
    environ = environment(home, "sail", memory, size.first)
    run = measured(run_claims(keys, size.first, LAST), environ, folder / "bronze.log")
    population = Population(folder, size, _rows(home / "lake"), run.spent)
    months = [_month(size.first, n) for n in range(size.months)]
    wanted.of_contracts(months).write(population.wanted)
    shutil.rmtree(home / "landing")  # the stage of it stays: guards of the graph look there
    told.write_text(json.dumps({"size": asdict(size), "rows": population.rows, "bronze": asdict(run.spent)}))
    return population


def copied(population: Population, to: Path) -> Path:
    """A CLAIMS_HOME of its own with the same bronze; its data files are links, for nobody writes in place."""

    def copy(source: str, target: str) -> None:
        if source.endswith(".parquet"):
            os.link(source, target)
        else:
            shutil.copy2(source, target)

    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(population.home, to, copy_function=copy)
    return to


def _generate(home: Path, size: Size) -> None:
    from claims_assets.synthetic import generate

    generate(home / "landing", end=LAST, members=size.members, months=size.months, seed=SEED)


def _has(schema: str, name: str) -> bool:
    """The list of diagnoses ships with the package, and links are made of two feeds."""
    return schema == "bronze" or name not in ("claim_links", "diagnosis_codes")


def _month(first: str, later: int) -> str:
    number = int(first[:4]) * 12 + int(first[5:]) - 1 + later
    return f"{number // 12:04d}-{number % 12 + 1:02d}"


def _rows(lake: Path) -> dict[str, int]:
    from deltalake import DeltaTable

    return {name: DeltaTable(str(lake / "bronze" / name)).count() for name in wanted.BRONZE}
