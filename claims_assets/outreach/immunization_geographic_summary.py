"""Members, those excluded and those listed by county and tier, without a count of 1 to 10.

NULL is a hidden count; a zero is shown. What is hidden, and why more than the small counts: `disclosure.py`.
"""

from typing import TYPE_CHECKING, Any

from claims_assets.outreach.extracts import Content, Source, extract_asset
from claims_assets.outreach.published_counts import (
    ALL,
    COUNTY,
    LISTED,
    MEASURES,
    MEMBERS,
    PublishedCounts,
    counts_of,
    group,
)

if TYPE_CHECKING:
    import pyarrow as pa

COST = "estimated_preventable_cost"
COST_UNIT = 1_000
"""USD to which a county's cost is rounded."""


def geographic_summary(source: Source) -> Content:
    """One row a county, `all` first."""
    import pyarrow as pa

    counts = counts_of(source.rows)
    query = (
        f"select {group(COUNTY)}, round(sum({COST}) / {COST_UNIT})::bigint * {COST_UNIT}"
        " from members where disposition = 'listed' group by 1"
    )
    costs = dict(source.rows.connection.execute(query).fetchall())
    rows = [row_of(counts, ALL, ALL)] + [
        row_of(counts, COUNTY, county) | {COST: cost_of(counts, county, costs)} for county in counts.groups(COUNTY)
    ]
    content = pa.Table.from_pylist(rows, schema=_schema(COUNTY, (COST, pa.int64())))
    return Content(content.schema, content.to_batches(), hidden_share(counts, COUNTY))


def row_of(counts: PublishedCounts, dimension: str, value: str) -> dict[str, Any]:
    """The measures of a group that are shown; a share only of two counts that are."""
    shown = {m: counts.shown(dimension, value, m) for m in MEASURES}
    members, listed = shown[MEMBERS], shown[LISTED]
    share = round(listed / members, 4) if members and listed is not None else None
    return {COUNTY: value, **shown, "listed_share": share}


def cost_of(counts: PublishedCounts, county: str, costs: dict[str, int]) -> int | None:
    """The county's cost where every count of it is shown: together with counts a cost tells how many are behind it."""
    return costs.get(county, 0) if counts.tells(COUNTY, county) else None


def hidden_share(counts: PublishedCounts, *dimensions: str) -> dict[str, Any]:
    """Metadata: how many cells there are and how many are hidden."""
    cells = [c for c in counts.values if c[0] in (ALL, *dimensions)]
    hidden = [c for c in cells if c in counts.hidden]
    small = [c for c in hidden if 0 < counts.values[c] < 11]
    return {
        "cells": len(cells),
        "cells_hidden": len(hidden),
        "cells_hidden_to_protect_others": len(hidden) - len(small),
    }


def _schema(group_column: str, *more: "tuple[str, pa.DataType]") -> "pa.Schema":
    import pyarrow as pa

    counts = [(m, pa.int64()) for m in MEASURES]
    return pa.schema([(group_column, pa.string()), *counts, ("listed_share", pa.float64()), *more])


immunization_geographic_summary = extract_asset(
    "immunization_geographic_summary",
    "Members, excluded and listed by county and tier; no count of 1 to 10, nor any from which one can be worked out.",
    __file__,
    geographic_summary,
    phi="none",
)
