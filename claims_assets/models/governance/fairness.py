"""Does a model treat groups of members alike? Rates by group on the held-out test members, each against the largest.

Four rates: who is flagged (of all: disparate impact), who is found (flagged, of those with the event: equal
opportunity), who is right (with the event, of those flagged: predictive parity), and what a prediction means (predicted
to observed: calibration within groups). Unfair is a ratio outside the band that chance does not explain, or a rate of
zero. What can't be compared can't be called fair. Elsewhere: the statistics (`monitoring/group_rates.py`).
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from claims_assets.models.governance.measures import Scored
from claims_assets.models.governance.thresholds import FAIRNESS
from claims_assets.models.governance.verdict import PASSED, REFUSED, REPORTED, Criterion
from claims_assets.monitoring.group_rates import (
    Compared,
    Counts,
    Sums,
    beyond_chance,
    failing,
    largest,
    meant,
    ratio_of,
    worst,
)

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

FLAGGED, FOUND, RIGHT, MEANT = "flagged", "found", "right", "predicted to observed"
RATES = (FLAGGED, FOUND, RIGHT, MEANT)
ATTRIBUTES = (*FAIRNESS.alike, *FAIRNESS.in_need)
UNKNOWN = "unknown"
"""Members of whom the attribute is not known; a group like the others."""
BAND = f"{FAIRNESS.low:g} to {FAIRNESS.high:g} of the largest group's"


@dataclass(frozen=True)
class Pair(Compared):
    """A rate of one group beside that of the largest group."""

    attribute: str
    rate: str
    """One of RATES; of MEANT the hits are the members with the event, and the ratio is of predicted to observed."""


def blocks(attribute: str, rate: str) -> bool:
    """Whether a difference in this rate refuses the model."""
    return rate == MEANT or (attribute in FAIRNESS.alike and rate in (FLAGGED, FOUND))


def pairs(rows: "pd.DataFrame", of: Scored) -> list[Pair]:
    """Every group but the largest, for every attribute and rate; of groups of one size the first by name is largest."""
    found: list[Pair] = []
    for attribute in ATTRIBUTES:
        groups = _groups(rows, attribute)
        names = sorted({str(g) for g in groups})
        sums = {n: _sums(of, groups == n) for n in names}
        for rate, hits, among in _rates(of):
            counts = {n: (int((hits & (groups == n)).sum()), int((among & (groups == n)).sum())) for n in names}
            found += pairs_of(attribute, rate, counts, sums)
    return found


def pairs_of(attribute: str, rate: str, counts: Mapping[str, Counts], sums: Mapping[str, Sums]) -> list[Pair]:
    """One rate of every group but the reference, from counts.

    Args:
        counts: group -> members whom the rate counts, members among whom.
        sums: group -> what was predicted and observed; read for MEANT alone.
    """
    if not counts:
        return []
    reference = reference_of(rate, counts)
    found = []
    for name in sorted(counts.keys() - {reference}):
        of = meant(sums[name], sums[reference]) if rate == MEANT else ratio_of(*counts[name], *counts[reference])
        found.append(Pair(name, reference, *counts[name], *counts[reference], *of, attribute, rate))
    return found


def reference_of(rate: str, counts: Mapping[str, Counts]) -> str:
    """The largest group; means are compared with the group that has most events: of few they say little."""
    if rate == MEANT:
        return min(counts, key=lambda name: (-counts[name][0], name))
    return largest(counts)


def _rates(of: Scored) -> "Iterator[tuple[str, np.ndarray, np.ndarray]]":
    """Name, who counts, among whom."""
    import numpy as np

    both, everybody = of.flagged & of.event, np.ones(len(of.flagged), dtype=bool)
    yield FLAGGED, of.flagged, everybody
    yield FOUND, both, of.event
    yield RIGHT, both, of.flagged
    yield MEANT, of.event, everybody


def _sums(of: Scored, who: "np.ndarray") -> Sums:
    residual = of.label[who] - of.predicted[who]
    spread = float(residual.std()) * math.sqrt(len(residual)) if len(residual) else 0.0
    return Sums(float(of.predicted[who].sum()), float(of.label[who].sum()), spread)


def criteria(found: Sequence[Pair]) -> Iterator[Criterion]:
    """One criterion for each attribute and rate."""
    unfair = _unfair(found)
    for attribute in ATTRIBUTES:
        for rate in RATES:
            of = [p for p in found if (p.attribute, p.rate) == (attribute, rate)]
            yield _criterion(attribute, rate, of, [p for p in of if p in unfair])


def _criterion(attribute: str, rate: str, found: Sequence[Pair], unfair: Sequence[Pair]) -> Criterion:
    name = f"{rate} by {attribute}"
    refuses = blocks(attribute, rate)
    limit = BAND if refuses else f"{REPORTED}; {BAND}"
    notes = tuple(_notes(name, found, unfair)) if refuses else ()
    farthest = worst(found)
    if refuses and not farthest:
        reason = f"{name}: no two groups have members and hits enough to be compared, so fairness can't be computed."
        return Criterion(name, REFUSED, limit, reason=reason, notes=notes, cell=(attribute, rate))
    return Criterion(
        name,
        REFUSED if unfair else PASSED,
        limit,
        farthest.ratio if farthest and farthest.may_be_shown else None,
        reason=" ".join(f"{name}: {p.said}, beyond chance." for p in unfair),
        notes=notes,
        group=f"{farthest.group} {farthest.shown_ratio}" if farthest else "",
        cell=(attribute, rate),
    )


def _unfair(found: Sequence[Pair]) -> set[Pair]:
    """Of all pairs that may refuse."""
    return unfair_of([p for p in found if blocks(p.attribute, p.rate)])


def unfair_of(family: Sequence[Pair]) -> set[Pair]:
    """Those that fail; where nothing was observed a prediction may still be right, so of MEANT only chance decides."""
    beyond = beyond_chance(p for p in family if p.judged)
    return {p for p in failing(family) if p.rate != MEANT or p in beyond}


def _notes(name: str, found: Sequence[Pair], unfair: Sequence[Pair]) -> Iterator[str]:
    small = sorted(p.group for p in found if not p.judged)
    if small:
        yield f"{name}: not judged, because too small: {', '.join(small)}."
    for p in found:
        if p.judged and not p.in_band and p not in unfair:
            yield f"{name}: {p.said}, which chance may explain."


def _groups(rows: "pd.DataFrame", attribute: str) -> "np.ndarray":
    """As text; a missing value and the word for it are one group."""
    values: pd.Series = rows.loc[:, attribute]
    words = values.astype("object").where(values.notna(), UNKNOWN).map(str)
    return words.where(words.str.lower() != UNKNOWN, UNKNOWN).to_numpy().astype(str)
