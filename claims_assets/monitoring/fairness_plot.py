"""A small picture of one month of `monitoring.fairness_results`: rates by group, with their intervals.

Only rows that may be shown have a rate, so no cell is about few members. Elsewhere: the numbers.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from claims_assets.monitoring.drift_plot import png
from claims_assets.monitoring.group_rates import FAILED

FLAGGED = "flagged"
MOST = 4
"""Decisions that are drawn beside each other."""


def picture(month: str, rows: Iterable[Mapping[str, Any]]) -> str:
    """The picture as Markdown with the PNG inside (about 30 KB); a sentence where there is nothing to draw."""
    drawn = [r for r in rows if r["measure"] == FLAGGED and r["rate"] is not None and r["rate_lower"] is not None]
    if not drawn:
        return f"No picture: no rate of {month} may be shown."
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    decisions = sorted({r["decision"] for r in drawn})[:MOST]
    groups = sorted({(r["attribute"], r["group_name"]) for r in drawn}, reverse=True)
    figure = Figure(figsize=(2.2 + 1.9 * len(decisions), 1.0 + 0.2 * len(groups)), dpi=80, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    for i, decision in enumerate(decisions):
        axes = figure.add_subplot(1, len(decisions), i + 1)
        for row in (r for r in drawn if r["decision"] == decision):
            y = groups.index((row["attribute"], row["group_name"]))
            colour = "tab:red" if row["verdict"] in FAILED and row["decides"] else "tab:blue"
            axes.plot([row["rate_lower"], row["rate_upper"]], [y, y], color=colour, linewidth=1)
            axes.plot([row["rate"]], [y], marker="o", markersize=3, color=colour)
        axes.set_yticks(range(len(groups)), [f"{a}: {g}" for a, g in groups] if i == 0 else [], fontsize=7)
        axes.set_ylim(-0.5, len(groups) - 0.5)
        axes.set_xlim(left=0)
        axes.tick_params(axis="x", labelsize=6)
        axes.set_title(decision.replace("_prediction", "").replace("_", " "), fontsize=8)
    figure.suptitle(f"Share of members by group, {month}; red: unfair", fontsize=9)
    return png(canvas, "rates by group")
