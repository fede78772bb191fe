"""What monitoring knows of a month, on a terminal or for a program: the command `claims monitor report`.

Here: reading and printing. Elsewhere: drift (`monitoring/drift.py`), fairness (`monitoring/fairness_results.py`). Where
a table or a month is missing the report says so and its verdict is unknown, never fine.
"""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table as Grid

from claims_assets.cli.console import console_for
from claims_assets.models.plot import LEAST_MEMBERS
from claims_assets.monitoring.drift_rules import BY_THE_CALENDAR, CRITICAL, OK, UNKNOWN, WARNING
from claims_assets.monitoring.fairness_of_decision import FAIR, UNFAIR
from claims_assets.monitoring.group_rates import distance_of
from claims_assets.partitions import MONTH
from claims_assets.runtime.delta import read_arrow
from claims_assets.runtime.resources import lake_for
from claims_assets.settings import Settings

if TYPE_CHECKING:
    from claims_assets.runtime.lake import Lake

DRIFT, PSI, FAIRNESS = ("monitoring", "drift"), ("monitoring", "psi_results"), ("monitoring", "fairness_results")
FRAUD = ("gold", "claim_fraud_scores")
MANY = 1_000
"""From here on a number is shown without decimals."""
MOVED = 5
"""Columns that are shown: those that moved most."""
ORDER = (OK, UNKNOWN, WARNING, CRITICAL)
"""Verdicts, the worst last."""
STYLES = {OK: "green", FAIR: "green", WARNING: "yellow", CRITICAL: "red", UNFAIR: "red"}

Row = dict[str, Any]


def report(settings: Settings, month: str | None, *, as_json: bool) -> None:
    """Print drift, fairness and fraud of a month.

    Args:
        month: None: the newest one that monitoring knows.
    """
    found = known_of(lake_for(settings), month)
    if as_json:
        click.echo(json.dumps(found, indent=1))
    else:
        _print(found)


def known_of(lake: "Lake", month: str | None) -> dict[str, Any]:
    """All that is known of a month, with a verdict on each part and the worst of them."""
    month = month or max((m for m in lake.rows_by_month(*DRIFT) if m), default=None) if lake.exists(*DRIFT) else month
    parts = {
        "drift": _drift(lake, month),
        "fairness": _fairness(lake, month),
        "fraud": _fraud(lake, month),
    }
    # Fraud scores are no verdict on the month: they point at claims.
    worst = max((parts[n]["verdict"] for n in ("drift", "fairness")), key=ORDER.index)
    return {MONTH: month, "verdict": worst, **parts}


def _rows(lake: "Lake", table: tuple[str, str], columns: Sequence[str], month: str | None) -> list[Row]:
    """Rows of a month; none where the table or the month was never built."""
    if month is None or not lake.exists(*table):
        return []
    return read_arrow(lake.path(*table), list(columns), (MONTH, month)).to_pylist()


def _absent(table: tuple[str, str], month: str | None) -> dict[str, Any]:
    name = ".".join(table)
    what = f"{name} has no rows of {month}" if month else f"{name} was never built"
    return {"verdict": UNKNOWN, "absent": f"{what}: build it with `claims run`."}


def _drift(lake: "Lake", month: str | None) -> dict[str, Any]:
    columns = ("subject", "condition", "value", "at_least", "at_most", "verdict", "about")
    rows = _rows(lake, DRIFT, columns, month)
    if not rows:
        return _absent(DRIFT, month)
    moved = _rows(lake, PSI, ("subject", "column_name", "reference", "psi", "drift_score", "verdict"), month)
    judged = [r for r in moved if r["psi"] is not None and r["column_name"] not in BY_THE_CALENDAR]
    known = sorted(judged, key=lambda r: (-r["drift_score"], -r["psi"]))
    # What is not known yet, such as a judged year, does not make a month unknown that is known in other ways.
    told = [r["verdict"] for r in rows if r["verdict"] != UNKNOWN]
    rows.sort(key=lambda r: (-ORDER.index(r["verdict"]), r["subject"], r["condition"]))
    return {"verdict": max(told, key=ORDER.index, default=UNKNOWN), "conditions": rows, "moved_most": known[:MOVED]}


def _fairness(lake: "Lake", month: str | None) -> dict[str, Any]:
    columns = ("decision", "attribute", "measure", "group_name", "reference_group", "ratio", "ratio_lower",
               "ratio_upper", "verdict", "decides", "attribute_verdict")  # fmt: skip
    rows = _rows(lake, FAIRNESS, columns, month)
    if not rows:
        return _absent(FAIRNESS, month)
    by_measure: dict[tuple[str, str, str], list[Row]] = {}
    for row in rows:
        by_measure.setdefault((row["decision"], row["measure"], row["attribute"]), []).append(row)
    found = [_of_measure(groups) for _, groups in sorted(by_measure.items())]
    deciding = {f["verdict"] for f in found if f["decides"]}
    verdict = WARNING if UNFAIR in deciding else OK if deciding == {FAIR} else UNKNOWN
    return {"verdict": verdict, "measures": found}


def _of_measure(groups: Sequence[Row]) -> Row:
    """A decision by an attribute: the verdict, and the shown group that is farthest from the reference."""
    shown = [g for g in groups if g["ratio"] is not None]
    farthest = max(shown, key=lambda g: distance_of(g["ratio"]), default=None)
    first = groups[0]
    found = {n: first[n] for n in ("decision", "measure", "attribute", "decides")}
    found["verdict"] = first["attribute_verdict"]
    for name in ("group_name", "reference_group", "ratio", "ratio_lower", "ratio_upper"):
        found[name] = farthest[name] if farthest else None
    return found


def _fraud(lake: "Lake", month: str | None) -> dict[str, Any]:
    rows = _rows(lake, FRAUD, ("fraud_score", "is_flagged"), month)
    if not rows:
        return _absent(FRAUD, month)
    scores = sorted(r["fraud_score"] for r in rows if r["fraud_score"] is not None)
    flagged = sum(bool(r["is_flagged"]) for r in rows)
    few = 0 < flagged < LEAST_MEMBERS
    about = {"claims": len(rows), "flagged": None if few else flagged}
    about["flagged_share"] = None if few else flagged / len(rows)
    quantiles = {"p95_fraud_score": 0.95, "p99_fraud_score": 0.99}
    told = {n: scores[min(len(scores) - 1, int(q * len(scores)))] for n, q in quantiles.items()} if scores else {}
    mean = sum(scores) / len(scores) if scores else None
    return {"verdict": OK if scores else UNKNOWN, **about, "mean_fraud_score": mean, **told}


def _print(found: Mapping[str, Any]) -> None:
    console = console_for()
    parts = ", ".join(f"{name} {found[name]['verdict']}" for name in ("drift", "fairness", "fraud"))
    console.print(
        f"Monitoring of {found[MONTH] or 'no month'}: {found['verdict']} ({parts})", highlight=False, style="bold"
    )
    for name in ("drift", "fairness", "fraud"):
        if absent := found[name].get("absent"):
            console.print(f"{name}: {absent}", highlight=False, markup=False, soft_wrap=True)
    if "conditions" in found["drift"]:
        console.print(_grid("Drift", found["drift"]["conditions"], ("value", "at_least", "at_most", "about")))
        console.print(_grid("Moved most", found["drift"]["moved_most"], ("reference", "psi", "drift_score")))
    if "measures" in found["fairness"]:
        of_note = [m for m in found["fairness"]["measures"] if m["measure"] == "flagged" or m["verdict"] == UNFAIR]
        shown = ("decides", "group_name", "reference_group", "ratio", "ratio_lower", "ratio_upper")
        console.print(_grid("Fairness: the group farthest from the largest", of_note, shown))
    if "claims" in found["fraud"]:
        console.print(_grid("Fraud", [found["fraud"]], [n for n in found["fraud"] if n != "verdict"]))


KEYS = ("subject", "condition", "column_name", "decision", "measure", "attribute")


def _grid(title: str, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> Grid:
    keys = [n for n in KEYS if rows and n in rows[0]]
    grid = Grid(title=title, title_justify="left")
    for name in (*keys, *columns, "verdict"):
        grid.add_column(name.replace("_", " "))
    for row in rows:
        style = STYLES.get(row["verdict"], "")
        grid.add_row(*[_cell(row[n]) for n in (*keys, *columns)], row["verdict"], style=style)
    return grid


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, float):
        return str(value)
    return f"{value:,.0f}" if abs(value) >= MANY else f"{value:.3g}"
