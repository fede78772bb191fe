"""The landing stage, `landing.<feed>`: each landing file read once, all columns text.

A refresh reads new and changed files, sets aside what is no record or belongs to no claim month
(`quarantine.landing_<feed>`), and replaces exactly the rows of the affected files. All Parquet is written before the
first commit and the inventory is committed last: a crash leaves the old state, or makes the next refresh read again.
"""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from claims_assets.sources import changes, inventory, parts
from claims_assets.sources.changes import Comparison, Held
from claims_assets.sources.feeds import CLAIM_MONTH, FEEDS, FILE_KEY, LANDING, QUARANTINE, REASONS, Feed
from claims_assets.sources.folder import FilesOf, files_by_path, plans_of, received_month
from claims_assets.sources.intake import Progress, Source, take_in
from claims_assets.sources.inventory import Entry
from claims_assets.sources.mapping import Mapping
from claims_assets.sources.parsing import PARSER_VERSION, chunks
from claims_assets.sources.records import Chunk
from claims_assets.sources.refreshed import Refreshed
from claims_assets.sources.shape import plan

if TYPE_CHECKING:
    import pyarrow as pa
    from deltalake import DeltaTable

DATABASE = "postgresql:"
"""Begins the source file of rows read from the provider database."""


def refresh(
    feed: str,
    landing: Path,
    lake_root: Path,
    *,
    start_month: str,
    latest_month: str,
    progress: Progress | None = None,
    files_of: FilesOf = files_by_path,
) -> Refreshed:
    """Bring the stage of a feed in line with its landing files.

    Args:
        start_month: rows of earlier claim months are set aside.
        latest_month: the month of this refresh; counts as the month of receipt of content that it meets first.
        progress: takes one line for each file that is read.
        files_of: finds the files of the feed.

    Raises:
        LandingError: a file or the mapping can't be used; nothing was written.
    """
    mapping, tell = Mapping.load(landing, feed), progress or _silent
    files, known = files_of(landing, feed, mapping), inventory.read(lake_root, feed)
    held = rows_held(lake_root, feed)
    found = changes.compare(files, known, held, mapping, start_month, latest_month)
    plans = plans_of(FEEDS[feed], mapping, {p: files[p] for p in found.to_stage}, all_files=not found.unchanged)
    sources = {}
    for path in found.to_stage:
        if path in plans:
            received = received_month(mapping, files[path].name, found.entries[path].first_seen_month)
            sources[path] = Source(plans[path], received, lambda f=files[path]: chunks(f, mapping.delimiter))
        else:
            tell(f"{path}: the file is empty (0 bytes), so nothing is staged of it")
    return _apply(FEEDS[feed], lake_root, found, known, sources, tell)


def stage_table(
    feed: str,
    table: "pa.Table",
    source_name: str,
    landing: Path,
    lake_root: Path,
    *,
    start_month: str,
    latest_month: str,
    progress: Progress | None = None,
) -> Refreshed:
    """Stage a table of text that was read from a database, by the same mapping; it replaces all files of the feed.

    Args:
        source_name: stands in `source_file`, for example `postgresql:providers`.

    Raises:
        LandingError: the mapping can't be used, or the table lacks a required column; nothing was written.
    """
    import pyarrow as pa

    mapping, known = Mapping.load(landing, feed), inventory.read(lake_root, feed)
    about = (source_name, feed, inventory.file_key(source_name), table.nbytes, _sha256(table), 0)
    entry = Entry(*about, latest_month, mapping.fingerprint, start_month, PARSER_VERSION, "staged")
    found = changes.judge({source_name: entry}, known, rows_held(lake_root, feed))
    received = received_month(mapping, source_name, found.entries[source_name].first_seen_month)
    chunk = Chunk(table.combine_chunks(), pa.array(range(1, table.num_rows + 1), pa.int64()))
    source = Source(plan(FEEDS[feed], mapping, table.schema.names, source_name), received, lambda: iter([chunk]))
    return _apply(FEEDS[feed], lake_root, found, known, dict.fromkeys(found.to_stage, source), progress or _silent)


def rows_by_month(lake_root: Path, feed: str) -> dict[str, int]:
    """Staged rows by claim month (by file key for a feed without months), from the Delta log alone."""
    table = _existing(_stage_path(lake_root, feed))
    return parts.rows_by(table, FEEDS[feed].partition_by[0]) if table else {}


def rows_held(lake_root: Path, feed: str) -> Held:
    """Rows by file key in the stage and in its quarantine, from their Delta logs alone."""
    tables = (_existing(_stage_path(lake_root, feed)), _existing(_quarantine_path(lake_root, feed)))
    staged, aside = (parts.rows_by(table, FILE_KEY) if table else {} for table in tables)
    return {key: (staged.get(key, 0), aside.get(key, 0)) for key in staged.keys() | aside.keys()}


def _stage_path(lake_root: Path, feed: str) -> Path:
    return lake_root / LANDING / feed


def _quarantine_path(lake_root: Path, feed: str) -> Path:
    return lake_root / QUARANTINE / f"{LANDING}_{feed}"


def _existing(path: Path) -> "DeltaTable | None":
    from deltalake import DeltaTable

    return DeltaTable(str(path)) if DeltaTable.is_deltatable(str(path)) else None


def _silent(_: str) -> None:
    """Progress of a caller who asked for none."""


def _sha256(table: "pa.Table") -> str:
    """Hash of names and values, in the order of the rows."""
    content = hashlib.sha256(repr(table.schema.names).encode())
    for column in table.columns:
        content.update(repr(column.to_pylist()).encode())
    return content.hexdigest()


def _apply(
    feed: Feed,
    lake_root: Path,
    found: Comparison,
    known: dict[str, Entry],
    sources: dict[str, Source],
    progress: Progress,
) -> Refreshed:
    """Stage the sources, then commit: quarantine, stage, inventory."""
    stage_path, aside_path = _stage_path(lake_root, feed.name), _quarantine_path(lake_root, feed.name)
    entries = dict(found.entries)
    with (
        parts.Parts(stage_path, feed.stage_schema(), feed.partition_by) as staged,
        parts.Parts(aside_path, feed.quarantine_schema(), [FILE_KEY]) as aside,
    ):
        for path, source in sources.items():
            entries[path] = take_in(entries[path], source, staged, aside, progress)
    quarantine = parts.open_table(aside_path, feed.quarantine_schema(), [FILE_KEY])
    stage = parts.open_table(stage_path, feed.stage_schema(), feed.partition_by)
    keys = set(found.keys_affected)
    touched = _months(stage, feed, keys) | _months(_as_recorded(stage, known), feed, keys)
    parts.commit(quarantine, aside.finished, keys)
    version = parts.commit(stage, staged.finished, keys)
    if entries != known or not inventory.exists(lake_root):
        inventory.write(lake_root, feed.name, [replace(e, stage_version=version) for e in entries.values()])
    return _refreshed(feed, found, entries, stage, quarantine, touched | _months(stage, feed, keys))


def _months(stage: "DeltaTable", feed: Feed, keys: set[str]) -> set[str]:
    """Claim months that the stage holds of these files."""
    return set(parts.rows_by(stage, CLAIM_MONTH, keys)) if feed.date_column else set()


def _as_recorded(stage: "DeltaTable", known: dict[str, Entry]) -> "DeltaTable":
    """The stage as the inventory knows it, which a crash between the two commits leaves behind.

    What the files held then would else never be recomputed.
    """
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError

    recorded = max((e.stage_version for e in known.values()), default=stage.version())
    if recorded >= stage.version():
        return stage
    try:
        return DeltaTable(stage.table_uri, version=recorded)
    except DeltaError:
        # Log clean-up removed that version, which takes 30 days; a crashed refresh is repeated sooner.
        return stage


def _refreshed(
    feed: Feed,
    found: Comparison,
    entries: dict[str, Entry],
    stage: "DeltaTable",
    quarantine: "DeltaTable",
    touched: set[str],
) -> Refreshed:
    """Counts of what was read from the entries, of what is kept from the Delta logs: the two must agree."""
    import pyarrow.compute as pc

    told = pc.value_counts(pc.list_flatten(parts.read(quarantine, [REASONS]).column(REASONS)))  # pyright: ignore[reportAttributeAccessIssue]  # made at run time
    reasons = {found["values"]: found["counts"] for found in told.to_pylist()}
    return Refreshed(
        feed=feed.name,
        seen=len(entries),
        new=found.new,
        changed=found.changed,
        removed=found.removed,
        duplicates=found.duplicates,
        empty=tuple(p for p, e in entries.items() if e.state == "empty"),
        unchanged=found.unchanged,
        bytes=sum(e.size for e in entries.values()),
        rows_in=sum(e.lines for e in entries.values()),
        rows_staged=sum(parts.rows_by(stage, FILE_KEY).values()),
        rows_quarantined=sum(parts.rows_by(quarantine, FILE_KEY).values()),
        quarantined_by_reason=dict(sorted(reasons.items())),
        touched_months=tuple(sorted(touched)),
    )
