"""The table of tables: what each one holds, its quality, what was set aside and why, and the newest outreach list."""

from collections import Counter

from rich.console import Console
from rich.table import Table as Grid

from claims_assets.automation.breaker import Standstill
from claims_assets.automation.closed_months import late
from claims_assets.automation.stale_runs import held_months
from claims_assets.cli.console import console_for
from claims_assets.definitions import tables
from claims_assets.monitoring.contract_results import WHOLE
from claims_assets.monitoring.model_decisions import NOTHING_TO_JUDGE, stored
from claims_assets.monitoring.quality import PERFECT, band
from claims_assets.partitions import MONTH, spoken
from claims_assets.runtime.delta import read_arrow
from claims_assets.runtime.lake import Lake
from claims_assets.runtime.resources import lake_for
from claims_assets.settings import Settings
from claims_assets.sources.feeds import FEEDS, LANDING

REASONS_SHOWN = 3


def print_summary(settings: Settings, console: Console | None = None) -> None:
    """Print rows per table, rows quarantined by reason, members scored, what the gate decided, and the list by tier."""
    console = console or console_for()
    lake = lake_for(settings)
    if not settings.lake.exists():
        console.print(
            f"Nothing is built under {settings.home} yet: run `claims demo` or `claims run`.", highlight=False
        )
        return
    console.print(_tables(lake))
    for line in _newest_month(lake):
        console.print(line, highlight=False)
    for line in (*_closed(lake), *_standing_still(lake)):
        console.print(line, highlight=False)


def _closed(lake: Lake) -> list[str]:
    """What has arrived for closed months and is left out of them."""
    found = late(lake, tables())
    if not found:
        return []
    months = sum(len(m) for m in found.values())
    return [
        f"Closed months (before {lake.closed_before}) with late data, left as they are: {months}",
        *(f"  {name:<40} {spoken(stale)}" for name, stale in found.items()),
        '  Rebuild them with `claims run --reopen "<reason>"`.',
    ]


def _standing_still(lake: Lake) -> list[str]:
    """What is not built because a month that it reads is too bad to be believed."""
    standstill = Standstill(lake, tables(), held_months(lake))
    still = standstill.still()
    if not still:
        return []
    return [
        "Standing still, because of months that are too bad to be believed:",
        *(f"  {b.name} of {b.month} {b.why}" for b in standstill.causes(still)),
        *(f"    {name:<38} {spoken(months) if months != [WHOLE] else WHOLE}" for name, months in still.items()),
        '  Go on with `claims run --accept-quality "<reason>"`, or correct what was landed.',
    ]


def _tables(lake: Lake) -> Grid:
    grid = Grid(title="Tables", header_style="bold")
    for name, right in (
        ("table", False),
        ("months", True),
        ("rows in", True),
        ("kept", True),
        ("quarantined", True),
        ("quality", True),
        ("reasons", False),
    ):
        grid.add_column(name, justify="right" if right else "left", no_wrap=name != "reasons")
    scores = lowest_scores(lake)
    names = [(LANDING, feed) for feed in FEEDS] + [(t.schema, t.name) for t in tables()]
    for schema, name in names:
        kept = lake.rows_by_month(schema, name)
        if not lake.exists(schema, name):
            grid.add_row(f"{schema}.{name}", "", "", "never built", "", "", "")
            continue
        aside = quarantined_by_reason(lake, schema, name)
        months = len([m for m in kept if m]) or "all"
        total, lost = sum(kept.values()), aside.pop("")
        shown = ", ".join(f"{rule} {n:,}" for rule, n in list(aside.items())[:REASONS_SHOWN])
        if schema == LANDING and not total and not lost:
            shown = "no files: an optional feed may be absent"
        numbers = [str(months), f"{total + lost:,}", f"{total:,}", f"{lost:,}", scores.get(f"{schema}.{name}", "")]
        grid.add_row(f"{schema}.{name}", *numbers, shown)
    return grid


def lowest_scores(lake: Lake) -> dict[str, str]:
    """Table -> the quality score of its lowest month and the band of it; tables without a scored month are left out."""
    if not lake.exists("monitoring", "data_quality_scores"):
        return {}
    found = read_arrow(lake.path("monitoring", "data_quality_scores"), ["table_name", "score"]).to_pylist()
    lowest: dict[str, float] = {}
    for row in found:
        if row["score"] is not None:
            lowest[row["table_name"]] = min(row["score"], lowest.get(row["table_name"], PERFECT))
    return {name: f"{score:.2f} {band(score)}" for name, score in lowest.items()}


def quarantined_by_reason(lake: Lake, schema: str, name: str) -> dict[str, int]:
    """Rows set aside of a table: reason -> rows, most first; under '' all of them (a row may have several reasons)."""
    if not lake.exists("quarantine", f"{schema}_{name}"):
        return {"": 0}
    table = read_arrow(lake.path("quarantine", f"{schema}_{name}"), ["_reasons"])
    counted = Counter(reason for reasons in table.column(0).to_pylist() for reason in reasons)
    return {"": table.num_rows} | dict(sorted(counted.items(), key=lambda pair: (-pair[1], pair[0])))


def _newest_month(lake: Lake) -> list[str]:
    """One line on the newest month scored, one per tier of its list; counts only."""
    lines = []
    scored = lake.rows_by_month("gold", "member_risk_predictions")
    if scored:
        month = max(scored)
        by_status = _count(lake, "member_risk_predictions", month, "model_status")
        share = ", ".join(f"{n:,} by {status}" for status, n in by_status.items())
        lines.append(f"Members scored as of {month}: {scored[month]:,} ({share})")
    lines += _decided(lake)
    listed = lake.rows_by_month("gold", "immunization_master_outreach_list")
    if listed:
        month = max(listed)
        lines.append(f"Outreach list as of {month}: {listed[month]:,} members")
        lines += [
            f"  {tier:<24} {n:>7,}"
            for tier, n in _count(lake, "immunization_master_outreach_list", month, "outreach_tier").items()
        ]
    return lines


def _decided(lake: Lake) -> list[str]:
    """One line per model: what the gate, or a rollback, decided last."""
    last = {d.model_name: d for d in stored(lake) if d.decision != NOTHING_TO_JUDGE}
    shown = {
        name: f"{d.decision.replace('_', ' ')} as of {d.claim_month}"
        + (f", champion is version {d.champion_after}" if d.champion_after else ", no champion")
        for name, d in sorted(last.items())
    }
    return [f"  {name:<24} {text}" for name, text in shown.items()]


def _count(lake: Lake, name: str, month: str, column: str) -> dict[str, int]:
    values = read_arrow(lake.path("gold", name), [column], (MONTH, month)).column(0)
    return dict(sorted(Counter(values.to_pylist()).items()))
