"""Who is covered when: joins, ends, gaps, changes of aid and address, and when the payer comes to know of them.

A span is a stretch of months with the same coverage and attributes. The files that tell of spans are written by
`eligibility.py`.
"""

from dataclasses import dataclass

import numpy as np

from claims_assets.synthetic.arrays import NO_DAY, Array, Table, first_day, month_of_day
from claims_assets.synthetic.population import Population
from claims_assets.synthetic.rates import share

COVERED_AT_START = 0.80
MONTHLY_END = {"child": 0.009, "adult": 0.017, "elder": 0.004}
"""Chance of losing coverage in a month."""
RETURNS = 0.55
"""Share of those who lose coverage that come back, after 1 to 9 months."""
MID_MONTH = 0.12
"""Share of true joins and ends that fall inside a month."""
KNOWN_LATE = 0.06
"""Share of new spans that become known 1 or 2 months after they began (retroactive eligibility)."""
MOVES = 0.25
"""Share of members who move once within the window."""


@dataclass(frozen=True)
class Enrolment:
    """Coverage of one block. `first` and `last` (members, months) are days of the month 1..31, 0 where not covered."""

    covered: Array
    first: Array
    last: Array
    spans: Table
    """member, start, stop (days; stop NO_DAY while open), known_start, known_stop (month offsets), aid, moved, died."""
    gaps: int
    retro_terms: int

    def days(self, rng: np.random.Generator, member: Array, month: Array, first_month: int) -> Array:
        """A random covered day of each (member, month offset)."""
        low, high = self.first[member, month], self.last[member, month]
        day = low + np.floor(rng.random(len(member)) * (high - low + 1)).astype(np.int64)
        return first_day(first_month + month) + day - 1


def enrol(people: Population, rng: np.random.Generator, dirt: float) -> Enrolment:
    """Draw the coverage of one block of members."""
    ages = people.ages()
    covered = _coverage(people, ages, rng)
    first, last = _edges(people, covered, rng)
    spans, retro = _spans(people, ages, covered, first, last, rng, dirt)
    joins = (np.diff(covered.astype(np.int8), axis=1, prepend=0) == 1).sum(axis=1)
    return Enrolment(covered, first, last, spans, int((joins - 1).clip(0).sum()), retro)


def _coverage(people: Population, ages: Array, rng: np.random.Generator) -> Array:
    n, months = ages.shape
    start = np.where(rng.random(n) < COVERED_AT_START, 0, rng.integers(0, months, n))
    born = month_of_day(people.birth) - people.block.first_month
    start = np.where(born > 0, np.minimum(born, months - 1), start)
    died = np.where(people.death == NO_DAY, months, month_of_day(people.death) - people.block.first_month)
    band = np.digitize(ages, (19, 65))
    hazard = np.array(list(MONTHLY_END.values()))[band] * np.exp(-0.15 * people.frailty)[:, None]
    leaves = rng.random((n, months)) < hazard
    away = np.where(rng.random((n, months)) < RETURNS, rng.integers(1, 10, (n, months)), months + 1)
    covered = np.zeros((n, months), dtype=bool)
    back = start
    for t in range(months):
        covered[:, t] = (t >= back) & (t <= died)
        back = np.where(covered[:, t] & leaves[:, t], t + 1 + away[:, t], back)
    return covered


def _edges(people: Population, covered: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """First and last covered day of each month, 0 where there is none."""
    n, months = covered.shape
    block = people.block
    length = np.diff(first_day(np.arange(block.first_month, block.first_month + months + 1)))
    begins = covered & ~np.c_[np.zeros(n, bool), covered[:, :-1]]
    ends = covered & ~np.c_[covered[:, 1:], np.ones(n, bool)]
    first = np.where(
        begins & (rng.random((n, months)) < MID_MONTH) & (np.arange(months) > 0),
        rng.integers(2, 15, (n, months)),
        1,
    )
    last = np.where(ends & (rng.random((n, months)) < MID_MONTH), rng.integers(15, 28, (n, months)), length[None, :])
    for days, edge in ((people.birth, first), (people.death, last)):
        month = month_of_day(days) - block.first_month
        hit = np.flatnonzero((days != NO_DAY) & (month >= 0) & (month < months))
        edge[hit, month[hit]] = days[hit] - first_day(block.first_month + month[hit]) + 1
    first = np.minimum(first, last)
    return np.where(covered, first, 0), np.where(covered, last, 0)


def _spans(
    people: Population, ages: Array, covered: Array, first: Array, last: Array, rng: np.random.Generator, dirt: float
) -> tuple[Table, int]:
    """Runs of equal coverage and attributes, and how many ends become known late within the window."""
    n, months = covered.shape
    block = people.block
    move_month = np.where(rng.random(n) < MOVES, rng.integers(1, months + 1, n), months + 1)
    moved = np.arange(months)[None, :] >= move_month[:, None]
    band = np.digitize(ages, (19, 65))
    member, begin, end = _runs(np.where(covered, 1 + moved + 2 * band, 0))
    died = (people.death[member] != NO_DAY) & (month_of_day(people.death[member]) - block.first_month == end)
    still_open = (end == months - 1) & ~died
    stop = np.where(still_open, NO_DAY, first_day(block.first_month + end) + last[member, end] - 1)
    goes_on = np.r_[(member[1:] == member[:-1]) & (begin[1:] == end[:-1] + 1), False]
    late = ~still_open & ~goes_on & (rng.random(len(member)) < share("retro_term", dirt))
    known_stop = end + 1 + np.where(late, rng.integers(2, 6, len(member)), 0)
    late_start = (begin > 0) & (rng.random(len(member)) < KNOWN_LATE)
    spans = {
        "member": member, "start": _starts(people, member, begin, first, rng), "stop": stop,
        "known_start": begin + np.where(late_start, rng.integers(1, 3, len(member)), 0), "known_stop": known_stop,
        "aid": people.aid[member, band[member, begin]], "moved": moved[member, begin], "died": died,
        "is_65": band[member, begin] == 2,
    }  # fmt: skip
    return spans, int((late & (known_stop < months)).sum())


def _runs(key: Array) -> tuple[Array, Array, Array]:
    """Member, first and last month offset of each run of equal positive keys."""
    none = np.zeros(len(key), key.dtype)
    member, begin = np.nonzero((key != np.c_[none, key[:, :-1]]) & (key > 0))
    _, end = np.nonzero((key != np.c_[key[:, 1:], none]) & (key > 0))
    return member, begin, end


def _starts(people: Population, member: Array, begin: Array, first: Array, rng: np.random.Generator) -> Array:
    """Effective day of each span; those of the first month mostly began up to five years before."""
    block = people.block
    start = first_day(block.first_month + begin) + first[member, begin] - 1
    earlier = (begin == 0) & (people.birth[member] < start - 400)
    back = np.minimum(rng.integers(0, 61, len(member)), (start - people.birth[member]) // 31)
    return np.where(earlier, first_day(block.first_month - back), start)
