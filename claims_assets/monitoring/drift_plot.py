"""Small pictures of drift: a heat map of the columns that moved most, over the months.

Elsewhere: the numbers (`psi_results.py`). Shares and indexes of the whole plan only, so no cell is about few members.
"""

import base64
import io
from collections.abc import Iterable, Mapping
from typing import Any

from claims_assets.monitoring.drift_rules import BY_THE_CALENDAR
from claims_assets.monitoring.psi import MAJOR, MINOR
from claims_assets.monitoring.reference_profiles import TRAINED

COLUMNS = 15
"""That are drawn: those that moved most."""


def strongest(rows: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """Column -> month -> index, the lower of the year before and the season; those with the highest index first."""
    found: dict[str, dict[str, float]] = {}
    for row in rows:
        if row["reference"] == TRAINED or row["psi"] is None or row["column_name"] in BY_THE_CALENDAR:
            continue
        by_month = found.setdefault(f"{row['subject']} {row['column_name']}", {})
        by_month[row["claim_month"]] = min(row["psi"], by_month.get(row["claim_month"], row["psi"]))
    order = sorted(found, key=lambda name: (-max(found[name].values()), name))
    return {name: found[name] for name in order[:COLUMNS]}


def heat_map(month: str, rows: Iterable[Mapping[str, Any]]) -> str:
    """The picture as Markdown with the PNG inside (about 50 KB); a sentence where there is nothing to draw.

    Args:
        month: the last claim month.
        rows: rows of `monitoring.psi_results` up to it.
    """
    found = strongest(rows)
    if not found:
        return f"No picture: up to {month} there is nothing to compare with."
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    months = sorted({m for by_month in found.values() for m in by_month})
    figure = Figure(figsize=(8.0, 1.2 + 0.26 * len(found)), dpi=80, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    cells = [[by_month.get(m, float("nan")) for m in months] for by_month in found.values()]
    drawn = axes.imshow(cells, aspect="auto", cmap="YlOrRd", vmin=0.0, vmax=MAJOR)
    axes.set_xticks(range(len(months)), months, rotation=60, fontsize=7)
    axes.set_yticks(range(len(found)), list(found), fontsize=7)
    for y, line in enumerate(cells):
        for x, value in enumerate(line):
            if value >= MINOR / 2:
                colour = "white" if value > MINOR else "black"
                axes.text(x, y, f"{value:.2f}", ha="center", va="center", fontsize=6, color=colour)
    axes.set_title("Population stability index, lower of year before and same month", fontsize=9)
    figure.colorbar(drawn, ax=axes, shrink=0.8)
    return png(canvas, "population stability index by column and month")


def png(canvas: Any, about: str) -> str:
    """What is drawn, as Markdown."""
    buffer = io.BytesIO()
    canvas.print_png(buffer)
    return f"![{about}](data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()})"
