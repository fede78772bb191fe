"""Are groups of members treated alike? The statistics of a rate by group, each group beside the largest one.

Here: ratio, intervals, effect size, chance, what may be judged and what may be shown; from counts alone, nothing is
read. Elsewhere: the limits (`models/governance/thresholds.py`), what is counted (`models/governance/fairness.py` of a
version's held-out members, `fairness_results.py` of what was decided month by month). One computation for all of them.

A rate of zero is a ratio of zero, and fails. What can't be compared is not called fair.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from claims_assets.models.governance.thresholds import FAIRNESS

REFERENCE, FAIR, UNFAIR, ZERO_RATE = "reference", "fair", "unfair", "zero_rate"
BY_CHANCE, TOO_FEW = "by_chance", "too_few"
VERDICTS = (REFERENCE, FAIR, UNFAIR, ZERO_RATE, BY_CHANCE, TOO_FEW)
"""reference: the largest group. fair: in the band. unfair: outside it, beyond chance. zero_rate: nobody in one of two
groups that should have some. by_chance: outside the band, which chance may explain. too_few: can't be compared."""
FAILED = (UNFAIR, ZERO_RATE)
Z = 1.959964
"""Of a two-sided interval of 95 %."""

Counts = tuple[int, int]
"""Members whom the rate counts, members among whom it counts them."""


@dataclass(frozen=True)
class Compared:
    """A rate of one group beside that of the largest group."""

    group: str
    reference: str
    hits: int
    """Members that the rate counts."""
    members: int
    """Members among whom it counts them."""
    reference_hits: int
    reference_members: int
    ratio: float
    """Infinite, which no band holds, where only the largest group has a rate of zero; NaN where both have."""
    p: float
    """Two-sided probability of such a difference if both had one rate."""

    @property
    def judged(self) -> bool:
        """Both have members enough, and hits enough are expected in the smaller one if they had one rate."""
        fewest = min(self.members, self.reference_members)
        everybody = self.members + self.reference_members
        return (
            fewest >= FAIRNESS.smallest_group
            and fewest * (self.hits + self.reference_hits) >= FAIRNESS.fewest_expected * everybody
        )

    @property
    def in_band(self) -> bool:
        return FAIRNESS.low <= self.ratio <= FAIRNESS.high

    @property
    def may_be_shown(self) -> bool:
        """No count of 1 to 10 could be told from the ratio."""
        return (
            may_be_shown(self.hits, self.members)
            and may_be_shown(self.reference_hits, self.reference_members)
            and self.members >= FAIRNESS.smallest_shown
        )

    @property
    def shown_ratio(self) -> str:
        """The ratio, or only its side of the band."""
        if self.may_be_shown:
            return f"{self.ratio:.2f}"
        if self.in_band:
            return "inside the band"
        return f"below {FAIRNESS.low:g}" if self.ratio < FAIRNESS.low else f"above {FAIRNESS.high:g}"

    @property
    def said(self) -> str:
        return f"{self.group} has {self.shown_ratio} times that of {self.reference}"


@dataclass(frozen=True)
class GroupRate(Compared):
    """A rate of one group, how sure it is, and whether it is fair beside that of the largest group."""

    rate: float | None
    """None: the group has no members."""
    lower: float | None
    upper: float | None
    """95 % interval of the rate (Wilson 1927)."""
    ratio_lower: float
    ratio_upper: float
    """95 % interval of the ratio, on the logarithm (Katz et al., Biometrics 1978;34:469); NaN where there is none."""
    effect_size: float
    """Cohen's h: difference of the arcsines; .2 is small, .5 medium, .8 large. NaN without members."""
    verdict: str
    """One of VERDICTS."""


Pairing = TypeVar("Pairing", bound=Compared)


def group_rates(counts: Mapping[str, Counts]) -> list[GroupRate]:
    """Every group by name, the largest (of equals the first by name) beside itself; one family of comparisons.

    Args:
        counts: group -> members that the rate counts, members among whom it counts them.

    Raises:
        ValueError: a group has more hits than members, or fewer than none.
    """
    if not counts:
        return []
    reference = largest(counts)
    compared = [beside(counts, group, reference) for group in sorted(counts)]
    failed = failing([c for c in compared if c.group != reference])
    return [_rate(c, REFERENCE if c.group == reference else verdict_of(c, failed)) for c in compared]


def largest(counts: Mapping[str, Counts]) -> str:
    """The group with most members; of equals the first by name."""
    return min(counts, key=lambda name: (-counts[name][1], name))


def beside(counts: Mapping[str, Counts], group: str, reference: str) -> Compared:
    """One group beside the reference."""
    for name in (group, reference):
        hits, members = counts[name]
        if not 0 <= hits <= members:
            raise ValueError(f"A group of {members} members can't have {hits} whom its rate counts.")
    return Compared(group, reference, *counts[group], *counts[reference], *ratio_of(*counts[group], *counts[reference]))


def ratio_of(hits: int, members: int, reference_hits: int, reference_members: int) -> tuple[float, float]:
    """Ratio of two shares and its p: pooled z, the same as chi-square with one degree of freedom."""
    if not members or not reference_members or not (hits or reference_hits):
        return math.nan, 1.0
    ours, theirs = hits / members, reference_hits / reference_members
    both = (hits + reference_hits) / (members + reference_members)
    spread = math.sqrt(both * (1 - both) * (1 / members + 1 / reference_members))
    p = math.erfc(abs(ours - theirs) / spread / math.sqrt(2)) if spread else 1.0
    return (ours / theirs if theirs else math.inf), p


@dataclass(frozen=True)
class Sums:
    """What was predicted for the members of a group, and what happened."""

    predicted: float
    observed: float
    spread: float
    """Standard error of the sum of what was observed less what was predicted."""


def meant(ours: Sums, theirs: Sums) -> tuple[float, float]:
    """Ratio of two ratios of predicted to observed and its p: what was observed against what the other's would give."""
    if ours.predicted <= 0 or theirs.predicted <= 0 or theirs.observed <= 0:
        if ours.observed <= 0:
            return math.nan, 1.0
        return (0.0 if ours.predicted <= 0 < theirs.predicted else math.inf), 0.0
    expected = ours.predicted * theirs.observed / theirs.predicted
    # Of a sum of residuals; that of the expected value follows from the reference's.
    spread = math.hypot(ours.spread, theirs.spread * ours.predicted / theirs.predicted)
    p = math.erfc(abs(ours.observed - expected) / spread / math.sqrt(2)) if spread else float(ours.observed == expected)
    return (expected / ours.observed if ours.observed > 0 else math.inf), p


def beyond_chance(tested: Iterable[Pairing]) -> set[Pairing]:
    """By Holm's step-down test over all of them: a family, so that noise rarely calls a fair decision unfair."""
    in_order = sorted(tested, key=lambda c: c.p)
    beyond: set[Pairing] = set()
    for i, compared in enumerate(in_order):
        if compared.p * (len(in_order) - i) >= FAIRNESS.level:
            break
        beyond.add(compared)
    return beyond


def failing(compared: Iterable[Pairing]) -> set[Pairing]:
    """Those of one family that are outside the band: beyond chance, or because one of the two rates is zero.

    Enough hits are expected in what is judged (Cochran's five), so that a zero is itself hardly chance (e^-5 = .7 %).
    """
    judged = [c for c in compared if c.judged]
    return {c for c in beyond_chance(judged) if not c.in_band} | {c for c in judged if has_zero(c)}


def has_zero(compared: Compared) -> bool:
    """Nobody is counted in just one of the two groups."""
    return (compared.hits == 0) != (compared.reference_hits == 0)


def verdict_of(compared: Pairing, failed: set[Pairing]) -> str:
    """The word for a group that is not the reference."""
    if not compared.judged:
        return TOO_FEW
    if compared in failed:
        return ZERO_RATE if has_zero(compared) else UNFAIR
    return FAIR if compared.in_band else BY_CHANCE


def wilson(hits: float, members: float) -> tuple[float, float] | None:
    """95 % interval of a share (Wilson, Journal of the American Statistical Association 1927;22:209)."""
    if not members:
        return None
    share, square = hits / members, Z * Z
    middle = share + square / (2 * members)
    half = Z * math.sqrt(share * (1 - share) / members + square / (4 * members * members))
    scale = 1 + square / members
    # At the ends the exact value is 0 or 1; the formula misses it by a rounding.
    lower = 0.0 if hits == 0 else (middle - half) / scale
    return lower, 1.0 if hits == members else (middle + half) / scale


def ratio_interval(hits: int, members: int, reference_hits: int, reference_members: int) -> tuple[float, float]:
    """95 % interval of the ratio of two shares; NaN where neither group has a hit, or one has no members.

    Where one of the shares is zero, half a hit is added to each (Walter, Biometrika 1975;62:371), and the end that
    the zero leaves open is 0 or infinite.
    """
    if not members or not reference_members or not (hits or reference_hits):
        return math.nan, math.nan
    more = 0.0 if hits and reference_hits else 0.5
    ours, theirs = (hits + more, members + more), (reference_hits + more, reference_members + more)
    spread = math.sqrt(1 / ours[0] - 1 / ours[1] + 1 / theirs[0] - 1 / theirs[1])
    middle = math.log(ours[0] / ours[1]) - math.log(theirs[0] / theirs[1])
    return (
        math.exp(middle - Z * spread) if hits else 0.0,
        math.exp(middle + Z * spread) if reference_hits else math.inf,
    )


def effect_size(hits: int, members: int, reference_hits: int, reference_members: int) -> float:
    """Cohen's h (Statistical Power Analysis for the Behavioral Sciences, 1988); positive: the group's is higher."""
    if not members or not reference_members:
        return math.nan
    ours, theirs = (2 * math.asin(math.sqrt(n)) for n in (hits / members, reference_hits / reference_members))
    return ours - theirs


def may_be_shown(hits: int, members: int) -> bool:
    """Neither those whom the rate counts nor the others are 1 to 10 (CMS cell size suppression policy)."""
    return all(n == 0 or n >= FAIRNESS.smallest_shown for n in (hits, members - hits))


def hidden(counts: Mapping[str, Counts]) -> set[str]:
    """Groups whose counts and rates are not shown, and those hidden with them.

    Who knows the totals must not be able to subtract: what is hidden is at least two groups, or none, and together
    they may be shown. The smallest of the others are taken first.
    """
    found = {name for name, of in counts.items() if not may_be_shown(*of)}
    others = sorted(counts.keys() - found, key=lambda name: (counts[name][1], name))
    while found and others and not _hides(found, counts):
        found.add(others.pop(0))
    return found


def _hides(found: set[str], counts: Mapping[str, Counts]) -> bool:
    hits, members = (sum(counts[name][i] for name in found) for i in (0, 1))
    return len(found) > 1 and may_be_shown(hits, members)


def _rate(compared: Compared, verdict: str) -> GroupRate:
    c = compared
    four = c.hits, c.members, c.reference_hits, c.reference_members
    ends = wilson(c.hits, c.members) or (None, None)
    of_ratio = (1.0, 1.0) if verdict == REFERENCE else ratio_interval(*four)
    share = c.hits / c.members if c.members else None
    return GroupRate(c.group, c.reference, *four, c.ratio, c.p, share, *ends, *of_ratio, effect_size(*four), verdict)


def worst(rates: Sequence[Pairing]) -> Pairing | None:
    """The judged one farthest from 1, whichever way; None: none is judged."""
    return max((r for r in rates if r.judged), key=distance, default=None)


def distance(compared: Compared) -> float:
    """How far a ratio is from 1 on the logarithm; infinite for a rate of zero."""
    return distance_of(compared.ratio)


def distance_of(ratio: float) -> float:
    """The same of a ratio."""
    return abs(math.log(ratio)) if 0 < ratio < math.inf else math.inf
