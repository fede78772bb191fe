"""Uptake of vaccines of those listed beside those held out: shares, intervals, and what may be shown. Plain Python.

Here: from counts alone. Elsewhere: who is counted (`outreach_outcomes.py`).

Households are held out, not members, and the members of a household are often vaccinated on one day. So counts are
divided by their design effect, the variance of the share over households beside that of as many members drawn singly
(Rao and Scott, Biometrics 1992;48:577), and the usual intervals are taken of what is left: of a share Wilson's, of a
difference Newcombe's, which is made of two of them (method 10, Statistics in Medicine 1998;17:873).
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from claims_assets.monitoring.group_rates import hidden, may_be_shown, wilson

LISTED, HOLDOUT = "listed", "holdout"
ARMS = (LISTED, HOLDOUT)
ALL = "all"
"""Stands for all tiers; what is true of it can be subtracted from."""
HIDDEN = "one to ten members, or a count from which such a one could be told"
NO_COMPARISON = "no difference: one of the two groups has no uptake that is shown"
NOBODY = "nobody"


@dataclass(frozen=True)
class Counts:
    """Members of one arm, tier and vaccine, as sums over households."""

    members: int = 0
    contacted: int = 0
    reached: int = 0
    vaccinated: int = 0
    households: int = 0
    squared_members: int = 0
    squared_vaccinated: int = 0
    product: int = 0
    """Vaccinated members times members."""


def design_effect(counts: Counts) -> float:
    """How much wider than of single members the variance of the share of vaccinated is; at least 1."""
    n, m = counts.members, counts.households
    share = counts.vaccinated / n
    if share in (0.0, 1.0):
        # No spread is seen. As if each household were one member, which is the most careful reading.
        return n / m
    if m == 1:
        return float(n)
    squares = counts.squared_vaccinated - 2 * share * counts.product + share * share * counts.squared_members
    over_households = m / (m - 1) * squares / (n * n)
    return max(1.0, over_households / (share * (1 - share) / n))


def uptake(counts: Counts) -> tuple[float, float, float] | None:
    """Share of vaccinated members with its 95 % interval; None: there are no members."""
    if not counts.members:
        return None
    effect = design_effect(counts)
    ends = wilson(counts.vaccinated / effect, counts.members / effect)
    return (counts.vaccinated / counts.members, *ends) if ends else None


def difference(ours: Sequence[float], theirs: Sequence[float]) -> tuple[float, float, float]:
    """Difference of two shares with its 95 % interval, from each share and its interval (Newcombe's method 10)."""
    (a, a_low, a_high), (b, b_low, b_high) = ours, theirs
    return a - b, a - b - math.hypot(a - a_low, b_high - b), a - b + math.hypot(a_high - a, b - b_low)


def compared(found: Mapping[tuple[str, str, str], Counts]) -> list[dict[str, Any]]:
    """One row per arm, tier and vaccine of one list.

    Args:
        found: (arm, tier, vaccine) -> counts, with the tier ALL of each arm and vaccine; what is left out is nobody.
    """
    shown: dict[tuple[str, str, str], dict[str, Any]] = {}
    for (arm, vaccine), keys in _together(found):
        shown |= _shown(arm, vaccine, {tier: found[arm, tier, vaccine] for _, tier, _ in keys})
    rows = []
    for (arm, tier, vaccine), row in sorted(shown.items()):
        name = {"outreach_group": arm, "outreach_tier": tier, "vaccine": vaccine}
        rows.append(name | row | (_beside(row, shown.get((HOLDOUT, tier, vaccine))) if arm == LISTED else {}))
    return rows


def _together(found: Iterable[tuple[str, str, str]]) -> Iterable[tuple[tuple[str, str], list[tuple[str, str, str]]]]:
    """The keys of each arm and vaccine."""

    def of(key: tuple[str, str, str]) -> tuple[str, str]:
        return key[0], key[2]

    return [(name, list(keys)) for name, keys in groupby(sorted(found, key=lambda k: (of(k), k)), of)]


def _shown(arm: str, vaccine: str, by_tier: Mapping[str, Counts]) -> dict[tuple[str, str, str], dict[str, Any]]:
    """The rows of one arm and vaccine without small counts, nor those that tell a small one by subtraction."""
    parts = {tier: n for tier, n in by_tier.items() if tier != ALL}
    total = {tier: n for tier, n in by_tier.items() if tier == ALL}
    small: dict[str, set[str]] = {}
    for name in ("members", "contacted", "reached", "vaccinated"):
        pairs = {t: (getattr(n, name), n.contacted if name == "reached" else n.members) for t, n in parts.items()}
        of_total = {(getattr(n, name), n.contacted if name == "reached" else n.members) for n in total.values()}
        small[name] = hidden(pairs) | {ALL for pair in of_total if not may_be_shown(*pair)}
    for name, also in (("vaccinated", "members"), ("contacted", "members"), ("reached", "contacted")):
        small[name] |= small[also]
    return {(arm, tier, vaccine): _row(n, {c for c in small if tier in small[c]}) for tier, n in by_tier.items()}


def _row(counts: Counts, small: set[str]) -> dict[str, Any]:
    names = ("members", "contacted", "reached", "vaccinated")
    row: dict[str, Any] = {n: None if n in small else getattr(counts, n) for n in names}
    found = None if "vaccinated" in small else uptake(counts)
    row |= dict(zip(("uptake", "uptake_lower", "uptake_upper"), found or (None, None, None), strict=True))
    why = [HIDDEN] if small else [NOBODY] if not counts.members else []
    return row | {"difference": None, "difference_lower": None, "difference_upper": None, "absent": why}


def _beside(listed: dict[str, Any], held_out: dict[str, Any] | None) -> dict[str, Any]:
    """What the row of those listed says of the difference; nothing from which a hidden uptake could be told."""
    if listed["uptake"] is None or held_out is None or held_out["uptake"] is None:
        return {"absent": [*listed["absent"], NO_COMPARISON]}
    names = ("uptake", "uptake_lower", "uptake_upper")
    found = difference([listed[n] for n in names], [held_out[n] for n in names])
    return dict(zip(("difference", "difference_lower", "difference_upper"), found, strict=True))
