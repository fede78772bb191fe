"""Errors put into single values, lines and files: each kind hits its own rows, so that every count can be reconciled.

A line carries at most one error (`junk`: a position in LINE_KINDS or FILL_KINDS, plus one); `writers.py` turns it into
text.
"""

import numpy as np

from claims_assets.synthetic.adjustments import PAID, Counts
from claims_assets.synthetic.arrays import NO_DAY, Array, Table, first_day, month_of_day, rows_of, share_of
from claims_assets.synthetic.enrolment import Enrolment
from claims_assets.synthetic.medical import pay_dates
from claims_assets.synthetic.population import Population
from claims_assets.synthetic.providers import Providers
from claims_assets.synthetic.rates import share

LINE_KINDS = (
    "unknown_member", "missing_member", "unreadable_date", "future_date", "unreadable_amount",
    "unknown_claim_type", "odd_diagnosis",
)  # fmt: skip
FILL_KINDS = ("rx_unknown_member", "rx_unreadable_date", "rx_unreadable_amount")
PLAIN, UNDOTTED, LOWER, PADDED = range(4)
"""How a claim writes its ICD codes."""
FUTURE_DAYS = 30 * 365 + 7
QUIET_MONTHS = 250
"""Days before the end of the window in which no claim is moved past the end of coverage."""


def outside_enrolment(
    claims: Table, people: Population, cover: Enrolment, rng: np.random.Generator, dirt: float
) -> int:
    """Move some claims to 1 to 75 days after their member's coverage ended (in place)."""
    block = people.block
    last = np.full(block.members, NO_DAY, np.int64)
    np.maximum.at(last, cover.spans["member"], np.where(cover.spans["stop"] == NO_DAY, 10**6, cover.spans["stop"]))
    last[people.death != NO_DAY] = 10**6
    end = int(first_day(block.last_month + 1))
    candidates = np.flatnonzero((last[claims["member"]] < end - QUIET_MONTHS) & (claims["admit"] == NO_DAY))
    wanted = min(1.0, share("outside_enrolment", dirt) * rows_of(claims) / max(1, len(candidates)))
    rows = candidates[share_of(rng, len(candidates), wanted)]
    length = claims["to_day"][rows] - claims["from_day"][rows]
    claims["from_day"][rows] = last[claims["member"][rows]] + rng.integers(1, 76, len(rows))
    claims["to_day"][rows] = claims["from_day"][rows] + length
    dates = pay_dates(claims["to_day"][rows], rng, block.first_month)
    dates["paid_day"] = np.minimum(dates["paid_day"], end - 1)
    dates["received"] = month_of_day(dates["paid_day"]) - block.first_month
    for name, values in dates.items():
        claims[name][rows] = values
    return len(rows)


def late_files(claims: Table, months: int, rng: np.random.Generator, dirt: float) -> int:
    """All claims of some months arrive later, in a file of their own (in place)."""
    possible = np.arange(2, max(2, months - 6))
    chosen = possible[share_of(rng, len(possible), min(1.0, share("late_file", dirt) * months / max(1, len(possible))))]
    own_month = claims["received"].copy()
    for month in chosen:
        rows = own_month == month
        claims["received"][rows] = month + rng.integers(2, 6)
        claims["late"][rows] = month + 1
    return len(chosen)


def write_styles(claims: Table, providers: Providers, rng: np.random.Generator, dirt: float) -> Counts:
    """How each claim writes its diagnosis codes (in place)."""
    n = rows_of(claims)
    claims["style"] = np.where(providers.undotted[claims["provider"]], UNDOTTED, PLAIN).astype(np.int8)
    order = rng.permutation(n)
    lower, padded = np.split(
        order, np.cumsum([round(share(k, dirt) * n) for k in ("lower_case_diagnosis", "padded_diagnosis")])
    )[:2]
    claims["style"][lower], claims["style"][padded] = LOWER, PADDED
    return {"lower_case_diagnosis": len(lower), "padded_diagnosis": len(padded)}


def spoil_lines(claims: Table, lines: Table, rng: np.random.Generator, dirt: float) -> Counts:
    """Errors in lines of paid originals that no later claim names (in place)."""
    named = np.isin(claims["id"], claims["original"])
    good = (claims["indicator"] == 0) & (claims["status"] == PAID) & ~named
    return _spoil(lines["junk"], good[lines["claim"]], LINE_KINDS, rng, dirt)


def spoil_fills(fills: Table, rng: np.random.Generator, dirt: float) -> Counts:
    """Errors in paid original fills that no void names, and NDCs with dashes (in place)."""
    named = np.isin(fills["id"], fills["original"])
    good = (fills["indicator"] == 0) & (fills["status"] == PAID) & ~named
    dashed = share_of(rng, rows_of(fills), share("dashed_ndc", dirt))
    fills["dashed"][dashed] = True
    return {**_spoil(fills["junk"], good, FILL_KINDS, rng, dirt), "dashed_ndc": len(dashed)}


def _spoil(junk: Array, good: Array, kinds: tuple[str, ...], rng: np.random.Generator, dirt: float) -> Counts:
    order = rng.permutation(np.flatnonzero(good))
    sizes = [round(share(kind, dirt) * len(junk)) for kind in kinds]
    parts = np.split(order, np.cumsum(sizes))
    for number, rows in enumerate(parts[:-1]):
        junk[rows] = number + 1
    return {kind: len(rows) for kind, rows in zip(kinds, parts[:-1], strict=True)}
