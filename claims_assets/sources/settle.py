"""Which records of a chunk are staged and which are set aside, each with where it came from."""
# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions at import, where pyright can't see them)

from dataclasses import dataclass
from typing import TYPE_CHECKING

from claims_assets.sources import months
from claims_assets.sources.feeds import CLAIM_MONTH, FILE_KEY, RAW, REASONS, RECEIVED_MONTH, SOURCE_FILE, SOURCE_LINE
from claims_assets.sources.records import Chunk
from claims_assets.sources.shape import Plan, as_it_came, shaped

if TYPE_CHECKING:
    import pyarrow as pa

WITHHELD = "(withheld: the mapping drops columns of this file, and a line that is no record may hold their values)"


@dataclass(frozen=True)
class Origin:
    """What all rows of one file share."""

    source_file: str
    file_key: str
    received_month: str | None
    """Month of receipt of the whole file; None where it is unknown or stands in a column."""
    start_month: str
    latest_month: str
    """Month in which the file was first seen; stands in for the month of receipt where that is unknown."""


def settled(chunk: Chunk, plan: Plan, origin: Origin) -> "tuple[pa.Table, pa.Table]":
    """The rows to stage and the rows to set aside; together they are every record and every bad line of the chunk."""
    import pyarrow.compute as pc

    rows = shaped(chunk.records, plan, origin.received_month)
    rows = _with_origin(rows, chunk, origin)
    aside = _unreadable(chunk, plan, origin)
    if plan.feed.date_column is None or not rows.num_rows:
        return rows, aside
    dates = rows.column(plan.feed.date_column).combine_chunks()
    month = months.claim_months(dates)
    reason = months.reasons(
        month,
        rows.column(RECEIVED_MONTH).combine_chunks(),
        plan.feed.date_column,
        origin.start_month,
        origin.latest_month,
    )
    rows = rows.append_column(CLAIM_MONTH, month)
    if reason.null_count == len(reason):
        return rows, aside
    broken = pc.is_valid(reason)
    raw = as_it_came(chunk.records.filter(broken), plan)
    return rows.filter(pc.invert(broken)), _joined(aside, rows.filter(broken), raw, reason.filter(broken))


def _with_origin(rows: "pa.Table", chunk: Chunk, origin: Origin) -> "pa.Table":
    import pyarrow as pa

    rows = rows.append_column(SOURCE_FILE, pa.array([origin.source_file] * rows.num_rows, pa.string()))
    rows = rows.append_column(FILE_KEY, pa.array([origin.file_key] * rows.num_rows, pa.string()))
    return rows.append_column(SOURCE_LINE, chunk.lines)


def _unreadable(chunk: Chunk, plan: Plan, origin: Origin) -> "pa.Table":
    import pyarrow as pa

    raw = [WITHHELD if plan.mapping.drop else bad.raw for bad in chunk.bad]
    return pa.table(
        {
            SOURCE_FILE: pa.array([origin.source_file] * len(raw), pa.string()),
            SOURCE_LINE: pa.array([bad.line for bad in chunk.bad], pa.int64()),
            CLAIM_MONTH: pa.nulls(len(raw), pa.string()),
            RAW: pa.array(raw, pa.string()),
            REASONS: pa.array([[months.LINE_IS_A_RECORD]] * len(raw), pa.list_(pa.string())),
        }
    )


def _joined(aside: "pa.Table", rows: "pa.Table", raw: "pa.Array", reason: "pa.Array") -> "pa.Table":
    import pyarrow as pa

    reasons = pa.array([[r] for r in reason.to_pylist()], pa.list_(pa.string()))
    more = rows.select([SOURCE_FILE, SOURCE_LINE, CLAIM_MONTH]).append_column(RAW, raw).append_column(REASONS, reasons)
    return pa.concat_tables([aside, more])
