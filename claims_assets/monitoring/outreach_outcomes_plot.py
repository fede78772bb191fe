"""A small picture of one judged list of `monitoring.outreach_outcomes`: uptake of any vaccine, listed and held out.

Elsewhere: the numbers (`outreach_outcomes.py`), which hold no small count.
"""

import base64
import io
from collections.abc import Iterable, Mapping
from typing import Any

COLOURS = {"listed": "tab:blue", "holdout": "tab:orange"}
NAMES = {"listed": "listed", "holdout": "held out"}


def shown(rows: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, tuple[float, float, float]]]:
    """Tier -> group -> uptake of any vaccine with its interval; what is not shown is left out."""
    found: dict[str, dict[str, tuple[float, float, float]]] = {}
    for row in sorted(rows, key=lambda r: (r["outreach_tier"] == "all", r["outreach_tier"], r["outreach_group"])):
        if row["vaccine"] == "any" and row["uptake"] is not None:
            of = (row["uptake"], row["uptake_lower"], row["uptake_upper"])
            found.setdefault(row["outreach_tier"], {})[row["outreach_group"]] = of
    return found


def picture(month: str, rows: Iterable[Mapping[str, Any]]) -> str:
    """The picture as Markdown with the PNG inside (about 10 KB); a sentence where there is nothing to draw.

    Args:
        month: judged month.
        rows: the rows of `monitoring.outreach_outcomes` with that claim month.
    """
    found = shown(rows)
    if not found:
        return "No picture: no list is judged in this month, or every count of it is small."
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 1.2 + 0.4 * len(found)), dpi=80, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for offset, (group, colour) in zip((0.12, -0.12), COLOURS.items(), strict=True):
        points = [(y + offset, of[group]) for y, of in enumerate(found.values()) if group in of]
        shares = [100 * share for _, (share, _, _) in points]
        below = [max(0.0, 100 * (share - low)) for _, (share, low, _) in points]
        above = [max(0.0, 100 * (high - share)) for _, (share, _, high) in points]
        heights = [y for y, _ in points]
        axes.errorbar(shares, heights, xerr=[below, above], fmt="o", capsize=3, color=colour, label=NAMES[group])
    axes.set(title=f"Vaccinated within 90 days, judged {month}", xlabel="percent, with 95 % interval", xlim=(0, None))
    axes.set_yticks(range(len(found)), list(found))
    axes.set_ylim(-0.5, len(found) - 0.5)
    axes.legend(loc="best")
    buffer = io.BytesIO()
    canvas.print_png(buffer)
    image = base64.b64encode(buffer.getvalue()).decode()
    return f"![uptake of listed and held out members](data:image/png;base64,{image})"
