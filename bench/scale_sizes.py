"""How large each table of a state is: rows and bytes for each claim line or member, measured on a lake, times a state.

    python -m bench.scale_sizes LAKE        measures a lake of the demo and writes `scale_sizes.json`

Here: measured sizes, and a state's rows, bytes and files. Elsewhere: tables without data of that size
(`scale_tables.py`), how Spark would compute them (`scale_plans.py`), time and cost (`scale_costs.py`).
"""

import json
import math
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

MEASURED = Path(__file__).with_name("scale_sizes.json")

MEMBERS = 10_000_000
"""Enrolled in a month. California's Medicaid and CHIP had 12,209,605 members and New York's, the second largest,
6,411,789 in November 2016 (CMS monthly Medicaid & CHIP application, eligibility and enrollment data); California about
15 million in 2024-25 (Legislative Analyst's Office)."""
LINES_A_YEAR = 1_000_000_000
"""Claim lines, medical and pharmacy: a hundred a member and year, seven times those of the demo's members."""
MONTHS = 36
REAL_BYTES = 4.0
"""Bytes of a real row over a synthetic one, whose ids are numbered and whose codes are few. Assumed."""
FILE_BYTES = 512 << 20
"""Target of one file: fewer than a thousand files a year for the largest table, and some for each core of a cluster."""

Driver = Literal["lines", "members", "nothing"]
"""What a table grows with."""
OF_LINES = {"claim_id", "line_count", "original_claim_id"}
"""A table with one of these columns has rows for claim lines."""
CLAIM_TABLES = ("landing.medical_claims", "landing.pharmacy_claims")


@dataclass(frozen=True)
class Size:
    """One table of the measured lake."""

    driver: Driver
    rows: float
    """Rows for each claim line (`lines`) or member and month (`members`) of the lake; else rows in all."""
    bytes_per_row: float
    """In one sorted file of up to a million rows."""
    partitioned: bool


@dataclass(frozen=True)
class StateTable:
    """One table of a state."""

    name: str
    rows: int
    """A month's, or all of an unpartitioned table."""
    bytes_per_row: float
    months: int
    """0: unpartitioned."""

    @property
    def bytes(self) -> int:
        """A month's, or all."""
        return math.ceil(self.rows * self.bytes_per_row)

    @property
    def files(self) -> int:
        """A month's, or all."""
        return max(1, round(self.bytes / FILE_BYTES))


def measured() -> dict[str, Size]:
    """Table -> its size in the measured lake."""
    return {name: Size(**given) for name, given in json.loads(MEASURED.read_text())["tables"].items()}


def real(sizes: Mapping[str, Size]) -> dict[str, Size]:
    """The same with the bytes that rows of real claims are held to have."""
    return {name: replace(size, bytes_per_row=size.bytes_per_row * REAL_BYTES) for name, size in sizes.items()}


def state(
    sizes: Mapping[str, Size], members: int = MEMBERS, lines_a_year: int = LINES_A_YEAR, months: int = MONTHS
) -> list[StateTable]:
    """The tables of a state with so many members and claim lines."""
    a_month = {"lines": lines_a_year / 12, "members": members, "nothing": 1}
    found = []
    for name, size in sizes.items():
        times = 1 if size.partitioned or size.driver == "nothing" else months
        rows = math.ceil(size.rows * a_month[size.driver] * times)
        found.append(StateTable(name, rows, size.bytes_per_row, months if size.partitioned else 0))
    return found


def measure(lake: Path) -> Iterator[tuple[str, Size]]:
    """Every table of a lake; a month is the average of the newest twelve."""
    from deltalake import DeltaTable

    from claims_assets.runtime.delta import rows_by_month

    newest = sorted(rows_by_month(lake / "landing" / "medical_claims"))[-12:]
    lines = sum(_rows(lake / name.replace(".", "/"), newest) for name in CLAIM_TABLES) / len(newest)
    members = _rows(lake / "silver" / "member_months", newest) / len(newest)
    all_months = len(rows_by_month(lake / "landing" / "medical_claims"))
    for log in sorted(lake.glob("*/*/_delta_log")):
        folder = log.parent
        columns = {f.name for f in DeltaTable(str(folder)).schema().fields}
        partitioned = "" not in rows_by_month(folder)
        driver: Driver = "lines" if columns & OF_LINES else "members" if "member_id" in columns else "nothing"
        rows = _rows(folder, newest) / len(newest) if partitioned else _rows(folder, None)
        unit = {"lines": lines, "members": members, "nothing": 1}[driver]
        times = 1 if partitioned or driver == "nothing" else all_months
        yield (
            f"{folder.parent.name}.{folder.name}",
            Size(driver, rows / unit / times, _bytes_per_row(folder), partitioned),
        )


def _rows(folder: Path, months: list[str] | None) -> int:
    from claims_assets.runtime.delta import rows_by_month

    return sum(n for month, n in rows_by_month(folder).items() if months is None or month in months)


def _bytes_per_row(folder: Path) -> float:
    """Files of a demo's month are too small to tell: their footers weigh more than their rows."""
    import pyarrow.parquet as pq
    from deltalake import DeltaTable

    rows = DeltaTable(str(folder)).to_pyarrow_dataset().head(1_000_000)
    if not rows.num_rows:
        return 100.0
    order = [(n, "ascending") for n in ("claim_month", "member_id") if n in rows.column_names]
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "all.parquet"
        pq.write_table(rows.sort_by(order) if order else rows, file, compression="zstd")
        return round(file.stat().st_size / rows.num_rows, 1)


if __name__ == "__main__":
    found = {name: asdict(size) for name, size in measure(Path(sys.argv[1]))}
    MEASURED.write_text(json.dumps({"measured_on": "the demo, 5,000 members x 48 months", "tables": found}, indent=1))
