"""Months of service valued as of later months: what was paid by then, and what will be when all is in.

Plain NumPy over movements that are already summed by month of service, category and month (a few thousand rows for
many years), because a triangle is a cube of numbers: as DataFrames, each of its parts would read all claims again.
Here: cumulative amounts, the choice of triangle, rates. Elsewhere: the movements (`pmpm.py`, `visits_and_nights.py`),
the chain ladder itself (`completion.py`). Months are numbers (`partitions.month_index`).
"""

from calendar import monthrange
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from claims_assets.features.completion import LEAST_CLAIMS, LEAST_HISTORY, completion, development, observed_ages
from claims_assets.partitions import month_of_index
from claims_assets.silver.service_categories import EMERGENCY, INPATIENT, SERVICE_CATEGORIES

if TYPE_CHECKING:
    import pandas

VALUED_MONTHS = 24
"""Months of service up to each as-of month: twelve in which providers may still bill, and twelve in which the agency
must have paid what they billed (42 CFR 447.45 (d) (1) and (4))."""
MATURE_FACTOR = 0.9
"""Below this a month is immature (chain-ladder practice; the same limit keeps months out of training outcomes)."""
MATURE_AGE = 3
"""Months of run-out before an incurred cost is used (tuva-health/tuva, incurred and paid run-out)."""
RATE_BASE = 12_000
"""Per 1,000 members and year: twelve months times a thousand."""

MOVED = (
    "paid", "claims", "claim_lines", "paid_outside", "lines_outside", "ed_visits", "inpatient_days",
)  # fmt: skip
"""What adds up from month to month; amounts in cents."""
EXPOSED = ("members", "enrolled_days")

OWN, ALL = "service_category", "all_categories"
BASES = (OWN, ALL)
"""Whose development made a factor."""

VALUED = (
    "as_of int, incurred int, service_category string, age_months int, members bigint, member_months double,"
    " claims bigint, claim_lines bigint, paid bigint, completion_factor double, completion_basis string,"
    " completed_paid bigint, is_mature boolean, pmpm double, completed_pmpm double, lines_outside bigint,"
    " paid_outside bigint, ed_visits bigint, ed_visits_per_1000 double, inpatient_days bigint,"
    " inpatient_days_per_1000 double"
)


def valued(facts: "pandas.DataFrame", months: Sequence[int]) -> "pandas.DataFrame":
    """Each month of service M-23..M and category as of each asked month M, in the columns of VALUED.

    Months of service in which nobody was enrolled and no claim line was known by M have no rows.

    Args:
        facts: `incurred`, `moved` (month in which it became known), `service_category`, and MOVED and EXPOSED as whole
            numbers; members and days have no category, and move nothing.
        months: as-of months.
    """
    import pandas as pd

    first = min(months) - VALUED_MONTHS + 1
    cube = _cumulative(facts, first, max(months))
    exposed = _exposed(facts, first, max(months))
    found = []
    for as_of in months:
        rows = slice(as_of - VALUED_MONTHS + 1 - first, as_of + 1 - first)
        found.append(_as_of(as_of, {n: x[:, rows] for n, x in cube.items()}, {n: x[rows] for n, x in exposed.items()}))
    return pd.concat(found, ignore_index=True).reindex(columns=[c.split()[0] for c in VALUED.split(",")])


def _cumulative(facts: "pandas.DataFrame", first: int, last: int) -> dict[str, np.ndarray]:
    """Of each of MOVED the sum at each age: category x month of service x age."""
    import pandas as pd

    category = np.asarray(pd.Categorical(facts["service_category"], categories=list(SERVICE_CATEGORIES)).codes)
    incurred = np.asarray(facts["incurred"])
    age = np.asarray(facts["moved"]) - incurred
    inside = (category >= 0) & (incurred >= first) & (incurred <= last) & (age < VALUED_MONTHS)
    at = (category[inside], incurred[inside] - first, age[inside])
    cube = {}
    for name in MOVED:
        moved = np.zeros((len(SERVICE_CATEGORIES), last - first + 1, VALUED_MONTHS), dtype=np.int64)
        np.add.at(moved, at, np.asarray(facts[name])[inside])
        cube[name] = moved.cumsum(axis=2)
    return cube


def _exposed(facts: "pandas.DataFrame", first: int, last: int) -> dict[str, np.ndarray]:
    """Members and member months of each month of service; partial months count by their days."""
    incurred = np.asarray(facts["incurred"])
    inside = (incurred >= first) & (incurred <= last)
    found = {}
    for name in EXPOSED:
        found[name] = np.zeros(last - first + 1, dtype=np.int64)
        np.add.at(found[name], incurred[inside] - first, np.asarray(facts[name])[inside])
    days = np.array([monthrange(*_year_and_month(m))[1] for m in range(first, last + 1)])
    return {"members": found["members"], "member_months": found["enrolled_days"] / days}


def _year_and_month(number: int) -> tuple[int, int]:
    year, month = month_of_index(number).split("-")
    return int(year), int(month)


def _as_of(as_of: int, cube: dict[str, np.ndarray], exposed: dict[str, np.ndarray]) -> "pandas.DataFrame":
    """All rows of one as-of month; the cube and the exposure hold its months of service only."""
    import pandas as pd

    ages = np.arange(VALUED_MONTHS)[::-1]
    known = {n: x[:, np.arange(VALUED_MONTHS), ages] for n, x in cube.items()}
    share, basis = _completion(cube["paid"], known["claims"])
    category = np.repeat(SERVICE_CATEGORIES, VALUED_MONTHS)
    frame = pd.DataFrame({n: x.ravel() for n, x in known.items()})
    frame["as_of"], frame["incurred"] = as_of, as_of - np.tile(ages, len(SERVICE_CATEGORIES))
    frame["service_category"], frame["age_months"] = category, as_of - frame["incurred"]
    for name, values in exposed.items():
        frame[name] = np.tile(values, len(SERVICE_CATEGORIES))
    frame["completion_factor"], frame["completion_basis"] = share.ravel(), basis.ravel()
    frame["completed_paid"] = (frame["paid"] / frame["completion_factor"]).round().astype("Int64")
    frame["is_mature"] = (frame["completion_factor"] >= MATURE_FACTOR) & (frame["age_months"] >= MATURE_AGE)
    seen = (frame["members"] > 0) | (frame["claim_lines"] > 0) | (frame["lines_outside"] > 0)
    return _with_rates(frame.loc[seen])


def _completion(paid: np.ndarray, claims: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Factor and basis of each category and month of service; NaN and None while the history is too short."""
    ages = np.arange(VALUED_MONTHS)[::-1]
    future = np.arange(VALUED_MONTHS)[None, :] > ages[:, None]
    triangles = np.where(future, np.nan, paid)
    together = development(triangles.sum(axis=0))
    oldest = observed_ages(together)
    share = np.full(claims.shape, np.nan)
    basis = np.full(claims.shape, None, dtype=object)
    if oldest < LEAST_HISTORY:
        return share, basis
    of_all = completion(together, oldest)[ages]
    for n, triangle in enumerate(triangles):
        own = completion(development(triangle), oldest)[ages]
        usable = ~np.isnan(own) & (claims[n].sum() >= LEAST_CLAIMS)
        share[n], basis[n] = np.where(usable, own, of_all), np.where(usable, OWN, ALL)
    basis[np.isnan(share)] = None
    return share, basis


def _with_rates(frame: "pandas.DataFrame") -> "pandas.DataFrame":
    """Per member and month, in dollars; visits and days per 1,000, on the row of their own category only."""
    exposure = frame["member_months"].where(frame["member_months"] > 0)
    frame = frame.assign(
        pmpm=frame["paid"] / 100 / exposure,
        completed_pmpm=frame["completed_paid"].astype("Float64") / 100 / exposure,
    )
    for name, category in (("ed_visits", EMERGENCY), ("inpatient_days", INPATIENT)):
        frame[name] = frame[name].astype("Int64").where(frame["service_category"] == category)
        frame[f"{name}_per_1000"] = frame[name].astype("Float64") * RATE_BASE / exposure
    return frame
