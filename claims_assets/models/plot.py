"""A small picture of a model on its test rows: what was predicted against what happened, by tenths of the prediction.

Bins of fewer than eleven members are left out, and so are bins in which one to ten had the event.
"""

import base64
import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

BINS = 10
LEAST_MEMBERS = 11
"""Smallest cell that CMS lets be shown (cell size suppression policy, resdac.org)."""


def binned(y: "np.ndarray", predicted: "np.ndarray", *, events: bool) -> tuple[list[float], list[float]]:
    """Mean prediction and mean outcome by tenths of the prediction, without small cells.

    Args:
        events: the outcome is 0/1, so that a mean tells a number of members.
    """
    import numpy as np

    order = np.argsort(predicted, kind="stable")
    means = []
    for part in np.array_split(order, BINS):
        few_events = events and 0 < y[part].sum() < LEAST_MEMBERS
        if len(part) >= LEAST_MEMBERS and not few_events:
            means.append((float(predicted[part].mean()), float(y[part].mean())))
    return [m[0] for m in means], [m[1] for m in means]


def picture(title: str, unit: str, y: "np.ndarray", predicted: "np.ndarray", *, events: bool) -> str:
    """The picture as Markdown with the PNG inside (about 10 KB); a sentence where every bin is too small."""
    x, observed = binned(y, predicted, events=events)
    if not x:
        return f"No picture: every tenth of the test members is a cell of fewer than {LEAST_MEMBERS}."
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.2, 3.2), dpi=80, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    top = max(*x, *observed)
    axes.plot([0, top], [0, top], color="0.7", linewidth=1)
    axes.plot(x, observed, marker="o", color="tab:blue")
    axes.set(title=title, xlabel=f"predicted {unit}", ylabel=f"observed {unit}")
    buffer = io.BytesIO()
    canvas.print_png(buffer)
    return f"![{title}](data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()})"
