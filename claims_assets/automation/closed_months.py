"""Closed months: what was reported stays as it was, until somebody reopens it and says why.

`CLAIMS_CLOSED_BEFORE` closes all claim months before it. A closed month that a table has built is rewritten only by a
run with the tag `claims/reopen`; the reason is kept in `monitoring.waivers`. Late data for it stays stale, and
`claims status` counts it. A first build of a month is no rewrite. Unpartitioned tables have no months and are not
guarded; neither are models, of which a version never changes.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import dagster as dg

from claims_assets.monitoring.built_months import built, months_built
from claims_assets.monitoring.waivers import REOPENED, record
from claims_assets.partitions import claim_months, spoken
from claims_assets.staleness import Contents

if TYPE_CHECKING:
    from claims_assets.runtime.lake import Lake
    from claims_assets.table import Table

REOPEN = "claims/reopen"
"""Run tag: the reason for which closed months are rewritten."""


def guard(lake: "Lake", run: dg.DagsterRun, schema: str, name: str, months: Sequence[str] | None) -> None:
    """Let a table's step go on, and record what it reopens.

    Raises:
        dg.Failure: it would rewrite a closed month, and the run does not say why.
    """
    if lake.closed_before is None or not months:
        return
    early = {m for m in months if m < lake.closed_before}
    closed = sorted(early & months_built(lake, schema, name)) if early else []
    if not closed:
        return
    reason, full_name = run.tags.get(REOPEN, "").strip(), f"{schema}.{name}"
    if not reason:
        raise dg.Failure(
            f"{full_name} of {spoken(closed)} is closed (CLAIMS_CLOSED_BEFORE={lake.closed_before}): run it again with"
            f' `claims run --reopen "<reason>"` (run tag {REOPEN}), or leave these months out.',
            allow_retries=False,
        )
    known = built(lake).get(full_name, {})
    record(lake, REOPENED, run, reason, [(full_name, m, known.get(m, {}).get("fingerprint", "")) for m in closed])


def built_and_closed(lake: "Lake", table: "Table") -> set[str]:
    """The months of a table that are not to be asked for, however stale they are."""
    if lake.closed_before is None:
        return set()
    return {m for m in months_built(lake, table.schema, table.name) if m < lake.closed_before}


def late(lake: "Lake", tables: Iterable["Table"]) -> dict[str, list[str]]:
    """Table -> its closed months whose inputs have changed since they were built; tables without any are left out."""
    if lake.closed_before is None:
        return {}
    contents, found = Contents(lake), {}
    for table in tables:
        months = (
            sorted(built_and_closed(lake, table) & set(claim_months.get_partition_keys())) if table.partitioned else []
        )
        stale = contents.stale(table.schema, table.name, table.inputs, months, table.code_version) if months else []
        if stale:
            found[table.full_name] = stale
    return found
