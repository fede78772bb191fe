"""From enrolled members to contacts: how many of a month end where, and how often each group is listed.

Here: the counts and the picture of `gold.immunization_targeting`. Elsewhere: the table, the statistics of groups
(`monitoring/group_rates.py`), the same for a terminal or a program (`cli/outreach.py`).
"""

import base64
import io
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from claims_assets.models.governance.thresholds import FAIRNESS
from claims_assets.monitoring.group_rates import GroupRate, group_rates, hidden
from claims_assets.outreach.formulas import TIERS
from claims_assets.outreach.standing import EXCLUSIONS

GROUPED_BY = ("race", "ethnicity", "gender", "age_group")
COLUMNS = (
    "disposition", "exclusion_reason", "outreach_tier", "contact_channel", "contact_week", "letter_week",
    "contact_member_id", "household_id", *GROUPED_BY,
)  # fmt: skip
"""What is read of the table."""
NOT_TOLD = "not told"


@dataclass
class Funnel:
    """Counts of one month."""

    members: int = 0
    listed: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    tiers: Counter[str] = field(default_factory=Counter)
    contacts: dict[tuple[str, int], set[tuple[str | None, str]]] = field(default_factory=lambda: defaultdict(set))
    """(channel, week) -> who is contacted; letters beside a call count as mail."""
    channels: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(tier, channel) -> members."""
    groups: dict[str, dict[str, list[int]]] = field(default_factory=lambda: {a: {} for a in GROUPED_BY})
    """Attribute -> group -> [listed, enrolled]."""

    def add(self, row: Mapping[str, Any]) -> None:
        listed = row["exclusion_reason"] is None
        self.members += 1
        self.listed += listed
        for attribute in GROUPED_BY:
            counts = self.groups[attribute].setdefault(row[attribute] or NOT_TOLD, [0, 0])
            counts[0] += listed
            counts[1] += 1
        if not listed:
            self.reasons[row["exclusion_reason"]] += 1
            return
        self.tiers[row["outreach_tier"]] += 1
        self.channels[row["outreach_tier"], row["contact_channel"]] += 1
        who = row["household_id"], row["contact_member_id"]
        self.contacts[row["contact_channel"], row["contact_week"]].add(who)
        if row["letter_week"] is not None:
            self.contacts["mail", row["letter_week"]].add(who)

    @property
    def reconciles(self) -> bool:
        """Every member is listed or has one of the known reasons."""
        return self.members == self.listed + sum(self.reasons[r] for r in EXCLUSIONS)

    def rates(self, attribute: str) -> list[GroupRate]:
        """Listed of the enrolled members by group."""
        return group_rates({group: (hits, n) for group, (hits, n) in self.groups[attribute].items()})

    def hidden(self, attribute: str) -> set[str]:
        """Groups too small to be shown."""
        return hidden({group: (hits, n) for group, (hits, n) in self.groups[attribute].items()})


def funnel(rows: Iterable[Mapping[str, Any]]) -> Funnel:
    """The counts of rows with COLUMNS."""
    found = Funnel()
    for row in rows:
        found.add(row)
    return found


def picture(month: str, rows: Iterable[Mapping[str, Any]]) -> str:
    """Markdown with a PNG (about 30 KB): the way to the list, and the listing rate of each group with its interval.

    Neither counts of 1 to 10 nor what would tell them are shown, nor groups too small to judge.

    Args:
        month: as-of month.
        rows: rows of `gold.immunization_targeting` with that claim month.
    """
    told = funnel(rows)
    if not told.members:
        return "No picture: the month has no members."
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.4, 6.4), dpi=80, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    way, rates = figure.subplots(2, 1, height_ratios=[3, 2])
    _draw_way(way, month, told)
    _draw_rates(rates, told)
    buffer = io.BytesIO()
    canvas.print_png(buffer)
    return f"![from members to contacts](data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()})"


def bars(told: Funnel) -> list[tuple[str, int]]:
    """Label and members, from all members through each reason to the tiers of the list."""
    return [
        ("members", told.members),
        *[(reason, told.reasons[reason]) for reason in EXCLUSIONS if told.reasons[reason]],
        ("listed", told.listed),
        *[(tier, told.tiers[tier]) for _, tier, _ in TIERS if told.tiers[tier]],
    ]


def unshown(counts: Mapping[str, int]) -> set[str]:
    """Names whose counts of 1 to 10 are not shown, and of the others as many as hide them from who knows the total."""
    small = {name for name, n in counts.items() if 0 < n < FAIRNESS.smallest_shown}
    others = sorted((n for n in counts if counts[n] and n not in small), key=lambda name: (counts[name], name))
    while small and others and (len(small) < 2 or sum(counts[n] for n in small) < FAIRNESS.smallest_shown):
        small.add(others.pop(0))
    return small


def _draw_way(axes: Any, month: str, told: Funnel) -> None:
    shown = bars(told)
    not_shown = unshown(told.reasons) | unshown(told.tiers)
    color = {"members": "tab:gray", "listed": "tab:blue"}
    colors = [color.get(n, "tab:cyan" if n.startswith("Tier") else "tab:orange") for n, _ in shown]
    labels = ["not shown" if name in not_shown else f"{n:,}" for name, n in shown]
    lengths = [0 if name in not_shown else n for name, n in shown]
    drawn = axes.barh([n for n, _ in shown], lengths, color=colors)
    axes.bar_label(drawn, labels, padding=3, fontsize=8)
    axes.invert_yaxis()
    axes.tick_params(labelsize=8)
    axes.set(title=f"From members to the list, {month}", xlabel="members")
    axes.margins(x=0.1)


def _draw_rates(axes: Any, told: Funnel) -> None:
    points = [
        (f"{attribute}: {r.group}", r)
        for attribute in GROUPED_BY
        for r in told.rates(attribute)
        if r.group not in told.hidden(attribute) and r.members >= FAIRNESS.smallest_group
    ]
    for n, (_, r) in enumerate(points):
        if r.rate is not None and r.lower is not None and r.upper is not None:
            axes.plot([r.lower, r.upper], [n, n], color="tab:gray")
            axes.plot([r.rate], [n], marker="o", markersize=4, color="tab:red" if r.verdict == "unfair" else "tab:blue")
    axes.set_yticks(range(len(points)), [label for label, _ in points])
    axes.invert_yaxis()
    axes.tick_params(labelsize=7)
    axes.set(title="Listed of the enrolled, by group, with the 95 % interval", xlim=(0, 1))
