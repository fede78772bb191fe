"""What a month of a state would cost: measured CPU for each row read or written, times the rows of the state's month.

    python -m bench.scale_costs measure LAKE [TABLE ...]     measures on a lake of the demo, writes `scale_cpu.json`
    python -m bench.scale_costs                              prints the tables of docs/scale.md

The CPU is that of the embedded engine on this machine, with staging and counting. What a cluster needs is that, times
what classic Spark needs more, over the share of its cores that are at work: two assumptions, stated below. Elsewhere:
sizes (`scale_sizes.py`), prices with their sources (`scale_prices.json`), plans (`scale_plans.py`).
"""

import inspect
import json
import os
import resource
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.scale_sizes import MONTHS, REAL_BYTES, StateTable, measured, state
from claims_assets.definitions import tables
from claims_assets.reading import reach
from claims_assets.runtime.lake import Lake
from claims_assets.table import Table

CPU = Path(__file__).with_name("scale_cpu.json")
PRICES = json.loads(Path(__file__).with_name("scale_prices.json").read_text())

SPARK_OVER_SAIL = 2.0
"""CPU of classic Spark over the embedded engine's for the same tables (184 against 92 seconds at 5 million lines)."""
BUSY = 0.5
"""Share of a cluster's core-seconds at work: shuffles, stragglers, commits and the driver take the rest. Assumed."""
MEMORY = 4 << 30


@dataclass(frozen=True)
class Measured:
    """One table built once."""

    rows: int
    """Read, with windows, and written."""
    cpu_seconds: float


def rows_read(lake_rows: Any, table: Table, months: Sequence[str] | None) -> int:
    """Rows of the inputs of these months, windows included.

    Args:
        lake_rows: (schema, name) -> rows by month, '' for a table without months.
    """
    total = 0
    for source in table.inputs:
        rows = lake_rows(source.schema, source.name)
        wanted = None if months is None or "" in rows else source.window.reach(months)
        total += sum(n for month, n in rows.items() if wanted is None or month in wanted)
    return total


def measure(lake: Lake, scratch: Path, names: Sequence[str]) -> Iterator[tuple[str, Measured]]:
    """Build tables into a lake of their own: all months at once of one that reads its own month alone, else the newest.

    So a window counts as it will in a month to come, and the fixed cost of a plan weighs little in the others.
    """
    from claims_assets.runtime.spark import embedded_session

    spark = embedded_session(MEMORY)
    spark.range(1).count()
    out = Lake(root=str(scratch))
    for table in tables():
        if table.resources or (names and table.full_name not in names):
            continue
        built = sorted(m for m in lake.rows_by_month(table.schema, table.name) if m)
        windows = any((i.window.months or 1) > 1 for i in table.inputs)
        months = (built[-1:] if windows else built) if table.partitioned else None
        if (table.partitioned and not months) or not all(lake.exists(i.schema, i.name) for i in table.inputs):
            continue
        before = _cpu()
        given: dict[str, Any] = {"months": months}
        given |= {i.parameter: lake.read(spark, i.schema, i.name, reach(lake, i, months)) for i in table.inputs}
        frame = table.function(**{p: given[p] for p in inspect.signature(table.function).parameters})
        out.write(frame, table.schema, table.name, table.contract, months)
        found = rows_read(lake.rows_by_month, table, months) + sum(out.rows_by_month(table.schema, table.name).values())
        yield table.full_name, Measured(found, round(_cpu() - before, 2))


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


@dataclass(frozen=True)
class Cost:
    """One table of a state, built for one new month."""

    table: str
    rows: int
    core_hours: float


def costs(planned: Sequence[StateTable], cpu: dict[str, Measured]) -> list[Cost]:
    """Core-hours of classic Spark for a new month of each measured table, the dearest first."""
    sizes = {t.name: t for t in planned}
    months = [f"m{n:03}" for n in range(MONTHS)]

    def lake_rows(schema: str, name: str) -> dict[str, int]:
        table = sizes.get(f"{schema}.{name}")
        if table is None:
            return {}
        return dict.fromkeys(months[: table.months], table.rows) if table.months else {"": table.rows}

    found = []
    for table in tables():
        if (m := cpu.get(table.full_name)) and m.rows:
            rows = sum(_of_window(lake_rows(i.schema, i.name), i.window.months) for i in table.inputs)
            rows += _of_window(lake_rows(table.schema, table.name), 1)
            hours = m.cpu_seconds / m.rows * rows * SPARK_OVER_SAIL / 3600
            found.append(Cost(table.full_name, rows, hours))
    return sorted(found, key=lambda cost: -cost.core_hours)


def _of_window(rows: dict[str, int], months: int | None) -> int:
    if "" in rows or months is None:
        return sum(rows.values())
    return sum(list(rows.values())[-months:])


def cluster(core_hours: float, workers: int) -> dict[str, float]:
    """Hours and US dollars of a month on so many workers and a driver of the same kind."""
    one = PRICES["instance"]
    hours = core_hours / (workers * one["cores"] * BUSY)
    an_hour = (workers + 1) * (one["usd_an_hour"] + one["dbu_an_hour"] * PRICES["dbu_usd"]["value"])
    return {"workers": workers, "cores": workers * one["cores"], "hours": hours, "usd": hours * an_hour}


def report() -> Iterator[str]:
    """The tables of docs/scale.md, as Markdown."""
    planned = state(measured())
    yield "| table | rows a month | GB as measured | GB of real rows | files of these |\n|---|---|---|---|---|"
    for t in sorted(planned, key=lambda t: -t.bytes)[:14]:
        real = StateTable(t.name, t.rows, t.bytes_per_row * REAL_BYTES, t.months)
        whole = "" if t.months else " (whole)"
        sizes = f"{t.bytes / 1e9:.1f} | {real.bytes / 1e9:.1f} | {real.files}"
        yield f"| {t.name}{whole} | {t.rows / 1e6:,.1f} M | {sizes} |"
    found = costs(planned, {n: Measured(**m) for n, m in json.loads(CPU.read_text())["tables"].items()})
    total = sum(cost.core_hours for cost in found)
    yield "\n| table | rows read and written for a new month | core-hours |\n|---|---|---|"
    yield from (f"| {c.table} | {c.rows / 1e6:,.0f} M | {c.core_hours:.1f} |" for c in found[:16])
    yield f"| all {len(found)} measured | | {total:.1f} |"
    yield "\n| workers | cores | hours | USD |\n|---|---|---|---|"
    for workers in (4, 8, 16, 32):
        c = cluster(total, workers)
        yield f"| {c['workers']} | {c['cores']} | {c['hours']:.1f} | {c['usd']:.0f} |"


def main(given: Sequence[str]) -> None:
    """Measure, or print the report."""
    if not given:
        os.write(1, ("\n".join(report()) + "\n").encode())
        return
    lake = Lake(root=given[1])
    kept = json.loads(CPU.read_text())["tables"] if CPU.exists() else {}
    with tempfile.TemporaryDirectory() as scratch:
        for name, found in measure(lake, Path(scratch), given[2:]):
            kept[name] = asdict(found)
            CPU.write_text(json.dumps({"measured_on": "the demo, 5,000 members x 48 months", "tables": kept}, indent=1))


if __name__ == "__main__":
    main(sys.argv[1:])
