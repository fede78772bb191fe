"""A small picture of one as-of month of `gold.pmpm`: cost per member per month, paid so far and completed.

Elsewhere: the numbers (`pmpm.py`). Whole-plan totals only, so no cell is about few members.
"""

import base64
import io
from collections.abc import Iterable, Mapping
from typing import Any


def totals(rows: Iterable[Mapping[str, Any]]) -> list[tuple[str, float, float | None]]:
    """Month of service, paid and completed paid per member month, all categories together, oldest first.

    Completed is None where a category has no factor. Months without members are left out.
    """
    sums: dict[str, list[Any]] = {}
    for row in rows:
        of_month = sums.setdefault(row["incurred_month"], [0.0, 0.0, 0.0])
        of_month[0] = row["member_months"]
        of_month[1] += float(row["paid"])
        completed = row["completed_paid"]
        of_month[2] = None if completed is None or of_month[2] is None else of_month[2] + float(completed)
    return [
        (month, paid / members, None if completed is None else completed / members)
        for month, (members, paid, completed) in sorted(sums.items())
        if members > 0
    ]


def picture(month: str, rows: Iterable[Mapping[str, Any]]) -> str:
    """The picture as Markdown with the PNG inside (about 15 KB); a sentence where there is nothing to draw.

    Args:
        month: as-of month.
        rows: the rows of `gold.pmpm` with that claim month.
    """
    points = totals(rows)
    if not points:
        return "No picture: no month of service has members."
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 3.2), dpi=80, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    months = [p[0] for p in points]
    completed = [float("nan") if p[2] is None else p[2] for p in points]
    axes.plot(months, completed, marker="o", markersize=3, color="tab:orange", label="completed")
    axes.plot(months, [p[1] for p in points], marker="o", markersize=3, color="tab:blue", label="paid so far")
    axes.set(title=f"Cost per member per month, as of {month}", ylabel="USD", ylim=(0, None))
    axes.set_xticks(months[:: max(1, len(months) // 6)])
    axes.legend(loc="lower left")
    buffer = io.BytesIO()
    canvas.print_png(buffer)
    return f"![cost per member per month](data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()})"
