"""What every way of the benchmark is asked for: the tables, their columns and types, and the claim months.

Also how a hand-written way is run: table after table in one process, which tells when each began and ended.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

TABLES = (
    "silver_claim_versions",
    "silver_member_months",
    "silver_member_months_as_known",
    "silver_medical_claims",
    "silver_pharmacy_claims",
    "gold_pmpm",
    "gold_member_conditions",
    "gold_member_features",
)
"""Made by every way, <schema>_<table>; the three that were not asked for are inputs of the others."""
BRONZE = ("medical_claims", "pharmacy_claims", "member_eligibility", "claim_links", "diagnosis_codes")
"""Bronze tables that they are made of."""
DUCKDB = {"string": "varchar", "int": "integer", "array<string>": "varchar[]"}
"""Type of a contract -> DuckDB's name, where they differ."""


@dataclass(frozen=True)
class Wanted:
    """Claim months, and table -> column -> type in DuckDB's words."""

    months: Sequence[str]
    duckdb: Mapping[str, Mapping[str, str]]

    @cached_property
    def numbers(self) -> list[int]:
        """The months as months since year 0."""
        return [int(m[:4]) * 12 + int(m[5:7]) - 1 for m in self.months]

    @property
    def end(self) -> str:
        """Last day of the last month."""
        from calendar import monthrange

        year, month = divmod(self.numbers[-1], 12)
        return f"{year:04d}-{month + 1:02d}-{monthrange(year, month + 1)[1]}"

    def write(self, path: Path) -> None:
        """Keep it for the processes of the ways."""
        path.write_text(json.dumps({"months": list(self.months), "tables": self.duckdb}))


def of_contracts(months: Sequence[str]) -> Wanted:
    """As the contracts of the graph state the tables."""
    from claims_assets.contracts import compiled
    from claims_assets.definitions import tables

    found = {f"{t.schema}_{t.name}": compiled(t.contract).columns for t in tables()}
    kinds = {name: {n: k.simpleString() for n, k in found[name].items()} for name in TABLES}
    return Wanted(months, {name: {n: DUCKDB.get(k, k) for n, k in columns.items()} for name, columns in kinds.items()})


def read(path: Path) -> Wanted:
    """What `Wanted.write` kept."""
    told = json.loads(path.read_text())
    return Wanted(told["months"], told["tables"])


def run(engine: Callable[[Path, Path, Wanted, int], Any], steps: Mapping[str, Callable[[Any], None]]) -> None:
    """The command line of a hand-written way; the last line it writes is the table of its steps."""
    parser = argparse.ArgumentParser()
    for name in ("lake", "out", "wanted"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--memory", type=int, default=4_000_000_000, help="Bytes that the engine may hold.")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    made = engine(asked.lake, asked.out, read(asked.wanted), asked.memory)
    told = []
    for name in TABLES:
        start = time.time()
        steps[name](made)
        told.append([name, start, time.time()])
    sys.stdout.write(json.dumps({"steps": told}) + "\n")
