"""Interim bills: a long hospital stay billed in two claims, bill type 0112 (first) and 0114 (last)."""

import numpy as np

from claims_assets.synthetic.adjustments import AMOUNTS, select
from claims_assets.synthetic.arrays import NO_DAY, Table
from claims_assets.synthetic.codes import one
from claims_assets.synthetic.medical import join, pay_dates

FROM_DAYS = 25
"""Stays of at least so many days."""
FIRST_DAYS = 14
"""Days of the stay on the first bill."""


def bill_in_two(claims: Table, lines: Table, first_month: int, rng: np.random.Generator) -> tuple[Table, Table]:
    """Cut long stays: the first bill ends after two weeks without a discharge, the last begins on the next day."""
    long = np.flatnonzero((claims["type"] == one("type", "IP")) & (claims["to_day"] - claims["from_day"] >= FROM_DAYS))
    last, last_lines = select((claims, lines), long)
    whole = last["to_day"] - last["from_day"] + 1
    cut = claims["from_day"][long] + FIRST_DAYS - 1
    last["from_day"], last["bill"] = cut + 1, np.full(len(long), one("bill", "0114"), np.int8)
    claims["to_day"][long], claims["discharge"][long], claims["bill"][long] = cut, NO_DAY, one("bill", "0112")
    dates = pay_dates(cut, rng, first_month)
    for name, values in dates.items():
        claims[name][long] = values
    early = np.zeros(len(claims["id"]), bool)
    early[long] = True
    on_first = early[lines["claim"]]
    share = FIRST_DAYS / whole[last_lines["claim"]]
    for name in (*AMOUNTS, "units"):
        total = last_lines[name]
        lines[name][on_first] = np.rint(total * share).astype(total.dtype)
        last_lines[name] = total - lines[name][on_first]
    last_lines["units"] = np.maximum(last_lines["units"], 1)
    lines["units"] = np.maximum(lines["units"], 1)
    return join([(claims, lines), (last, last_lines)])
