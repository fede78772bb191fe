"""Columnar tables as plain numpy arrays, random streams, and month arithmetic: the generator's small tools.

Text is made only while a file is written (`writers.py`): until then ids, codes and dates are integers, so a block of
members stays small. Days are days since 1970-01-01, months are months since year 0, money is in cents.
"""

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import ArrayLike

NO_DAY = -1
"""A date that is not given."""

Array = np.ndarray
Table = dict[str, np.ndarray]
"""Equally long columns by name; a matrix column has one row per table row."""


def stream(seed: int, block: int, concern: str) -> np.random.Generator:
    """A random stream of its own for one concern of one block, so that a change in one leaves the others alone."""
    return np.random.default_rng([seed, block, *concern.encode()])


def rows_of(table: Table) -> int:
    """Number of rows."""
    return len(next(iter(table.values())))


def take(table: Table, index: Array) -> Table:
    """The rows at `index` (positions or a boolean mask)."""
    return {name: column[index] for name, column in table.items()}


def stack(tables: Iterable[Table], defaults: Mapping[str, ArrayLike]) -> Table:
    """All rows of all tables, with exactly the columns of `defaults`; a column a table lacks gets its default."""
    none = {name: np.zeros((0, *np.shape(default)), np.asarray(default).dtype) for name, default in defaults.items()}
    parts = [none, *(t for t in tables if rows_of(t))]
    return {name: np.concatenate([_column(t, name, default) for t in parts]) for name, default in defaults.items()}


def _column(table: Table, name: str, default: ArrayLike) -> Array:
    if name in table:
        return np.asarray(table[name]).astype(np.asarray(default).dtype, copy=False)
    shape = (rows_of(table), *np.shape(default))
    return np.broadcast_to(np.asarray(default), shape)


def occurrences(rng: np.random.Generator, rate: Array) -> tuple[Array, Array]:
    """Poisson events for a (members, months) matrix of rates: the member and the month offset of each event."""
    counts = rng.poisson(rate)
    members, months = np.nonzero(counts)
    times = counts[members, months]
    return np.repeat(members, times), np.repeat(months, times)


def counter(groups: Array) -> Array:
    """0, 1, 2, ... within each run of equal neighbours."""
    if not len(groups):
        return np.zeros(0, dtype=np.int64)
    starts = np.flatnonzero(np.r_[True, groups[1:] != groups[:-1]])
    lengths = np.diff(np.r_[starts, len(groups)])
    return np.arange(len(groups)) - np.repeat(starts, lengths)


def share_of(rng: np.random.Generator, size: int, share: float) -> Array:
    """Sorted positions of a random sample of round(share * size) rows."""
    wanted = min(size, round(share * size))
    return np.sort(rng.choice(size, wanted, replace=False)) if wanted else np.zeros(0, dtype=np.int64)


def month_number(month: str) -> int:
    """'YYYY-MM' as months since year 0."""
    return int(month[:4]) * 12 + int(month[5:7]) - 1


def month_text(number: int) -> str:
    """The inverse of `month_number`."""
    return f"{number // 12:04d}-{number % 12 + 1:02d}"


def first_day(months: Array | int) -> Array:
    """First day of each month number, as days since 1970-01-01."""
    return (np.asarray(months) - 1970 * 12).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)


def month_of_day(days: Array) -> Array:
    """Month number of each day."""
    return np.asarray(days).astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) + 1970 * 12


def cents(rng: np.random.Generator, median: Array | float, spread: float, size: int) -> Array:
    """Log-normal amounts around `median` USD, in whole cents."""
    return np.rint(np.exp(rng.normal(0.0, spread, size)) * np.asarray(median) * 100).astype(np.int64)
