"""Too few rows: months that hold far fewer than usual, or fewer than there must be.

Here: pure rules from counts to conditions. Elsewhere: what a condition is (`conditions.py`), the counts (`look.py`).
"""

from collections.abc import Mapping
from datetime import date, timedelta
from statistics import median

from claims_assets.automation.alerts.conditions import Condition, asset_of, page_of
from claims_assets.partitions import add_months, month_index

LOW_VOLUME = 0.5
"""Share of the median of the months before below which a month holds too few rows. Seasons move the claims of a plan by
far less than half; a lost file of one of two large senders does not. A choice of this project."""
MONTHS_BEFORE, LEAST_MONTHS_BEFORE = 12, 6
"""A year, so that every season is in the median; at least half of it."""
RUN_OUT_DAYS = 30
"""Days after its end from which a month is judged: 90% of clean claims must be paid within 30 days (42 CFR
447.45(d)(2)), so a month below half is not merely young."""
LEAST_MEDIAN = 30
"""Rows a month below which chance alone makes half a month: counts of a Poisson process with mean 30 fall below 15
about once in a thousand months."""
LEAST_ROWS = {"gold.member_risk_predictions": 50}
"""Rows below which the newest month of a table is hardly all: limit of the monitoring guide that goes with the public
project juanlamadrid20/insurance-mlops (daily predictions below 50; the project's own view says 10)."""


def low_volume(rows: Mapping[str, Mapping[str, int]], as_of: date) -> list[Condition]:
    """Months that hold far fewer rows than those before them.

    Args:
        rows: table name -> claim month -> rows.
    """
    newest = add_months((as_of - timedelta(days=RUN_OUT_DAYS)).strftime("%Y-%m"), -1)
    return [
        c
        for name, by_month in rows.items()
        for month in sorted(by_month)
        if month <= newest and (c := _low(asset_of(name), month, by_month))
    ]


def _low(asset: str, month: str, by_month: Mapping[str, int]) -> Condition | None:
    index = month_index(month)
    before = [n for m, n in by_month.items() if 0 < index - month_index(m) <= MONTHS_BEFORE]
    if len(before) < LEAST_MONTHS_BEFORE:
        return None
    usual = median(before)
    if usual < LEAST_MEDIAN or by_month[month] >= LOW_VOLUME * usual:
        return None
    return Condition(
        "volume",
        asset,
        "warning",
        f"{asset} {month} holds {by_month[month]:,} rows; the months before it usually hold {usual:,.0f}.",
        "See whether a file of this month is missing in the landing folder, and whether rows were quarantined.",
        page_of(asset, "partitions", month),
        asset=asset,
        claim_month=month,
    )


def few_rows(rows: Mapping[str, Mapping[str, int]]) -> list[Condition]:
    """Tables whose newest month holds fewer rows than there must be, whatever is usual.

    Args:
        rows: table name -> claim month -> rows.
    """
    newest = {name: max(by_month) for name, by_month in rows.items() if name in LEAST_ROWS and by_month}
    return [
        Condition(
            "volume",
            asset_of(name),
            "warning",
            f"{asset_of(name)} {month} holds {rows[name][month]:,} rows, fewer than {LEAST_ROWS[name]}.",
            "See whether the members' features of this month were built, and whether rows were quarantined.",
            page_of(asset_of(name), "partitions", month),
            asset=asset_of(name),
            claim_month=month,
        )
        for name, month in newest.items()
        if rows[name][month] < LEAST_ROWS[name]
    ]
