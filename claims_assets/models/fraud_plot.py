"""Small pictures of fraud scores: the held-out scores of a detector, and what flagged the claims of a month.

Numbers of claims only; a bar of one to ten claims is left out.
"""

import base64
import io
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from claims_assets.models.fraud_artifact import FraudArtifact
from claims_assets.models.plot import LEAST_MEMBERS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BARS = 8


def score_picture(title: str, artifact: FraudArtifact) -> str:
    """The distribution of held-out scores with the line from which on claims are flagged, as Markdown with a PNG."""
    figure, axes = _drawing()
    axes.hist(artifact.facts["scores"], bins=40, color="tab:blue")
    axes.axvline(artifact.facts["threshold"], color="tab:red", linewidth=1, label="flagged from here on")
    axes.set(title=title, xlabel="score of held-out claims", ylabel="claims", yscale="log")
    axes.legend(loc="upper right")
    return _as_markdown(figure, "scores of held-out claims")


def reasons_picture(month: str, rows: Iterable[Mapping[str, Any]]) -> str:
    """How many flagged claims of a month name each feature first, as Markdown with a PNG; a sentence without any."""
    counted = Counter(row["top_features"][0] for row in rows if row["is_flagged"] and row["top_features"])
    shown = [(name, n) for name, n in counted.most_common(BARS) if n >= LEAST_MEMBERS]
    if not shown:
        return f"No picture: no feature is the first reason of {LEAST_MEMBERS} or more flagged claims."
    figure, axes = _drawing()
    axes.barh([name for name, _ in reversed(shown)], [n for _, n in reversed(shown)], color="tab:blue")
    axes.set(title=f"First reasons of flagged claims, {month}", xlabel="claims")
    return _as_markdown(figure, "first reasons of flagged claims")


def _drawing() -> "tuple[Figure, Axes]":
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.2, 3.0), dpi=80, layout="constrained")
    return figure, figure.add_subplot()


def _as_markdown(figure: "Figure", about: str) -> str:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    buffer = io.BytesIO()
    FigureCanvasAgg(figure).print_png(buffer)
    return f"![{about}](data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()})"
