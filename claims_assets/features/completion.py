"""Chain ladder: how much of a month's cost is paid at each age, judged by how earlier months grew.

Cumulative amounts C(i, k): months of service in rows, oldest first, ages in columns, NaN where the future is.
f(k) = sum of C(i, k+1) / sum of C(i, k) over months that have both ages; a month at age k is complete to the share
1 / (f(k) * f(k+1) * ...). Mack, "Distribution-free calculation of the standard error of chain ladder reserve
estimates", ASTIN Bulletin 23 (1993). Elsewhere: what the amounts are (`valuation.py`, `pmpm.py`).
"""

import numpy as np

DIAGONALS = 12
"""Latest steps from one age to the next that a factor is made of: a year, so that no season weighs more than another,
and the payer's habits of this year count, not those of the one before."""
EXTREMES = 1 / 6
"""Share of the steps left out at each end, the usual average without high and low: two of twelve. A file that comes
months late makes one step of every age far too large, and all months of the next year would be completed too high."""
LEAST_HISTORY = 12
"""Ages that must have been seen before the rest may be taken as nothing: providers may bill Medicaid up to twelve
months after the service (42 CFR 447.45 (d) (1))."""
LEAST_CLAIMS = 271
"""Claims that a triangle needs to speak for itself: claim counts of a Poisson process are then within 10% of their
mean in 90% of cases, (1.645 / 0.10) squared (limited fluctuation credibility, Longley-Cook 1962)."""


def development(cumulative: np.ndarray, diagonals: int | None = DIAGONALS, extremes: float = EXTREMES) -> np.ndarray:
    """f(k) for each age but the last, weighted by volume; NaN where it can't be computed.

    That is where no month has both ages, or where either sum is zero or less: a factor of nothing, or of refunds, says
    nothing about growth. A factor below 1 is real: more is taken back than paid at that age.

    Args:
        cumulative: rows are months of service, oldest first; NaN: not known yet.
        diagonals: latest months of service that have both ages; None: all.
        extremes: share of these to leave out at each end, rounded down.
    """
    factors = np.full(cumulative.shape[1] - 1, np.nan)
    for age in range(len(factors)):
        now, later = cumulative[:, age], cumulative[:, age + 1]
        # A month with nothing at either age is before the first claims, or has none: no step at all.
        both = np.flatnonzero(~np.isnan(now) & ~np.isnan(later) & ((now != 0) | (later != 0)))[
            -diagonals if diagonals else None :
        ]
        used = both[_usual(now[both], later[both], int(len(both) * extremes))]
        before, after = now[used].sum(), later[used].sum()
        if before > 0 and after > 0:
            factors[age] = after / before
    return factors


def _usual(now: np.ndarray, later: np.ndarray, n: int) -> np.ndarray:
    """Positions without the `n` that grew least and the `n` that grew most; of equal ones the older count as less."""
    grown = np.where(later == now, 1.0, np.where(later > now, np.inf, -np.inf))  # from nothing, or from less
    np.divide(later, now, out=grown, where=now > 0)
    return np.sort(np.argsort(grown, kind="stable")[n : len(now) - n])


def observed_ages(factors: np.ndarray) -> int:
    """The oldest age that a factor leads to; 0 without any."""
    known = np.flatnonzero(~np.isnan(factors))
    return int(known[-1]) + 1 if len(known) else 0


def completion(factors: np.ndarray, oldest: int) -> np.ndarray:
    """Share of the final amount that is paid at each age; NaN where a factor on the way is missing.

    Nothing is assumed to be paid after the age `oldest` (a tail of 1). The share is above 1 where what is still to be
    taken back exceeds what is still to be paid; it is not cut, or totals would be too high.
    """
    to_the_end = np.cumprod(factors[:oldest][::-1])[::-1]
    return np.concatenate([1 / to_the_end, np.ones(len(factors) + 1 - oldest)])
