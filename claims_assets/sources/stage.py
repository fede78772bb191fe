"""The landing stage, `landing.<feed>`: each landing file read once, all columns text.

A refresh reads new and changed files, sets aside what is no record or belongs to no claim month (`quarantine.landing_<feed>`),
and replaces exactly the rows of the affected files. All Parquet is written before the first commit, and the inventory is
committed last: a crash leaves the old state, or makes the next refresh read the same files again.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from claims_assets.sources import inventory, months, parts
from claims_assets.sources.feeds import (
    CLAIM_MONTH, FEEDS, LANDING, QUARANTINE, RAW, REASONS, RECEIVED_MONTH, SOURCE_FILE, SOURCE_LINE, Feed, LandingError,
)
from claims_assets.sources.inventory import Comparison, Entry
from claims_assets.sources.mapping import Mapping
from claims_assets.sources.parsing import Chunk, chunks, header_of
from claims_assets.sources.shape import Plan, as_it_came, month_of, plan, shaped

if TYPE_CHECKING:
    import pyarrow as pa
    from deltalake import DeltaTable

Progress = Callable[[str], None]
WITHHELD = "(withheld: the mapping drops columns of this file, and a line that is no record may hold their values)"
DATABASE = "postgresql:"
"""Begins the source file of rows that were read from the provider database."""


@dataclass(frozen=True)
class Refreshed:
    """What a refresh found and did; rows are those of the whole feed, not only of the files that were read."""

    feed: str
    seen: int
    new: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: int
    duplicates: tuple[str, ...]
    empty: tuple[str, ...]
    bytes: int
    """Size of all files of the feed."""
    rows_in: int
    """Records and unreadable lines of all staged files, as the parser counted them."""
    rows_staged: int
    """Rows of the stage, from its Delta log."""
    rows_quarantined: int
    """Rows of its quarantine, from its Delta log."""
    quarantined_by_reason: dict[str, int]
    touched_months: tuple[str, ...]
    """Claim months that the affected files hold now or held before; empty for a feed without months."""
    defects: dict[str, int] = field(default_factory=dict)
    """What was wrong with the lines of the files just read that are no records."""

    @property
    def nothing_is_lost(self) -> bool:
        return self.rows_in == self.rows_staged + self.rows_quarantined


def refresh(
    feed: str, landing: Path, lake_root: Path, *, start_month: str, latest_month: str, progress: Progress | None = None
) -> Refreshed:
    """Bring the stage of a feed in line with its landing files.

    Args:
        start_month: rows of earlier claim months are set aside.
        latest_month: the month of this refresh; the month of receipt of content that no refresh met before.
        progress: takes one line for each file that is read.

    Raises:
        LandingError: a file or the mapping can't be used; nothing was written.
    """
    mapping = Mapping.load(landing, feed)
    paths = inventory.files_of(landing, feed, mapping)
    if not paths and not FEEDS[feed].optional:
        raise LandingError(no_file(landing, feed, mapping))
    files = {inventory.relative(landing, p): p for p in paths}
    known = inventory.read(lake_root, feed)
    comparison = inventory.compare(files, known, feed, mapping, start_month, latest_month)
    plans = plans_of(FEEDS[feed], mapping, {p: files[p] for p in comparison.to_stage})
    run = _Run(FEEDS[feed], mapping, lake_root, progress or _silent)
    for path in comparison.to_stage:
        run.sources[path] = (plans.get(path), lambda p=path: chunks(files[p], mapping.delimiter))
    return run.apply(comparison, known)
