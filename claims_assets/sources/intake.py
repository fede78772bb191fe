"""One landing file, or database table, on its way into the parts of the stage and of its quarantine."""
# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions at import, where pyright can't see them)

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from claims_assets.sources.feeds import CLAIM_MONTH, RECEIVED_MONTH, SOURCE_LINE, Feed
from claims_assets.sources.inventory import Entry
from claims_assets.sources.parts import Parts
from claims_assets.sources.records import Chunk
from claims_assets.sources.settle import Origin, settled
from claims_assets.sources.shape import Plan

if TYPE_CHECKING:
    import pyarrow as pa

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Source:
    """One file (or database table) to stage."""

    plan: Plan
    received: str | None
    read: Callable[[], Iterator[Chunk]]


def take_in(entry: Entry, source: Source, staged: Parts, aside: Parts, progress: Progress) -> Entry:
    """Read one source into the parts of the stage and of its quarantine.

    Returns:
        Its inventory entry with counts.
    """
    feed = source.plan.feed
    origin = Origin(entry.path, entry.file_key, source.received, entry.start_month, entry.first_seen_month)
    defects: Counter[str] = Counter()
    lines = rows = quarantined = 0
    latest: str | None = None
    for chunk in source.read():
        lines += chunk.records.num_rows + len(chunk.bad)
        defects.update(bad.defect for bad in chunk.bad)
        kept, set_aside = settled(chunk, source.plan, origin)
        rows, quarantined = rows + kept.num_rows, quarantined + set_aside.num_rows
        latest = _later(latest, kept)
        if set_aside.num_rows:
            aside.add((entry.file_key,), set_aside)
        for values, part in _by_partition(kept, feed, entry.file_key):
            staged.add(values, part)
    staged.close_file()
    aside.close_file()
    _tell(progress, entry.path, lines, rows, quarantined, defects)
    return replace(entry, lines=lines, rows=rows, quarantined=quarantined, received_month=latest)


def _tell(progress: Progress, path: str, lines: int, rows: int, quarantined: int, defects: Counter[str]) -> None:
    wrong = ", ".join(f"{n} {defect}" for defect, n in sorted(defects.items()))
    progress(f"{path}: {lines} lines, {rows} staged, {quarantined} quarantined" + (f" ({wrong})" if wrong else ""))


def _later(latest: str | None, rows: "pa.Table") -> str | None:
    import pyarrow.compute as pc

    found = pc.max(rows.column(RECEIVED_MONTH)).as_py()
    return max(filter(None, (latest, found)), default=None)


def _by_partition(rows: "pa.Table", feed: Feed, key: str) -> "Iterator[tuple[tuple[str, ...], pa.Table]]":
    """The rows of one file by claim month, each part in the order of its lines."""
    import pyarrow.compute as pc

    if not rows.num_rows:
        return
    if feed.date_column is None:
        yield (key,), rows
        return
    rows = rows.take(pc.sort_indices(rows, sort_keys=[(CLAIM_MONTH, "ascending"), (SOURCE_LINE, "ascending")]))
    start = 0
    for month in sorted(pc.unique(rows.column(CLAIM_MONTH)).to_pylist()):
        count = pc.sum(pc.equal(rows.column(CLAIM_MONTH), month)).as_py()
        yield (month, key), rows.slice(start, count)
        start += count
