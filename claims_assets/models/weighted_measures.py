"""Measures of a prediction from their definitions, in plain numpy, for many sets of weights at once.

A resample of the members is a set of weights: how often each row is drawn. Elsewhere: what is measured, and how sure it
is (`evaluation.py`); the gate's own computation of the same measures (`governance/measures.py`), which must agree.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Judged:
    """What came, and what was said of it; arrays of one length."""

    label: "np.ndarray"
    """0 and 1 of a classifier; else a value."""
    predicted: "np.ndarray"
    event: "np.ndarray | None"
    """Whether the outcome is what the model warns of; None: it warns of nothing."""
    flagged: "np.ndarray | None"

    def where(self, rows: "np.ndarray") -> "Judged":
        """Some of the rows."""
        kept = [None if part is None else part[rows] for part in (self.event, self.flagged)]
        return Judged(self.label[rows], self.predicted[rows], *kept)


Measure = Callable[[Judged, "np.ndarray"], "np.ndarray"]
"""The value for each set of weights (sets x rows); NaN where it can't be computed."""


def values_of(of: Judged, weights: "np.ndarray", *, classifier: bool) -> "dict[str, np.ndarray]":
    """Name -> the value for each set of weights, of all measures of such a model."""
    import numpy as np

    if not len(of.label):
        nothing = np.full(len(weights), np.nan)
        return dict.fromkeys([*(RANKING if classifier else ()), *_others(of, classifier)], nothing)
    with np.errstate(divide="ignore", invalid="ignore"):
        ranked = _by_score(of, weights) if classifier else None
        found = {name: measure(*ranked) for name, measure in RANKING.items()} if ranked else {}
        return found | {name: measure(of, weights) for name, measure in _others(of, classifier).items()}


def _others(of: Judged, classifier: bool) -> "dict[str, Measure]":
    decisions = {} if of.event is None else DECISIONS
    return {**(PROBABILITIES if classifier else VALUES), **decisions, **MEANT}


def _by_score(of: Judged, weights: "np.ndarray") -> "tuple[np.ndarray, np.ndarray]":
    """Weight of the rows with the label 1, and of all, at each distinct score, highest first."""
    import numpy as np

    order = np.argsort(-of.predicted, kind="stable")
    score, positive = of.predicted[order], of.label[order] > 0
    starts = np.flatnonzero(np.append(True, score[1:] != score[:-1]))
    every = np.take(weights, order, axis=1)
    if len(starts) == len(order):
        return every * positive, every
    return np.add.reduceat(every * positive, starts, axis=1), np.add.reduceat(every, starts, axis=1)


def _auc(positive: "np.ndarray", every: "np.ndarray") -> "np.ndarray":
    """Share of pairs of a positive and a negative row in which the positive one scores higher; ties count half."""
    negative = every - positive
    lower = negative.sum(axis=1, keepdims=True) - negative.cumsum(axis=1) + negative / 2
    return (positive * lower).sum(axis=1) / (positive.sum(axis=1) * negative.sum(axis=1))


def _average_precision(positive: "np.ndarray", every: "np.ndarray") -> "np.ndarray":
    """Precision at each distinct score, weighted by the recall that it adds; without negative rows it says nothing."""
    import numpy as np

    hits, total, chosen = positive.cumsum(axis=1), positive.sum(axis=1), every.cumsum(axis=1)
    value = (positive * hits / np.where(chosen > 0, chosen, 1)).sum(axis=1) / total
    return np.where(total < every.sum(axis=1), value, np.nan)


def _mean_of(error: Callable[[Judged], "np.ndarray"]) -> Measure:
    return lambda of, weights: weights @ error(of) / weights.sum(axis=1)


def _share_of(hits: Callable[[Judged], "np.ndarray"], among: Callable[[Judged], "np.ndarray"]) -> Measure:
    return lambda of, weights: weights @ (hits(of) & among(of)) / (weights @ among(of))


def _r2(of: Judged, weights: "np.ndarray") -> "np.ndarray":
    import numpy as np

    # About the mean of all: equal labels leave exactly zero, and large ones lose no digits.
    label = of.label - of.label.mean()
    spread = weights @ label**2 - (weights @ label) ** 2 / weights.sum(axis=1)
    return np.where(spread > 0, 1 - weights @ (of.label - of.predicted) ** 2 / spread, np.nan)


def _rmse(of: Judged, weights: "np.ndarray") -> "np.ndarray":
    return _mean_of(lambda o: (o.label - o.predicted) ** 2)(of, weights) ** 0.5


def _event(of: Judged) -> "np.ndarray":
    return _bools(of.event)


def _flagged(of: Judged) -> "np.ndarray":
    return _bools(of.flagged)


def _bools(values: "np.ndarray | None") -> "np.ndarray":
    if values is None:
        raise ValueError("A model that warns of nothing has no decisions to measure.")
    return values.astype(bool)


RANKING = {"auc": _auc, "average_precision": _average_precision}
"""How well scores tell apart, from the weights at each distinct score."""
PROBABILITIES: dict[str, Measure] = {"brier": _mean_of(lambda o: (o.label - o.predicted) ** 2)}
DECISIONS: dict[str, Measure] = {
    "precision": _share_of(_event, _flagged),
    "recall": _share_of(_flagged, _event),
    "accuracy": _mean_of(lambda o: (_flagged(o) == _event(o)).astype("float64")),
    "share_flagged": _mean_of(lambda o: _flagged(o).astype("float64")),
}
VALUES: dict[str, Measure] = {
    "r2": _r2,
    "mae": _mean_of(lambda o: abs(o.label - o.predicted)),
    "rmse": _rmse,
}
"""The last two in the unit of the label."""
MEANT: dict[str, Measure] = {"predicted_to_observed": lambda o, w: w @ o.predicted / (w @ o.label)}
