"""Measures of predictions from the definitions, in plain numpy: the gate's own computation of what a run claims.

Here: a measure for many sets of weights at once, which is what a bootstrap asks for. Elsewhere: the measures that a
training stores (`models/weighted_measures.py`); the gate compares the two.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Scored:
    """What happened to some members and what was said of them; arrays of one length."""

    label: "np.ndarray"
    event: "np.ndarray"
    """Whether it happened; of a regression, whether the label reaches the high-risk cut."""
    predicted: "np.ndarray"
    flagged: "np.ndarray"

    @cached_property
    def by_score(self) -> "tuple[np.ndarray, np.ndarray]":
        """Positions by ascending prediction, and where each distinct prediction begins among them."""
        import numpy as np

        order = np.argsort(self.predicted, kind="stable")
        score = self.predicted[order]
        return order, np.flatnonzero(np.r_[True, score[1:] != score[:-1]])


def measure(name: str, of: Scored, weights: "np.ndarray | None" = None) -> "np.ndarray":
    """The measure for each row of weights (sets x members; None: one set, all 1); NaN where it can't be computed."""
    import numpy as np

    with np.errstate(divide="ignore", invalid="ignore"):
        return MEASURES[name](of, np.ones((1, len(of.label))) if weights is None else weights)


def _auc(of: Scored, weights: "np.ndarray") -> "np.ndarray":
    """Probability that a member with the event is ranked above one without; half of it where they are equal."""
    import numpy as np

    events, others = _by_score(of, weights)
    below = np.cumsum(others, axis=1) - others
    return (events * (below + others / 2)).sum(axis=1) / (events.sum(axis=1) * others.sum(axis=1))


def _average_precision(of: Scored, weights: "np.ndarray") -> "np.ndarray":
    """Mean over the members with the event of the precision among all who are scored as high or higher."""
    import numpy as np

    events, others = (part[:, ::-1] for part in _by_score(of, weights))
    found, all_above = np.cumsum(events, axis=1), np.cumsum(events + others, axis=1)
    precision = np.divide(found, all_above, out=np.zeros_like(found), where=all_above > 0)
    return (precision * events).sum(axis=1) / events.sum(axis=1)


def _by_score(of: Scored, weights: "np.ndarray") -> "tuple[np.ndarray, np.ndarray]":
    """Weight with and without the event at each distinct score, ascending."""
    import numpy as np

    order, starts = of.by_score
    event, inside = of.event[order], np.take(weights, order, axis=1)
    events, every = inside * event, inside
    if len(starts) < len(order):
        events, every = (np.add.reduceat(part, starts, axis=1) for part in (events, every))
    return events, every - events


def _share(hits: Callable[[Scored], "np.ndarray"], among: Callable[[Scored], "np.ndarray"]):
    def of_sets(of: Scored, weights: "np.ndarray") -> "np.ndarray":
        return weights @ (hits(of) & among(of)).astype("float64") / (weights @ among(of).astype("float64"))

    return of_sets


def _mean(error: Callable[[Scored], "np.ndarray"]):
    return lambda of, weights: weights @ error(of) / weights.sum(axis=1)


def _r2(of: Scored, weights: "np.ndarray") -> "np.ndarray":
    total, label = weights.sum(axis=1), of.label - of.label.mean()  # labels that are all the same leave exactly zero
    spread = weights @ label**2 - (weights @ label) ** 2 / total
    return 1 - (weights @ (of.label - of.predicted) ** 2) / spread


def _rmse(of: Scored, weights: "np.ndarray") -> "np.ndarray":
    return _mean(lambda o: (o.label - o.predicted) ** 2)(of, weights) ** 0.5


def _ratio(of: Scored, weights: "np.ndarray") -> "np.ndarray":
    return weights @ of.predicted / (weights @ of.label)


MEASURES: dict[str, Callable[[Scored, "np.ndarray"], "np.ndarray"]] = {
    "auc": _auc,
    "average_precision": _average_precision,
    "brier": _mean(lambda o: (o.predicted - o.event) ** 2),
    "precision": _share(lambda o: o.event, lambda o: o.flagged),
    "recall": _share(lambda o: o.flagged, lambda o: o.event),
    "accuracy": _mean(lambda o: (o.flagged == o.event).astype("float64")),
    "r2": _r2,
    "mae": _mean(lambda o: abs(o.label - o.predicted)),
    "rmse": _rmse,
    "predicted_to_observed": _ratio,
}
"""Name -> the measure of one set of members with many sets of weights."""
