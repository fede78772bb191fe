"""Chains of claim versions: which version stands, and since when another one has cancelled it.

Plain Python over the versions that take part in a chain (a few percent of a feed's claims), because a chain is a walk
of unknown length: as self-joins it re-reads the landing stage at every step, and stops at a fixed depth.
Elsewhere: which versions take part (`bronze/claim_links.py`), what becomes of their lines (`silver/claim_versions.py`).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas

ORIGINAL, VOID, REPLACEMENT = "0", "1", "4"
"""T-MSIS ADJUSTMENT-IND; every other value (5 and 6 are gross adjustments) stands on its own, like an original."""

SEPARATOR = "\n"
"""Stands between the ids that the lines of one version name; the landing stage has trimmed them."""

LINKED, UNKNOWN_ORIGINAL, CYCLE = "linked", "original_is_unknown", "chain_has_a_cycle"
CHAIN_STATES = (LINKED, UNKNOWN_ORIGINAL, CYCLE)

GIVEN = ("claim_id", "adjustment_indicator", "original_claim_id", "paid_date", "known_from")
ANSWERS = ("root_claim_id", "cancelled_on", "cancelled_by", "chain_state")


def day_of(paid_date: str | None, known_from: str) -> str:
    """The day it was paid; without one, the first on which it can have been known."""
    return paid_date or f"{known_from}-01"


@dataclass(slots=True)
class Version:
    """One version of a claim: GIVEN as text, and ANSWERS, which `resolve` fills."""

    claim_id: str
    adjustment_indicator: str
    original_claim_id: str | None
    """What it voids or replaces, several between SEPARATOR; None, or its own id, where both bear the same id."""
    paid_date: str | None
    known_from: str
    root_claim_id: str = ""
    cancelled_on: str | None = None
    cancelled_by: str | None = None
    chain_state: str = LINKED

    @property
    def named(self) -> set[str]:
        """Ids of the claims it adjusts: its own only where it names no other."""
        ids = set((self.original_claim_id or self.claim_id).split(SEPARATOR))
        return ids - {self.claim_id} or ids

    @property
    def names_another(self) -> bool:
        return self.claim_id not in self.named

    @property
    def adjusts_its_own_id(self) -> bool:
        return not self.names_another and self.adjustment_indicator != ORIGINAL

    @property
    def rank(self) -> str:
        """Void before replacement; an original that names another claim replaces it."""
        return (
            REPLACEMENT if self.adjustment_indicator == ORIGINAL and self.names_another else self.adjustment_indicator
        )

    @property
    def day(self) -> str:
        return day_of(self.paid_date, self.known_from)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a claim id sits in its chain."""

    depth: int
    """Names to walk up to the root."""
    day: str
    """Its own day, or a later one of a claim above it: what names another comes after it, whatever the dates say."""


def resolve(versions: Sequence[Version]) -> None:
    """Fill the answers of all versions of one feed; the order in which they are given does not matter.

    A chain is every claim that names lead to. Inside it a version comes after the one it names; else the paid date
    decides, then the depth, then void before replacement, then the claim id. A version is cancelled in the first month
    in which a later version of its chain is known, together with the names that lead to it.
    """
    names = _names(versions)
    places = _places(versions, names)
    root_of, cyclic = _roots(names, places)
    held_by = defaultdict(list)
    for v in versions:
        held_by[v.claim_id].append(v)
    for v in versions:
        v.root_claim_id = root_of[v.claim_id]
        held = [h for claim in v.named for h in held_by[claim]]
        v.chain_state = CYCLE if v.root_claim_id in cyclic else _state(v, held)
    _replay([v for v in versions if v.chain_state != CYCLE], places)


def resolved(versions: "pandas.DataFrame") -> "pandas.DataFrame":
    """`resolve` for a frame that holds GIVEN as text: the same rows with ANSWERS added."""
    given = versions[list(GIVEN)].astype(object)
    # What is missing arrives as None or NaN, by the versions of pandas and Arrow that a cluster has.
    found = [Version(*row) for row in given.where(given.notna(), None).itertuples(index=False, name=None)]
    resolve(found)
    return versions.assign(**{name: [getattr(v, name) for v in found] for name in ANSWERS})


def _names(versions: Iterable[Version]) -> dict[str, set[str]]:
    """Claim id -> the other ids it names; ids that are only named are there too."""
    names: dict[str, set[str]] = defaultdict(set)
    for v in versions:
        names[v.claim_id] |= v.named - {v.claim_id}
        for claim in v.named:
            names.setdefault(claim, set())
    return dict(names)


def _places(versions: Iterable[Version], names: Mapping[str, set[str]]) -> dict[str, Place]:
    """Place of each claim id, from the roots down; an id in a cycle, or hanging on one, has none."""
    own_day: dict[str, str] = defaultdict(str)
    for v in versions:
        if not v.adjusts_its_own_id:
            own_day[v.claim_id] = max(own_day[v.claim_id], v.day)
    sorter = TopologicalSorter(names)
    # After the error the sorter still hands out every id that is free of the cycle.
    with suppress(CycleError):
        sorter.prepare()
    places: dict[str, Place] = {}
    while ready := sorter.get_ready():
        for claim in ready:
            above = [places[n] for n in names[claim]]
            depth = 1 + max((p.depth for p in above), default=-1)
            places[claim] = Place(depth, max([own_day[claim], *(p.day for p in above)]))
        sorter.done(*ready)
    return places


def _roots(names: Mapping[str, set[str]], places: Mapping[str, Place]) -> tuple[dict[str, str], set[str]]:
    """Claim id -> root of its chain, and the roots of the chains that hold a cycle.

    The root is the id that names no other: the smallest one where there are several, or (in a cycle) none.
    """
    chains = _Sets()
    for claim, others in names.items():
        for other in others:
            chains.unite(claim, other)
    members: dict[str, list[str]] = defaultdict(list)
    for claim in names:
        members[chains.of(claim)].append(claim)
    root_of, cyclic = {}, set()
    for claims in members.values():
        root = min([claim for claim in claims if not names[claim]] or claims)
        root_of.update(dict.fromkeys(claims, root))
        if any(claim not in places for claim in claims):
            cyclic.add(root)
    return root_of, cyclic


def _state(version: Version, held: Iterable[Version]) -> str:
    """Whether a claim that a version names is known; a void can't be what another version of its own id adjusts."""
    if not version.names_another:
        known = not version.adjusts_its_own_id or any(h is not version and h.adjustment_indicator != VOID for h in held)
    else:
        known = any(held)
    return LINKED if known else UNKNOWN_ORIGINAL


def _replay(versions: Iterable[Version], places: Mapping[str, Place]) -> None:
    """Let the versions arrive month by month; of those that names connect so far, only the last stands.

    So the answer for a past month is the one that could be given in that month, whatever arrived since.
    """

    def order(v: Version) -> tuple:
        place = places[v.claim_id]
        depth = place.depth + v.adjusts_its_own_id
        return max(place.day, v.day), depth, v.day, v.rank, v.claim_id, v.adjustment_indicator

    connected, standing = _Sets(), defaultdict(list)
    for month, arrived in groupby(sorted(versions, key=attrgetter("known_from")), key=attrgetter("known_from")):
        touched = set()
        for v in arrived:
            for claim in v.named:
                into, gone = connected.unite(v.claim_id, claim)
                if into != gone:
                    standing[into] += standing.pop(gone, [])
            standing[connected.of(v.claim_id)].append(v)
            touched.add(v.claim_id)
        for chain in {connected.of(claim) for claim in touched}:
            *earlier, last = sorted(standing[chain], key=order)
            for v in earlier:
                v.cancelled_on, v.cancelled_by = month, last.claim_id
            standing[chain] = [last]


class _Sets:
    """Disjoint sets of claim ids."""

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}

    def of(self, claim: str) -> str:
        """The id that stands for the set of this one."""
        parent = self._parent
        parent.setdefault(claim, claim)
        while parent[claim] != claim:
            parent[claim] = parent[parent[claim]]
            claim = parent[claim]
        return claim

    def unite(self, one: str, other: str) -> tuple[str, str]:
        """Make one set of two; returns the ids that stood for them, first the one that still does."""
        into, gone = self.of(one), self.of(other)
        self._parent[gone] = into
        return into, gone
