"""Hospice: the last weeks of a part of those who die, and a few who leave it alive, billed by calendar month.

Drawn apart from the other visits (`visits.py`), so that those stay the same.
"""

import numpy as np

from claims_assets.synthetic.arrays import NO_DAY, Array, Table, counter, first_day, month_of_day
from claims_assets.synthetic.codes import at, one
from claims_assets.synthetic.enrolment import Enrolment
from claims_assets.synthetic.medical import DIAGNOSIS_SLOTS, pay_dates
from claims_assets.synthetic.population import Population
from claims_assets.synthetic.providers import Providers

OF_THE_DYING, OF_THE_LIVING = 0.40, 0.003
"""Share of adults who die, and of members from 60 on who do not, with a hospice stay."""
LIVING_FROM_AGE = 60
STAY = (18.0, 1.1, 200)
"""Median, spread and longest stay, days; half of all stays end within three weeks (MedPAC, hospice services)."""
DAILY_CENTS = 21_833
"""Routine home care, days 1 to 60, United States, fiscal year 2024 (CMS-1787-F)."""
DUAL = 0.35
"""Part of it that is left where Medicare pays first."""
REASONS = ("C34.90", "G30.9", "I50.9", "J44.9", "N18.6", "I69.354")
ROUTINE_HOME_CARE, AT_HOME, IN_NURSING_HOME = "0651", "Q5001", "Q5003"
"""Revenue code (NUBC) and the HCPCS codes of the place of care."""
ONLY, FIRST, MIDDLE, LAST = "0811", "0812", "0813", "0814"
"""Type of bill: hospice outside a hospital; admission to discharge, or a part of the stay."""


def hospice_claims(
    people: Population, cover: Enrolment, providers: Providers, rng: np.random.Generator
) -> tuple[Table, Table]:
    """One facility claim and line per member and covered month of a stay."""
    member, start, stop = _stays(people, rng)
    stay, begins, ends = _months(member, start, stop, people, cover)
    who, n = member[stay], len(stay)
    nth, last = _place_in(stay)
    bill = np.select([(nth == 0) & last, nth == 0, last], list(at("bill", ONLY, FIRST, LAST)), one("bill", MIDDLE))
    dx = np.zeros((n, DIAGNOSIS_SLOTS), np.int16)
    dx[:, 0] = at("dx", *REASONS)[rng.integers(0, len(REASONS), len(member))][stay]
    claims: Table = {
        "member": who, "from_day": begins, "to_day": ends, "type": np.full(n, one("type", "OP")), "dx": dx,
        "provider": providers.choose(rng, "home", people.pcp_choice[who], loyalty=1.0), "bill": bill,
        "place": np.full(n, one("place", "12")), **pay_dates(ends, rng, people.block.first_month),
    }  # fmt: skip
    days = ends - begins + 1
    allowed = np.rint(days * DAILY_CENTS * np.where(people.dual[who], DUAL, 1.0)).astype(np.int64)
    lines: Table = {
        "claim": np.arange(n), "line": np.ones(n, np.int16), "rev": np.full(n, one("rev", ROUTINE_HOME_CARE)),
        "proc": np.where(people.nursing_home[who], one("proc", IN_NURSING_HOME), one("proc", AT_HOME)),
        "units": days, "billed": allowed * 2, "allowed": allowed, "paid": allowed,
    }  # fmt: skip
    return claims, lines


def _stays(people: Population, rng: np.random.Generator) -> tuple[Array, Array, Array]:
    """Member, first and last day of each stay."""
    n, (first, after) = people.block.members, (people.block.first_month, people.block.last_month + 1)
    begin, end = int(first_day(first)), int(first_day(after))
    median, spread, longest = STAY
    days = np.clip(np.rint(np.exp(rng.normal(0, spread, n)) * median), 1, longest).astype(np.int64)
    chance, any_day = rng.random(n), rng.integers(begin, end, n)
    dies = people.death != NO_DAY
    adult = (people.death - people.birth) >= 18 * 365.25
    old = (any_day - people.birth) >= LIVING_FROM_AGE * 365.25
    who = np.flatnonzero(np.where(dies, adult & (chance < OF_THE_DYING), old & (chance < OF_THE_LIVING)))
    start = np.where(dies, people.death - days, any_day)[who]
    return who, np.maximum(start, begin), np.where(dies, people.death, np.minimum(any_day + days, end - 1))[who]


def _months(
    member: Array, start: Array, stop: Array, people: Population, cover: Enrolment
) -> tuple[Array, Array, Array]:
    """Position of the stay, first and last covered day, of each calendar month that a stay touches."""
    first, last = (month_of_day(day) - people.block.first_month for day in (start, stop))
    stay = np.repeat(np.arange(len(member)), last - first + 1)
    month = np.concatenate([np.arange(a, b + 1) for a, b in zip(first, last, strict=True)] or [stay])
    opens = first_day(people.block.first_month + month) - 1
    low, high = (edge[member[stay], month] for edge in (cover.first, cover.last))
    begins, ends = np.maximum(start[stay], opens + low), np.minimum(stop[stay], opens + high)
    kept = (low > 0) & (begins <= ends)
    return stay[kept], begins[kept], ends[kept]


def _place_in(stay: Array) -> tuple[Array, Array]:
    """Number of each bill within its stay from 0, and whether it is the last."""
    return counter(stay), np.r_[stay[1:] != stay[:-1], True][: len(stay)]
