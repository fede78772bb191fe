"""How sure a measure is, and whether one prediction is better than another of the same members.

By the bootstrap over members: the rows of a member stay together, and two predictions are compared within each
resample, so that what is hard for both does not count. Seeded: the same rows give the same interval.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from claims_assets.models.governance.measures import Scored, measure
from claims_assets.models.governance.thresholds import COMPARISON, Demands

if TYPE_CHECKING:
    import numpy as np

BLOCK = 4_000_000
"""Weights in memory at once: 32 MB."""
SAME_VERSION = "same_version"


@dataclass(frozen=True)
class Interval:
    """A value and where it lies in 95 of 100 resamples; NaN where that can't be said."""

    value: float
    low: float
    high: float

    @property
    def known(self) -> bool:
        return all(map(math.isfinite, (self.value, self.low, self.high)))


UNKNOWN = Interval(math.nan, math.nan, math.nan)


def interval(name: str, of: Scored, members: "np.ndarray") -> Interval:
    """A measure with its interval."""
    return _interval(lambda w: measure(name, of, w), members)


def gain(name: str, challenger: Scored, other: Scored, members: "np.ndarray") -> Interval:
    """The challenger's measure less the other's, on the same rows, resample by resample."""
    return _interval(lambda w: measure(name, challenger, w) - measure(name, other, w), members)


def drop(name: str, before: Scored, members_before: "np.ndarray", after: Scored, members: "np.ndarray") -> Interval:
    """The measure on one set of rows less that on another; resampled apart, as the members are others."""
    import numpy as np

    sets = ((before, members_before, COMPARISON.seed), (after, members, COMPARISON.seed + 1))
    draws = [np.concatenate([measure(name, of, w) for w in _weights(who, seed)]) for of, who, seed in sets]
    size = min(map(len, draws))
    value = measure(name, before)[0] - measure(name, after)[0]
    return _summary(float(value), draws[0][:size] - draws[1][:size])


@dataclass(frozen=True)
class Comparison:
    """A challenger against the champion on the same members."""

    better: bool
    gain: Interval
    """Of the primary measure."""
    reasons: tuple[str, ...]
    """Why it is not better; for a better one, by how much."""


def compare(demands: Demands, challenger: Scored, champion: Scored, members: "np.ndarray") -> Comparison:
    """Better: the primary measure rises, and not by chance; error and accuracy stay near the champion's.

    A measure that can't be computed makes it no better.
    """
    found = gain(demands.primary, challenger, champion, members)
    against = [] if found.low > 0 else [_no_gain(demands.primary, found)]
    for name, limit, is_error in (
        (demands.error, COMPARISON.error, True),
        ("accuracy", COMPARISON.accuracy, False),
    ):
        ours, theirs = (float(measure(name, of)[0]) for of in (challenger, champion))
        if not (ours <= limit * theirs if is_error else ours >= limit * theirs):
            side = "more" if is_error else "less"
            against.append(f"Its {name}, {ours:,.4g}, is {side} than {limit:g} times the champion's, {theirs:,.4g}.")
    better = f"Its {demands.primary} is {found.value:.4f} ({found.low:.4f} to {found.high:.4f}) above the champion's."
    return Comparison(not against, found, tuple(against) or (better,))


def _no_gain(primary: str, found: Interval) -> str:
    if not found.known:
        return f"Its gain in {primary} on the champion can't be computed."
    return (
        f"Its {primary} is not better than the champion's beyond chance:"
        f" {found.value:+.4f} ({found.low:+.4f} to {found.high:+.4f})."
    )


def _interval(of_sets: "Callable[[np.ndarray], np.ndarray]", members: "np.ndarray") -> Interval:
    import numpy as np

    if not len(members):
        return UNKNOWN
    drawn = np.concatenate([of_sets(w) for w in _weights(members, COMPARISON.seed)])
    return _summary(float(of_sets(np.ones((1, len(members))))[0]), drawn)


def _summary(value: float, drawn: "np.ndarray") -> Interval:
    """No interval where more resamples than lie outside of it have no value."""
    import numpy as np

    finite = drawn[np.isfinite(drawn)]
    if len(finite) < (1 - COMPARISON.level) * len(drawn):
        return Interval(value, math.nan, math.nan)
    low, high = np.quantile(finite, [COMPARISON.level / 2, 1 - COMPARISON.level / 2])
    return Interval(value, float(low), float(high))


def _weights(members: "np.ndarray", seed: int) -> "Iterator[np.ndarray]":
    """How often each row is drawn: blocks of resamples x rows."""
    import numpy as np
    import pandas as pd

    codes, names = pd.factorize(members)
    sets = min(COMPARISON.resamples, max(COMPARISON.fewest_resamples, COMPARISON.draws // len(codes)))
    drawn, size = _drawn(len(names), sets, seed), max(1, BLOCK // len(codes))
    for start in range(0, sets, size):
        some = drawn[start : start + size]
        # Of members with one row each the codes are their places.
        yield (some if len(names) == len(codes) else np.take(some, codes, axis=1)).astype("float64")


@lru_cache(maxsize=3)
def _drawn(names: int, sets: int, seed: int) -> "np.ndarray":
    """How often each member is drawn (sets x members); many measures of many versions ask for the same resamples.

    A byte each: that a member is drawn more than 255 times does not happen. At most 40 MB for 200,000 members.
    """
    import numpy as np

    rng = np.random.default_rng(seed)
    found = np.empty((sets, names), dtype="uint8")
    for i in range(sets):
        found[i] = np.bincount(rng.integers(0, names, names), minlength=names)
    return found
