"""The one partitions definition of the graph, and month arithmetic on its keys.

A partition key is a claim month, `YYYY-MM`; it is also the value of the Delta partition column `claim_month`.
For claims it is the month of service, for features, scores and lists the as-of month.
"""

import warnings
from collections.abc import Iterable

import dagster as dg

from claims_assets.settings import settings_from_environment

MONTH = "claim_month"

# The documented ways to run a range of months at once, to reach before the first month, and to select a group; Dagster
# marks them as beta and would say so once for every table.
BETA = "Parameter `(backfill_policy|allow_nonexistent_upstream_partitions|include_sources)`"
warnings.filterwarnings("ignore", BETA, category=dg.BetaWarning)

claim_months = dg.MonthlyPartitionsDefinition(
    start_date=settings_from_environment().start_month, fmt="%Y-%m", end_offset=1
)
"""`end_offset=1`: the open month can be requested too."""


def month_index(month: str) -> int:
    """Months since year 0, so that differences of indexes are differences in months."""
    return int(month[:4]) * 12 + int(month[5:7]) - 1


def month_of_index(index: int) -> str:
    """The inverse of `month_index`."""
    return f"{index // 12:04d}-{index % 12 + 1:02d}"


def add_months(month: str, n: int) -> str:
    """The month `n` months later (earlier when negative)."""
    return month_of_index(month_index(month) + n)


def months_between(first: str, last: str) -> list[str]:
    """All months from `first` to `last`, both included; empty when `last` is earlier."""
    return [month_of_index(i) for i in range(month_index(first), month_index(last) + 1)]


def ranges(months: Iterable[str]) -> list[tuple[str, str]]:
    """The months as ranges without a gap, each as (first, last), in order."""
    found: list[tuple[str, str]] = []
    for month in sorted(months):
        if found and month == add_months(found[-1][1], 1):
            found[-1] = (found[-1][0], month)
        else:
            found.append((month, month))
    return found


def spoken(months: Iterable[str]) -> str:
    """The months as ranges, for a sentence."""
    return ", ".join(first if first == last else f"{first} to {last}" for first, last in ranges(months))
