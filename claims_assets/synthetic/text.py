"""Turns columns of integers into the text of the files: ids, dates, amounts, codes.

Elsewhere: which columns a file has (`writers.py`, `eligibility.py`, `third_party.py`).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from claims_assets.synthetic.arrays import Array
from claims_assets.synthetic.dirt import LOWER, PADDED, PLAIN, UNDOTTED

if TYPE_CHECKING:
    import polars as pl

ID_DIGITS = 12
UNKNOWN_MEMBERS_FROM = 90_000_000
"""Member numbers from here on are in no eligibility file."""


def claim_ids(ids: Array) -> "pl.Series":
    """Twelve digits with leading zeros; NULL where negative."""
    import polars as pl

    series = pl.Series(ids.astype(np.int64))
    return series.set(series < 0, None).cast(pl.String).str.zfill(ID_DIGITS)


def member_ids(numbers: Array) -> "pl.Series":
    """'M' and eight digits."""
    import polars as pl

    return "M" + pl.Series(numbers.astype(np.int64)).cast(pl.String).str.zfill(8)


def provider_ids(positions: Array) -> "pl.Series":
    """As `providers.provider_id`."""
    import polars as pl

    return "PR" + pl.Series(positions.astype(np.int64) + 1).cast(pl.String).str.zfill(6)


def dates(days: Array) -> "pl.Series":
    """ISO dates; NULL where negative (members born before 1970 need `birth_dates`)."""
    import polars as pl

    series = pl.Series(days.astype(np.int32))
    return series.set(series < 0, None).cast(pl.Date).cast(pl.String)


def birth_dates(days: Array) -> "pl.Series":
    """ISO dates, also before 1970."""
    import polars as pl

    return pl.Series(days.astype(np.int32)).cast(pl.Date).cast(pl.String)


def amounts(cents: Array) -> "pl.Series":
    """Cents as dollars with two decimals, exact."""
    import polars as pl

    size = np.abs(cents.astype(np.int64))
    whole, rest = (
        pl.Series("w", size // 100).cast(pl.String),
        pl.Series("r", size % 100).cast(pl.String).str.zfill(2),
    )
    sign = words(("", "-"), (cents < 0).astype(np.int64))
    return pl.select(pl.concat_str([sign, whole, pl.lit("."), rest])).to_series()


def numbers(values: Array) -> "pl.Series":
    """Whole numbers as text."""
    import polars as pl

    return pl.Series(values.astype(np.int64)).cast(pl.String)


def words(choices: Sequence[str | None], index: Array) -> "pl.Series":
    """The choice at each index."""
    import polars as pl

    return pl.Series(list(choices), dtype=pl.String).gather(pl.Series(index.astype(np.uint32)))


def codes(choices: Sequence[str], index: Array) -> "pl.Series":
    """As `words`; the empty code is NULL."""
    return words([c or None for c in choices], index)


def diagnoses(choices: Sequence[str], index: Array, style: Array) -> "pl.Series":
    """ICD codes in the writing style of each claim."""
    styled = {
        PLAIN: list(choices),
        UNDOTTED: [c.replace(".", "") for c in choices],
        LOWER: [c.lower() for c in choices],
        PADDED: [f"{c}  " if c else c for c in choices],
    }
    flat = [c for s in range(len(styled)) for c in styled[s]]
    return codes(flat, index.astype(np.int64) + style.astype(np.int64) * len(choices))


def overwrite(series: "pl.Series", rows: Array, junk: Sequence[str | None]) -> "pl.Series":
    """The series with `junk` values, in turn, at the given positions."""
    import polars as pl

    if not len(rows):
        return series
    values = pl.Series([junk[i % len(junk)] for i in range(len(rows))], dtype=pl.String)
    return series.clone().scatter(pl.Series(rows.astype(np.uint32)), values)
