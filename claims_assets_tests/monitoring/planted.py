"""Populations as profiles by month, made in plain Python; what is planted begins in one month."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import chain, repeat

import numpy as np

from claims_assets.monitoring.psi import Profile
from claims_assets.partitions import add_months, months_between
from claims_assets.predictions.monthly_profiles import FEATURES, POPULATION

FIRST = "2022-01"
MONTHS = months_between(FIRST, "2024-06")
STARTS = "2024-03"
"""Month in which what is planted begins: two years after the first one with a full look-back."""
MEMBERS = 2_000
Rows = list[dict]


def rank(value: float) -> int:
    """By the words of the contract, not by its code."""
    size = abs(value)
    if size < 0.001:
        return 0
    found = math.floor(math.log(size / 0.001) / math.log(1.02)) + 1
    return found if value > 0 else -found


def profile(values: Iterable[float]) -> Profile:
    """Of numbers."""
    given = np.asarray(list(values), dtype=float)
    known = given[~np.isnan(given)]
    distinct, members = np.unique(known, return_counts=True)
    ranks: Counter[int] = Counter()
    for value, n in zip(distinct.tolist(), members.tolist(), strict=True):
        ranks[rank(value)] += n
    return Profile(dict(ranks), {}, int(np.isnan(given).sum()), math.fsum(known))


def rows_of(subject: str, column: str, by_month: Mapping[str, Profile], version: int | None = None) -> Rows:
    """Rows of `gold.monthly_profiles`."""
    found = []
    for month, of in by_month.items():
        about = {"claim_month": month, "subject": subject, "column_name": column, "model_version": version}
        plain = about | {"value_kind": "number", "rank": 0, "word": "", "total": 0.0}
        # The sum of the month stands in one row; that is all that is read of it.
        sums = chain([of.total], repeat(0.0))
        found += [plain | {"rank": r, "members": n, "total": next(sums)} for r, n in of.numbers.items()]
        found += [plain | {"value_kind": "word", "word": w, "members": n} for w, n in of.words.items()]
        found += [plain | {"value_kind": "missing", "members": of.missing}] if of.missing else []
    return found


def amounts(draw: np.random.Generator, month: str, n: int = MEMBERS) -> np.ndarray:
    """What members cost: many nothing, a few very much, and a tenth more in winter."""
    winter = 1.1 if month[5:] in ("11", "12", "01", "02") else 1.0
    return np.where(draw.random(n) < 0.3, 0.0, draw.lognormal(5, 1.5, n) * winter).round(-1)


def words(draw: np.random.Generator, shares: Mapping[str, float]) -> Profile:
    return Profile({}, dict(zip(shares, draw.multinomial(MEMBERS, list(shares.values())).tolist(), strict=True)))


def population(seed: int, kind: str = "") -> Rows:
    """Two inputs, an attribute and a prediction, month by month, with one kind of drift or none."""
    draw = np.random.default_rng(seed)
    ages, cost, race, said = {}, {}, {}, {}
    for month in MONTHS:
        drifts = kind if month >= STARTS else ""
        age = draw.normal(45 + (6 if drifts == "mean shift" else 0), 20, MEMBERS).clip(0, 100).round()
        if drifts == "missing values":
            age[: MEMBERS // 12] = np.nan
        paid = amounts(draw, month)
        if drifts == "out of range":
            paid[: MEMBERS // 30] = 9e8
        shares = {"A": 0.5, "B": 0.3, "C": 0.195, "D": 0.005}
        if drifts == "category shift":
            shares |= {"A": 0.35, "B": 0.45}
        ages[month], cost[month], race[month] = profile(age), profile(paid), words(draw, shares)
        said[month] = profile((draw.beta(2, 6, MEMBERS) * (100 if drifts != "prediction" else 130)).round(1))
    return [
        *rows_of(FEATURES, "age", ages),
        *rows_of(FEATURES, "total_paid_12mo", cost),
        *rows_of(POPULATION, "race", race),
        *rows_of("health_risk_score", "health_risk_score", said, 3),
    ]


KINDS = ("mean shift", "missing values", "out of range", "category shift", "prediction")
FIRST_JUDGED = add_months(FIRST, 11 + 6)
"""Six months with a full look-back are there before it."""
