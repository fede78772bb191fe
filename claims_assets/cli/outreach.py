"""The outreach list of a month, explained: totals that add up, contacts by tier, channel and week, rates by group.

Here: the command `claims outreach explain`. Elsewhere: the counts (`outreach/funnel.py`), the sentence of one member
(`reason` of `gold.immunization_targeting`).
"""

import json
import math
from collections import Counter
from collections.abc import Iterator
from typing import Any

import click
from rich.console import Console
from rich.table import Table as Grid

from claims_assets.cli.console import console_for
from claims_assets.cli.errors import NotDone
from claims_assets.monitoring.group_rates import REFERENCE, GroupRate
from claims_assets.outreach.formulas import TIERS
from claims_assets.outreach.funnel import COLUMNS, GROUPED_BY, Funnel, funnel
from claims_assets.outreach.policy import CHANNELS
from claims_assets.outreach.standing import EXCLUSIONS
from claims_assets.partitions import MONTH, spoken
from claims_assets.runtime.delta import read_arrow
from claims_assets.runtime.lake import Lake
from claims_assets.runtime.resources import lake_for
from claims_assets.settings import Settings

TABLE = ("gold", "immunization_targeting")


def explain(settings: Settings, month: str, *, as_json: bool) -> None:
    """Print how the enrolled members of a month became its list.

    Raises:
        NotDone: the month is not built, or its totals do not add up.
    """
    told = told_of(lake_for(settings), month)
    if as_json:
        click.echo(json.dumps(as_dict(month, told), indent=1))
    else:
        _print(console_for(), month, told)
    if not told.reconciles:
        raise NotDone(f"The totals of {month} do not add up: run `claims run --from {month} --to {month}`.")


def told_of(lake: Lake, month: str) -> Funnel:
    """The counts of a month.

    Raises:
        NotDone: it is not built.
    """
    months = sorted(lake.rows_by_month(*TABLE))
    if month not in months:
        held = f"the months {spoken(months)}" if months else "no month"
        raise NotDone(f"{'.'.join(TABLE)} holds {held}, not {month}: run `claims run --from {month} --to {month}`.")
    rows = read_arrow(lake.path(*TABLE), list(COLUMNS), (MONTH, month))
    return funnel(row for batch in rows.to_batches() for row in batch.to_pylist())


def as_dict(month: str, told: Funnel) -> dict[str, Any]:
    """For a program."""
    return {
        "month": month,
        "eligible": told.members,
        "listed": told.listed,
        "excluded": {r: told.reasons[r] for r in EXCLUSIONS},
        "reconciles": told.reconciles,
        "tiers": {tier: told.tiers[tier] for _, tier, _ in TIERS},
        "tiers_by_channel": {t: {c: told.channels[t, c] for c in CHANNELS} for _, t, _ in TIERS},
        "contacts": {c: {str(w): n for w, n in sorted(_weeks(told, c).items())} for c in CHANNELS},
        "listing_rates": {attribute: [_rate(r) for r in _shown(told, attribute)] for attribute in GROUPED_BY},
        "groups_hidden": {attribute: len(told.hidden(attribute)) for attribute in GROUPED_BY},
    }


def _print(console: Console, month: str, told: Funnel) -> None:
    totals = Grid(title=f"Outreach list of {month}", header_style="bold")
    totals.add_column("members")
    totals.add_column("", justify="right")
    totals.add_row("enrolled", f"{told.members:,}", style="bold")
    for reason in EXCLUSIONS:
        if told.reasons[reason]:
            totals.add_row(f"- {reason}", f"{told.reasons[reason]:,}")
    totals.add_row("= listed", f"{told.listed:,}", style="bold")
    console.print(totals)
    console.print(_tiers(told))
    console.print(_contacts(told))
    console.print(_rates(told))
    small = sum(len(told.hidden(a)) for a in GROUPED_BY)
    if small:
        console.print(f"{small} groups are not shown: a count of 1 to 10 could be told from them.", highlight=False)


def _tiers(told: Funnel) -> Grid:
    grid = Grid(title="Members listed, by tier and channel", header_style="bold")
    grid.add_column("tier")
    for name in ("members", *CHANNELS):
        grid.add_column(name, justify="right")
    for _, tier, _ in TIERS:
        grid.add_row(tier, f"{told.tiers[tier]:,}", *[f"{told.channels[tier, c]:,}" for c in CHANNELS])
    return grid


def _contacts(told: Funnel) -> Grid:
    grid = Grid(title="Contacts by week (one may serve several members)", header_style="bold")
    grid.add_column("week")
    for name in CHANNELS:
        grid.add_column(name, justify="right")
    by_channel = {c: _weeks(told, c) for c in CHANNELS}
    for week in sorted({w for weeks in by_channel.values() for w in weeks}):
        grid.add_row(str(week), *[f"{by_channel[c][week]:,}" for c in CHANNELS])
    grid.add_row("all", *[f"{sum(by_channel[c].values()):,}" for c in CHANNELS], style="bold")
    return grid


def _weeks(told: Funnel, channel: str) -> Counter[int]:
    return Counter({week: len(who) for (c, week), who in told.contacts.items() if c == channel})


def _rates(told: Funnel) -> Grid:
    grid = Grid(title="Listed of the enrolled, by group", header_style="bold")
    for name, right in (("group", 0), ("members", 1), ("listed", 1), ("95 %", 1), ("ratio", 1), ("95 %", 1), ("", 0)):
        grid.add_column(name, justify="right" if right else "left")
    for attribute in GROUPED_BY:
        for r in _shown(told, attribute):
            grid.add_row(
                f"{attribute}: {r.group}",
                f"{r.members:,}",
                _percent(r.rate),
                f"{_percent(r.lower)} - {_percent(r.upper)}",
                *(("", "") if r.verdict == REFERENCE else (_number(r.ratio), _interval(r))),
                r.verdict,
            )
    return grid


def _shown(told: Funnel, attribute: str) -> Iterator[GroupRate]:
    small = told.hidden(attribute)
    return (r for r in told.rates(attribute) if r.group not in small)


def _rate(r: GroupRate) -> dict[str, Any]:
    numbers = {n: getattr(r, n) for n in ("rate", "lower", "upper", "ratio", "ratio_lower", "ratio_upper")}
    shown = {n: v if v is not None and math.isfinite(v) else None for n, v in numbers.items()}
    return {"group": r.group, "members": r.members, "listed": r.hits, **shown, "verdict": r.verdict}


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.1%}"


def _number(ratio: float) -> str:
    return f"{ratio:.2f}" if math.isfinite(ratio) else ""


def _interval(r: GroupRate) -> str:
    return f"{_number(r.ratio_lower)} - {_number(r.ratio_upper)}"
