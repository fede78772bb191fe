"""What a step reads of its inputs: which months, how many at once, and how many rows must come out of them.

Here: questions to the Delta log alone, before anything is read. Elsewhere: what an input is and how far it reaches
(`inputs.py`), the step that reads (`table.py`).
"""

from collections.abc import Iterator, Mapping, Sequence

import dagster as dg

from claims_assets.inputs import Input
from claims_assets.monitoring import built_months
from claims_assets.runtime.lake import Lake
from claims_assets.runtime.memory import MOST_ROWS, rows_at_once
from claims_assets.sources.feeds import FEEDS, LANDING

ROWS_PER_CHUNK = MOST_ROWS
"""Rows of one commit, read or written; a range of months above it is split, so that memory stays bounded."""


def reach(lake: Lake, source: Input, months: Sequence[str] | None) -> list[str] | None:
    """The months to read of an input; None for all of it."""
    if months is None or source.window.by_span or "" in lake.rows_by_month(source.schema, source.name):
        return None
    return source.window.reach(months)


def refuse_gaps(lake: Lake, name: str, inputs: Sequence[Input], months: Sequence[str] | None) -> None:
    """A month that claims were landed for and that an input never built would count as a month without claims.

    Raises:
        dg.Failure: such a month lies in the reach of an asked one; the sentence says which and what to run.
    """
    landed = [m for f in FEEDS.values() if f.date_column for m in lake.rows_by_month(LANDING, f.name) if m]
    for source in inputs if months and landed else ():
        if source.schema == LANDING or not lake.exists(source.schema, source.name):
            continue
        needed = {m for m in reach(lake, source, months) or [] if min(landed) <= m <= max(landed)}
        missing = sorted(needed - built_months.months_built(lake, source.schema, source.name))
        if missing:
            asked, lacking = min(months or []), f"{source.schema}.{source.name} of {missing[0]} to {missing[-1]}"
            raise dg.Failure(
                f"{name} of {asked} needs {lacking}, never built yet: run the claim months from {missing[0]} on, or"
                f" leave the claims before {asked} out by CLAIMS_START_MONTH."
            )


def chunks(
    lake: Lake, inputs: Sequence[Input], months: list[str] | None, own: tuple[str, str] | None = None
) -> Iterator[list[str] | None]:
    """Split the asked months so that each part reads and writes a bounded number of rows; order and union are kept.

    Args:
        own: schema and table that is written. How many rows it makes of those that it reads is told by the months that
            it holds: of a table that holds none, and is to be split anyway, the first part is one month.
    """
    if months is None:
        yield None
        return
    sizes = [(i.window, lake.rows_by_month(i.schema, i.name)) for i in inputs if i.window.months]
    read = {m: sum(size.get(window.newest(m), 0) for window, size in sizes) for m in months}
    most = min(ROWS_PER_CHUNK, rows_at_once(lake.memory_limit))
    chunk: list[str] = []
    rows, growth = 0.0, _growth(lake, own, read)
    is_first = own is not None and growth is None and sum(read.values()) > most
    for month in months:
        if chunk and (is_first or rows + read[month] * (growth or 1) > most):
            yield chunk
            chunk, rows, is_first = [], 0.0, False
            growth = _growth(lake, own, read)
        chunk.append(month)
        rows += read[month] * (growth or 1)
    yield chunk


def _growth(lake: Lake, own: tuple[str, str] | None, read: Mapping[str, int]) -> float | None:
    """Rows that a table holds for each row that it reads, at least 1; None where it holds none of these months."""
    held = lake.rows_by_month(*own) if own else {}
    rows_read = sum(n for month, n in read.items() if month in held)
    return max(1.0, sum(held[m] for m in read if m in held) / rows_read) if rows_read else None


def rows_expected(
    lake: Lake, inputs: Sequence[Input], names: Sequence[str], months: Sequence[str] | None
) -> int | None:
    """Rows of the inputs that must all come out, from the Delta log: not from the frame that is checked."""
    if not names:
        return None
    chosen = [i for i in inputs if i.parameter in names]
    counted = [lake.rows_by_month(i.schema, i.name) for i in chosen]
    return sum(n for rows in counted for month, n in rows.items() if months is None or month in months)
