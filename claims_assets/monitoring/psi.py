"""How far a distribution has moved from another one: bins of a reference, counts in them, and the stability index.

Here: numbers and words in, numbers out; nothing is read, no month is known. Elsewhere: what is compared with what
(`reference_profiles.py`, `psi_results.py`), what follows (`drift_rules.py`).

Bins are tenths of the reference, and one on either side for what lies beyond all of it, and one for missing values; of
words, those that a hundredth of the reference has, one for the rarer, one for those never seen, one for missing.
So nothing falls outside the bins. Counts are smoothed, so that an empty bin is no infinity.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

TENTHS = 10
MINOR, MAJOR = 0.1, 0.2
"""Below the first a distribution is stable, from the second on it has moved much; ten bins. All of the public project
sandeshregmi/claims-autoencoder (src/psi_monitoring.py)."""
SMOOTHING = 0.5
"""Added to the count of each bin (Jeffreys' prior). The public project adds 1e-10 to a share, so that one member in a
bin that was empty counts as much as a move of a third of all members."""
FREQUENT = 0.01
"""Share of the reference from which on a word has a bin of its own. Ours."""
BEYOND_CHANCE = 1e-4
"""Probability with which many members drawn alike seem to have moved; of 200 members it is nearer to a hundredth. It
stands below the alert, not in its place. Ours."""
STEEPNESS = 5.0
"""Of the score. Ours: its alert at .3 is an index of .07, a move of a normal distribution by .27 of its deviation (one
of .3 has .087); the lines above are .39 and .63."""
ALERT = 0.3
"""Score above which a move is told (composite drift score of the monitoring guide that goes with the public project
juanlamadrid20/insurance-mlops)."""


class EmptyReference(ValueError):
    """There is nothing to compare with; the message says what is missing and what to build."""


@dataclass(frozen=True)
class Profile:
    """How often each value occurs; numbers by the rank of their range."""

    numbers: Mapping[int, int]
    words: Mapping[str, int]
    missing: int = 0
    total: float = 0.0
    """Sum of the numbers."""

    @property
    def members(self) -> int:
        return sum(self.numbers.values()) + sum(self.words.values()) + self.missing

    @cached_property
    def ordered(self) -> "tuple[np.ndarray, np.ndarray]":
        """The ranks in their order, and the members below each of them, at last all."""
        import numpy as np

        ranks = np.array(sorted(self.numbers), dtype="int64")
        return ranks, np.cumsum([0, *(self.numbers[r] for r in ranks.tolist())])

    @property
    def mean(self) -> float | None:
        """Of the numbers; None: there are none."""
        known = sum(self.numbers.values())
        return self.total / known if known else None


def together(profiles: Sequence[Profile]) -> Profile:
    """All of them as one."""
    words: dict[str, int] = {}
    for profile in profiles:
        for word, n in profile.words.items():
            words[word] = words.get(word, 0) + n
    missing, total = sum(p.missing for p in profiles), math.fsum(p.total for p in profiles)
    return Profile(_added_up(profiles), words, missing, total)


def _added_up(profiles: Sequence[Profile]) -> dict[int, int]:
    """Rank -> members of all of them."""
    import numpy as np

    if not profiles:
        return {}
    ranks = np.concatenate([p.ordered[0] for p in profiles])
    distinct, place = np.unique(ranks, return_inverse=True)
    counts = np.concatenate([np.diff(p.ordered[1]) for p in profiles])
    added = np.zeros(len(distinct), dtype="int64")
    np.add.at(added, place, counts)
    return dict(zip(distinct.tolist(), added.tolist(), strict=True))


@dataclass(frozen=True)
class Bins:
    """Where one bin ends and the next begins."""

    ranks: tuple[int, ...]
    """Of numbers: the last rank of each bin but the last. The first bin lies below all of the reference, the last one
    above it."""
    words: tuple[str, ...]
    """Those with a bin of their own."""
    rarer: frozenset[str] = frozenset()
    """Other words of the reference."""

    def counts(self, profile: Profile) -> list[int]:
        """Members in each bin: of numbers, of the words, of rarer and of unseen words, of missing values."""
        import numpy as np

        ranks, below = profile.ordered
        limits = below[np.searchsorted(ranks, np.array(self.ranks, dtype="int64"), side="right")]
        numbers = np.diff(limits, prepend=0, append=below[-1]).tolist()
        own = [profile.words.get(w, 0) for w in self.words]
        rarer = sum(n for w, n in profile.words.items() if w in self.rarer)
        unseen = sum(profile.words.values()) - sum(own) - rarer
        return [*numbers, *own, rarer, unseen, profile.missing]

    def outside(self, counts: Sequence[int]) -> int:
        """Of such counts, those beyond anything in the reference."""
        beyond = counts[0] + counts[len(self.ranks)] if self.ranks else counts[0]
        return beyond + counts[-2]


def bins_of(reference: Profile) -> Bins:
    """The bins of a reference.

    Raises:
        EmptyReference: nobody is in it.
    """
    everybody = reference.members
    if not everybody:
        raise EmptyReference("The reference holds nobody.")
    frequent = sorted(w for w, n in reference.words.items() if n >= FREQUENT * everybody)
    return Bins(_ends(*reference.ordered), tuple(frequent), frozenset(reference.words) - frozenset(frequent))


def _ends(ranks: "np.ndarray", members_below: "np.ndarray") -> tuple[int, ...]:
    """Ends of the tenths, after the one below all and before the one above all; fewer where many have one value."""
    if not len(ranks):
        return ()
    # A tenth ends where its limit is reached; ranks that many share end several.
    tenth = members_below * TENTHS // members_below[-1]
    return (int(ranks[0]) - 1, *ranks[tenth[1:] > tenth[:-1]].tolist())


def psi(reference: Sequence[int], now: Sequence[int]) -> float:
    """Population stability index of two rows of counts over the same bins, smoothed.

    Bins that are empty in both say nothing: smoothed, they would tell the smaller of two populations from the larger.
    """
    used = [(r + SMOOTHING, n + SMOOTHING) for r, n in zip(reference, now, strict=True) if r or n]
    before, after = sum(r for r, _ in used), sum(n for _, n in used)
    return sum((n / after - r / before) * math.log(n / after * before / r) for r, n in used)


def chance(reference: Sequence[int], now: Sequence[int]) -> float:
    """Index that members drawn alike rarely reach: chi-square over 1/(1/n + 1/m) (Yurdakul 2018)."""
    freedom, scale = _of_chance(reference, now)
    return _quantile(freedom) * scale


def _of_chance(reference: Sequence[int], now: Sequence[int]) -> tuple[int, float]:
    """Degrees of freedom, and what the index of members drawn alike has for each of them."""
    members, others = sum(now), sum(reference)
    used = sum(1 for r, n in zip(reference, now, strict=True) if r or n)
    return max(used - 1, 1), 1 / members + 1 / others if members and others else math.inf


@cache
def _quantile(freedom: int) -> float:
    # What scipy.stats.chi2.isf calls, without half a second of imports.
    from scipy.special import chdtri

    return float(chdtri(freedom, BEYOND_CHANCE))


def moved_share(reference: Sequence[int], now: Sequence[int]) -> float:
    """Share of members that would have to change bins to make the two alike (total variation)."""
    before, after = sum(reference), sum(now)
    # Of two that share no bin the sum is a hair above.
    return min(1.0, sum(abs(n / after - r / before) for r, n in zip(reference, now, strict=True)) / 2)


def drift_score(reference: Sequence[int], now: Sequence[int]) -> float:
    """A move on a scale from 0 to 1: the index less what is expected by chance; 0 where chance explains it."""
    index, (freedom, scale) = psi(reference, now), _of_chance(reference, now)
    return score(index - freedom * scale) if index > _quantile(freedom) * scale else 0.0


def score(index: float) -> float:
    """An index beyond chance on the scale from 0 to 1."""
    return 1 - math.exp(-STEEPNESS * max(0.0, index))


def verdict(index: float) -> str:
    """The public project's word for an index."""
    return "stable" if index < MINOR else "minor" if index < MAJOR else "major"


VERDICTS = ("stable", "minor", "major")
