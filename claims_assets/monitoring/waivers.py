"""What somebody allowed that the graph refuses by itself: one row per run, kind, table and claim month.

Written by the guards of a table's step. Elsewhere: what they refuse (`automation/closed_months.py`,
`automation/breaker.py`). When it was is the start of the run `run_id`.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import dagster as dg

from claims_assets import columns as c
from claims_assets.contracts import Contract, compiled
from claims_assets.monitoring.recorded import recorded
from claims_assets.runtime.delta import delta_exists, read_arrow
from claims_assets.runtime.pipes import ASKED_BY

if TYPE_CHECKING:
    from claims_assets.runtime.lake import Lake

TABLE = ("monitoring", "waivers")
REOPENED, QUALITY_ACCEPTED = "reopened", "quality_accepted"


class Waivers(Contract):
    """What somebody allowed that the graph refuses by itself: one row per run, kind, table and claim month."""

    run_id: str = c.required("Dagster run in which it was allowed; the run says when and by whom.")
    kind: str = c.required("What was allowed.", isin=[REOPENED, QUALITY_ACCEPTED])
    table_name: str = c.required("Table as `schema.table` whose content this is about.")
    claim_month: str = c.required("Claim month, or `all` for an unpartitioned table.")
    content: str = c.required(
        "Fingerprint of the content that was rewritten or accepted; an accepted one with its rows set aside."
    )
    reason: str = c.required("Why, in the words of whoever allowed it; must name no member.")

    class Config:
        unique = ["run_id", "kind", "table_name", "claim_month"]


waivers = recorded("waivers", Waivers)
"""Not a step of its own: the guard of a table's step adds its rows."""

Content = tuple[str, str, str]
"""Table, claim month, fingerprint."""


def record(lake: "Lake", kind: str, run: dg.DagsterRun, reason: str, contents: Sequence[Content]) -> None:
    """Add one row for each content, unless this run has said so already (a step may be retried)."""
    import pyarrow as pa

    run_id = run.tags.get(ASKED_BY, run.run_id)
    of_run = [r for r in _all(lake) if r["run_id"] == run_id]
    said = {(r["kind"], r["table_name"], r["claim_month"]) for r in of_run}
    new = [
        {"run_id": run_id, "kind": kind, "table_name": name, "claim_month": m, "content": content, "reason": reason}
        for name, m, content in contents
        if (kind, name, m) not in said
    ]
    if new:
        rows = pa.Table.from_pylist(of_run + new, schema=compiled(Waivers).arrow_schema())
        lake.writer.replace(lake.path(*TABLE), rows, None, {"run_id": [run_id]})


def waived(lake: "Lake", kind: str) -> set[Content]:
    """Contents about which this was ever allowed."""
    return {(r["table_name"], r["claim_month"], r["content"]) for r in _all(lake) if r["kind"] == kind}


def _all(lake: "Lake") -> list[dict]:
    path = lake.path(*TABLE)
    return read_arrow(path, list(compiled(Waivers).columns)).to_pylist() if delta_exists(path) else []
