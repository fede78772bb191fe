"""Counts of members of one month as the published tables show them, and which of them stay hidden.

All published tables of a month are one system: they share totals, so they are judged together, and each table shows
what the judgement leaves. Elsewhere: the judgement (`disclosure.py`), the tables (`immunization_geographic_summary.py`,
`immunization_risk_factor_analysis.py`, `immunization_program_roi.py`), the rows of members
(`immunization_deidentified.py`), which must not tell what the tables hide.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from claims_assets.outreach.disclosure import Sum, hidden_cells
from claims_assets.outreach.formulas import TIERS

if TYPE_CHECKING:
    from claims_assets.outreach.month_rows import MonthRows

ALL, UNKNOWN = "all", "Unknown"
MEMBERS, EXCLUDED, LISTED = "members", "excluded", "listed"
TIER_NAMES = tuple(t[1] for t in TIERS)
TIER_MEASURES = tuple(f"tier_{n}" for n in range(1, len(TIERS) + 1))
MEASURES = (MEMBERS, EXCLUDED, LISTED, *TIER_MEASURES)
"""All enrolled members, those excluded, those listed, and of these each tier."""
COUNTY = "county"
FACTORS = {
    "risk_tier": "risk_tier",
    "age_group": "age_group",
    "chronic_conditions": "case when chronic_condition_count >= 3 then '3 or more'"
    " else cast(chronic_condition_count as varchar) end",
    "gender": "gender",
    "race": "race",
    "ethnicity": "ethnicity",
}
"""Risk factor -> how a row tells its group (SQL)."""
DIMENSIONS = {COUNTY: COUNTY, **FACTORS}
STANDING = (
    "case when disposition = 'excluded' then 'excluded' "
    + " ".join(f"when outreach_tier = '{name}' then '{m}'" for name, m in zip(TIER_NAMES, TIER_MEASURES, strict=True))
    + " end"
)
"""The one measure of MEASURES that is a sum of no others and that a row counts in."""

Cell = tuple[str, str, str]
"""Dimension, its value, measure; dimension and value of totals are ALL."""


def group(dimension: str) -> str:
    """SQL: the group of a row, in words."""
    return f"coalesce(cast({DIMENSIONS[dimension]} as varchar), '{UNKNOWN}')"


@dataclass(frozen=True)
class PublishedCounts:
    """All counts of a month, and the cells that no output may tell."""

    values: Mapping[Cell, int]
    hidden: frozenset[Cell]

    def shown(self, dimension: str, value: str, measure: str) -> int | None:
        """The count, None where it is hidden."""
        cell = (dimension, value, measure)
        return None if cell in self.hidden else self.values.get(cell, 0)

    def groups(self, dimension: str) -> list[str]:
        """The groups of a dimension, in their order."""
        return sorted({value for d, value, _ in self.values if d == dimension})

    def tells(self, dimension: str, value: str) -> bool:
        """Whether every count of the group is shown."""
        return not any((dimension, value, m) in self.hidden for m in MEASURES)


def counts_of(rows: "MonthRows") -> PublishedCounts:
    """Count the month's members by every dimension."""
    counted = {d: rows.counts([group(d), STANDING]) for d in DIMENSIONS}
    return _judged_once(tuple((d, tuple(sorted(found.items()))) for d, found in counted.items()))


@lru_cache(maxsize=1)
def _judged_once(counted: tuple) -> PublishedCounts:
    """The extracts of a month follow each other in one process, with the same counts."""
    return published({d: dict(found) for d, found in counted})


def published(counted: Mapping[str, Mapping[tuple, int]]) -> PublishedCounts:
    """Which of these counts may be shown.

    Args:
        counted: dimension -> (group, standing) -> members; each dimension counts the same members.
    """
    values = dict.fromkeys(((ALL, ALL, m) for m in MEASURES), 0)
    for dimension, found in counted.items():
        values |= dict.fromkeys(((dimension, g, m) for g, _ in found for m in MEASURES), 0)
        for (value, standing), members in found.items():
            for measure in _counts_in(standing):
                values[dimension, value, measure] += members
    first = next(iter(counted), None)
    for (dimension, _, measure), n in list(values.items()):
        if dimension == first:
            values[ALL, ALL, measure] += n
    return PublishedCounts(values, hidden_cells(values, sums_of(values)))


def sums_of(values: Iterable[Cell]) -> list[Sum]:
    """Every sum among the cells: each group's measures, and for each dimension the groups of a measure."""
    rows: dict[str, list[str]] = {}
    for dimension, value, _ in values:
        if value not in rows.setdefault(dimension, []):
            rows[dimension].append(value)
    found: list[Sum] = []
    for dimension, groups in rows.items():
        found += [s for g in groups for s in _of_group(dimension, g)]
        if dimension != ALL:
            found += [Sum((ALL, ALL, m), tuple((dimension, g, m) for g in groups)) for m in MEASURES]
    return found


def _of_group(dimension: str, value: str) -> list[Sum]:
    def cells(measures: Sequence[str]) -> tuple[Cell, ...]:
        return tuple((dimension, value, m) for m in measures)

    return [
        Sum((dimension, value, MEMBERS), cells((EXCLUDED, LISTED))),
        Sum((dimension, value, LISTED), cells(TIER_MEASURES)),
    ]


def _counts_in(standing: str) -> tuple[str, ...]:
    return (MEMBERS, EXCLUDED) if standing == EXCLUDED else (MEMBERS, LISTED, standing)
