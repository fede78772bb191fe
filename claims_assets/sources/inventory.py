"""The landing inventory, `landing.files`: one row a file, and what has changed since it was written.

Here: which files there are, which of them are new, changed, gone, or the same content twice. Elsewhere: reading them
(`parsing.py`) and staging their rows (`stage.py`). A file's months are not kept here: the stage's Delta log has them.
"""

import hashlib
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from claims_assets.sources.feeds import LANDING
from claims_assets.sources.mapping import Mapping
from claims_assets.sources.parsing import PARSER_VERSION

State = Literal["staged", "duplicate", "empty"]
KEY_DIGITS = 16


@dataclass(frozen=True)
class Entry:
    """What is known of one landing file."""

    path: str
    """Relative to the landing folder, POSIX."""
    feed: str
    file_key: str
    size: int
    sha256: str
    mtime_ns: int
    first_seen_month: str
    """Month of the refresh that first met this content."""
    mapping: str
    """Fingerprint of the mapping it was staged with."""
    start_month: str
    parser_version: str
    state: State
    duplicate_of: str | None = None
    received_month: str | None = None
    """Latest month of receipt among its rows."""
    lines: int = 0
    """Records and unreadable lines that the parser met."""
    rows: int = 0
    """Rows staged."""
    quarantined: int = 0
    stage_version: int = 0
    """Version of the stage's Delta table that holds these rows."""


@dataclass(frozen=True)
class Comparison:
    """The files of a feed now, against the inventory."""

    entries: dict[str, Entry]
    """Path -> entry of every file that is there now; counts are still those of the last staging."""
    to_stage: tuple[str, ...]
    """Paths to read, in order."""
    new: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    duplicates: tuple[str, ...]
    unchanged: int
    keys_affected: frozenset[str]
    """File keys whose staged rows, if any, are no longer right."""

    @property
    def is_current(self) -> bool:
        return not self.to_stage and not self.keys_affected


def file_key(path: str) -> str:
    """Partition value of a file: the first 16 hex digits of the SHA-256 of its relative path."""
    return hashlib.sha256(path.encode()).hexdigest()[:KEY_DIGITS]


def files_of(landing: Path, feed: str, mapping: Mapping) -> list[Path]:
    """The feed's files in order of their names; hidden ones and markers (`.x`, `_SUCCESS`) are left out."""
    root = landing / feed
    found = (p for p in root.glob(mapping.files) if p.is_file())
    return sorted(p for p in found if not any(part.startswith((".", "_")) for part in p.relative_to(root).parts))


def relative(landing: Path, path: Path) -> str:
    """Path of a file as the stage and the inventory name it; bytes that are no text are escaped."""
    return path.relative_to(landing).as_posix().encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def compare(
    files: dict[str, Path], known: dict[str, Entry], feed: str, mapping: Mapping, start_month: str, latest_month: str
) -> Comparison:
    """Judge each file by size and time, and where these differ by its content.

    Args:
        files: path as in the inventory -> file.
        known: the inventory of the feed.
    """
    entries = {}
    for path, file in files.items():
        stat = file.stat()
        old = known.get(path)
        same = old is not None and (old.size, old.mtime_ns) == (stat.st_size, stat.st_mtime_ns)
        content = old.sha256 if same and old else _sha256(file)
        entries[path] = Entry(
            path, feed, file_key(path), stat.st_size, content, stat.st_mtime_ns, latest_month,
            mapping.fingerprint, start_month, PARSER_VERSION, "staged" if stat.st_size else "empty",
        )
    return judge(entries, known)


def judge(entries: dict[str, Entry], known: dict[str, Entry]) -> Comparison:
    """Compare entries without counts with the inventory: what is to be staged, and which staged rows must go."""
    first_seen = {e.sha256: e.first_seen_month for e in known.values()}
    entries = {p: replace(e, first_seen_month=first_seen.get(e.sha256, e.first_seen_month)) for p, e in entries.items()}
    entries = _with_duplicates(entries, known)
    current = {p for p, e in entries.items() if p in known and _is_current(e, known[p])}
    removed = tuple(sorted(known.keys() - entries.keys()))
    to_stage = tuple(p for p, e in entries.items() if p not in current and e.state != "duplicate")
    affected = {known[p].file_key for p in removed} | {e.file_key for p, e in entries.items() if p not in current}
    for path in current:
        old, stamp = known[path], entries[path].mtime_ns
        entries[path] = replace(old, mtime_ns=stamp, duplicate_of=entries[path].duplicate_of)
    return Comparison(
        entries=entries,
        to_stage=to_stage,
        new=tuple(p for p in entries if p not in known),
        changed=tuple(p for p in entries if p in known and p not in current),
        removed=removed,
        duplicates=tuple(p for p, e in entries.items() if e.state == "duplicate"),
        unchanged=len(current),
        keys_affected=frozenset(affected),
    )


def _is_current(entry: Entry, old: Entry) -> bool:
    """Whether the staged rows of a file are still what reading it would give."""
    same_rules = (entry.mapping, entry.start_month, entry.parser_version) == (old.mapping, old.start_month, old.parser_version)
    return entry.sha256 == old.sha256 and entry.state == old.state and same_rules


def _with_duplicates(entries: dict[str, Entry], known: dict[str, Entry]) -> dict[str, Entry]:
    """Among files of one content, the one staged before stays the one that counts, else the first by name."""
    first: dict[str, str] = {}
    staged_before = [p for p, e in entries.items() if p in known and known[p].state == "staged" and known[p].sha256 == e.sha256]
    for path in [*staged_before, *entries]:
        if entries[path].state != "empty":
            first.setdefault(entries[path].sha256, path)
    return {
        p: e if first.get(e.sha256, p) == p else replace(e, state="duplicate", duplicate_of=first[e.sha256])
        for p, e in entries.items()
    }


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def schema():
    """Arrow schema of `landing.files`."""
    import pyarrow as pa

    numbers: dict[str, Callable] = {"size": pa.int64, "mtime_ns": pa.int64, "lines": pa.int64, "rows": pa.int64}
    numbers |= {"quarantined": pa.int64, "stage_version": pa.int64}
    return pa.schema([pa.field(n, numbers.get(n, pa.string)()) for n in Entry.__dataclass_fields__])


def read(lake_root: Path, feed: str) -> dict[str, Entry]:
    """The inventory of a feed by path; empty before its first refresh."""
    from deltalake import DeltaTable

    path = lake_root / LANDING / "files"
    if not DeltaTable.is_deltatable(str(path)):
        return {}
    rows = DeltaTable(str(path)).to_pyarrow_table(filters=[("feed", "=", feed)]).to_pylist()
    return {e.path: e for e in sorted((Entry(**row) for row in rows), key=lambda e: e.path)}


def write(lake_root: Path, feed: str, entries: list[Entry]) -> None:
    """Replace the inventory of a feed in one commit."""
    import pyarrow as pa
    from deltalake import DeltaTable, write_deltalake

    path = lake_root / LANDING / "files"
    DeltaTable.create(str(path), schema(), mode="ignore", partition_by=["feed"])
    rows = pa.Table.from_pylist([asdict(e) for e in entries], schema=schema())
    write_deltalake(str(path), rows, mode="overwrite", predicate=f"feed = '{feed}'")
