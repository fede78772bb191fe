"""A small picture of one month of `gold.fraud_cases`: what claims are flagged for, and which providers have too many.

Elsewhere: the numbers (`fraud_cases.py`). Providers with fewer than eleven claims in the year, and reasons of fewer
than eleven flagged claims, are left out; no provider is named.
"""

import base64
import io
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from claims_assets.models.plot import LEAST_MEMBERS

COUNTED = re.compile(r"^(\w+) \((\d+)\)$")
"""A reason as the table writes it."""
MOST_BARS = 8


def reasons(rows: Iterable[Mapping[str, Any]]) -> list[tuple[str, int]]:
    """Reasons over all providers with their flagged claims, most frequent first; small numbers are left out."""
    total: Counter[str] = Counter()
    for row in rows:
        for said in row["top_reasons"]:
            if found := COUNTED.match(said):
                total[found[1]] += int(found[2])
    shown = [(name, n) for name, n in total.items() if n >= LEAST_MEMBERS]
    return sorted(shown, key=lambda r: (-r[1], r[0]))[:MOST_BARS]


def points(rows: Iterable[Mapping[str, Any]], *, cases: bool) -> list[tuple[float, int]]:
    """Expected and flagged claims of each provider with enough claims, cases or others."""
    return sorted(
        (row["expected"], row["flagged"]) for row in rows if row["is_case"] == cases and row["claims"] >= LEAST_MEMBERS
    )


def picture(month: str, rows: Iterable[Mapping[str, Any]]) -> str:
    """The picture as Markdown with the PNG inside (about 20 KB); a sentence where there is nothing to draw.

    Args:
        month: as-of month.
        rows: the rows of `gold.fraud_cases` with that claim month.
    """
    held = list(rows)
    bars, others, cases = reasons(held), points(held, cases=False), points(held, cases=True)
    if not others and not cases:
        return f"No picture: no provider with a flagged claim has {LEAST_MEMBERS} claims."
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.0, 3.2), dpi=80, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    left.barh([b[0] for b in bars][::-1], [b[1] for b in bars][::-1], color="tab:blue")
    left.set(title="Why claims are flagged", xlabel="flagged claims")
    for label, drawn, color in (("not a case", others, "0.6"), ("case", cases, "tab:red")):
        right.scatter([p[0] for p in drawn], [p[1] for p in drawn], s=12, color=color, label=label)
    top = max(p[0] for p in (*others, *cases))
    right.plot([0, top], [0, top], color="0.7", linewidth=1)
    right.set(title=f"Providers, year to {month}", xlabel="flagged claims expected", ylabel="flagged claims")
    right.legend(loc="upper left")
    buffer = io.BytesIO()
    canvas.print_png(buffer)
    return f"![flagged claims](data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()})"
