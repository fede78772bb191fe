"""What was measured as a table of ratios, as JSON, and as a picture."""

import importlib.metadata
import json
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.measured import Spent
from bench.population import Population
from bench.wanted import TABLES
from bench.ways import BY_HAND, GRAPH, Found

PACKAGES = ("pysail", "pyspark", "delta-spark", "deltalake", "duckdb", "polars", "pyarrow", "dagster")
RIVAL = "duckdb"
MEASURES = {"cpu": "CPU s", "wall": "wall s", "peak": "peak GB"}


def report(data: Population, found: Mapping[str, Found], bare: Mapping[str, Spent] | None) -> dict[str, Any]:
    """Everything of one size, as it is kept."""
    told = {
        "claim_lines": data.lines,
        "members": data.size.members,
        "months": data.size.months,
        "landing_to_bronze": asdict(data.bronze),
        "ways": {way: _of_way(f) for way, f in found.items()},
    }
    if bare:
        told["bare"] = {name: asdict(spent) for name, spent in bare.items()}
    return told


def _of_way(found: Found) -> dict[str, Any]:
    told = {"whole": asdict(found.whole), "written": sum(found.written.values())}
    if found.one_month:
        told["one_month"] = asdict(found.one_month)
    told["tables"] = {n: asdict(spent) | {"written": found.written[n]} for n, spent in found.tables.items()}
    return told


def as_text(told: Mapping[str, Any]) -> str:
    """Ratios first, then what they are made of."""
    ways = told["ways"]
    lines = [f"\n{told['claim_lines']:,} claim lines, {len(TABLES)} tables"]
    base = RIVAL if RIVAL in ways else next(iter(ways))
    lines.append(
        f"\n{'to ' + base:<10}" + "".join(f"{name.split()[0]:>8}" for name in MEASURES.values()) + "   and in numbers"
    )
    for way, of in ways.items():
        ratios = "".join(f"{_ratio(of, ways[base], m):>7.2f}x" for m in MEASURES)
        lines.append(f"{way:<10}{ratios}   {_numbers(of['whole'])}, {of['written'] / 1e6:,.0f} MB written")
    lines.append(f"landing to bronze, once: {_numbers(told['landing_to_bronze'])}")
    for way, of in ways.items():
        if "one_month" in of:
            lines.append(f"one month again, {way}, from the start of Python: {_numbers(of['one_month'])}")
    if all("one_month" in ways.get(way, {}) for way in GRAPH):
        ratios = ", ".join(
            f"{ways['sail']['one_month'][m] / ways['spark']['one_month'][m]:.2f}x {name}"
            for m, name in MEASURES.items()
        )
        lines.append(f"one month again, sail to spark: {ratios}")
    if "bare" in told:
        full, bare = (_cpu(of) for of in (ways["sail"]["tables"], told["bare"]))
        more = f"{full / bare - 1:+.0%}" if bare else "unknown"
        lines.append(f"contracts, quarantine, checks, Dagster over bare transform and commit: {more} CPU")
    return "\n".join([*lines, "", *_by_table(told)])


def _by_table(told: Mapping[str, Any]) -> list[str]:
    """CPU seconds of each table, the furthest from the rival first."""
    ways = {way: of["tables"] for way, of in told["ways"].items()} | ({"bare": told["bare"]} if "bare" in told else {})
    both = {"sail", RIVAL} <= ways.keys()
    lines = [f"{'CPU s':<32}" + "".join(f"{way:>9}" for way in ways) + (f"   sail to {RIVAL}" if both else "")]
    rows = []
    for name in TABLES:
        spent = {way: of[name]["cpu"] for way, of in ways.items()}
        ratio = spent["sail"] / max(spent[RIVAL], 0.01) if both else 0.0
        numbers = "".join(f"{seconds:>9.1f}" for seconds in spent.values())
        rows.append((ratio, f"{name.replace('_', '.', 1):<32}{numbers}" + (f"   {ratio:.2f}x" if both else "")))
    return lines + [line for _, line in sorted(rows, reverse=True)]


def _cpu(tables: Mapping[str, Any]) -> float:
    return sum(of["cpu"] for of in tables.values())


def _ratio(of: Mapping[str, Any], base: Mapping[str, Any], measure: str) -> float:
    return of["whole"][measure] / max(base["whole"][measure], 1e-9)


def _numbers(spent: Mapping[str, float]) -> str:
    return f"{spent['cpu']:.1f} CPU s, {spent['wall']:.1f} s, {spent['peak'] / 1e9:.2f} GB"


def machine() -> dict[str, Any]:
    """What the numbers depend on; no name of a host, no path."""
    info = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    models = [line.partition(":")[2].strip() for line in info.splitlines() if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cpu": models[0] if models else platform.machine(),
        "cores": os.cpu_count(),
        "memory_gb": round(memory / 2**30),
        "system": platform.system(),
        "python": platform.python_version(),
        "packages": {name: importlib.metadata.version(name) for name in PACKAGES},
    }


def kept(folder: Path, size: str, told: Mapping[str, Any]) -> Path:
    """Put the numbers of one size beside those of the others of this machine."""
    here = machine()
    words = f"{here['cpu']} {here['cores']} cores {here['memory_gb']} gb"
    path = folder / ("-".join("".join(c if c.isalnum() else " " for c in words.lower()).split()) + ".json")
    held = json.loads(path.read_text()) if path.exists() else {"sizes": {}}
    sizes = held["sizes"] | {size: dict(told)}
    folder.mkdir(parents=True, exist_ok=True)
    ordered = {n: sizes[n] for n in sorted(sizes, key=float)}
    path.write_text(json.dumps({"machine": here, "sizes": ordered}, indent=1) + "\n")
    return path


def latest(folder: Path) -> dict[str, Any]:
    """The numbers that were kept last."""
    return json.loads(max(folder.glob("*.json"), key=lambda p: p.stat().st_mtime).read_text())


def plot(told: Mapping[str, Any], path: Path) -> None:
    """CPU of every way over that of DuckDB, by size; below it one month again on either engine."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    sizes = {f"{float(n):g} M": of for n, of in told["sizes"].items() if RIVAL in of["ways"]}
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(10, 4), layout="constrained")
    ran = [w for w in (*GRAPH, *BY_HAND) if any(w in of["ways"] for of in sizes.values())]
    _bars(left, {w: [_of(of, w) for of in sizes.values()] for w in ran}, list(sizes))
    left.axhline(1, color="black", linewidth=0.8)
    left.set_title("CPU seconds, all tables, over DuckDB by hand")
    left.set_xlabel("claim lines")
    again = {w: [of["ways"].get(w, {}).get("one_month", {}).get("wall", 0) for of in sizes.values()] for w in ran}
    again = {w: seconds for w, seconds in again.items() if any(seconds)}
    _bars(right, again, list(sizes), unit="s")
    right.set_title("one month again: seconds from the start of Python")
    right.set_xlabel("claim lines in the lake")
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
    pyplot.close(figure)


def _of(told: Mapping[str, Any], way: str) -> float:
    return _ratio(told["ways"][way], told["ways"][RIVAL], "cpu") if way in told["ways"] else 0.0


def _bars(axes: Any, heights: Mapping[str, list[float]], labels: list[str], unit: str = "") -> None:
    if not heights:
        return
    width = 0.8 / len(heights)
    for n, (way, values) in enumerate(heights.items()):
        bars = axes.bar([x + n * width for x in range(len(labels))], values, width, label=way)
        axes.bar_label(bars, [f"{v:.1f}{unit}" if v else "" for v in values], fontsize=8)
    axes.set_xticks([x + 0.4 - width / 2 for x in range(len(labels))], labels)
    axes.legend(frameon=False)
