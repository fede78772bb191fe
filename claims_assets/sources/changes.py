"""What has changed in a landing folder since its inventory was written: new, changed, gone, or the same content twice.

Nothing here reads a record. A file counts as unchanged by size and time, or else by content, if it was staged by the
same rules (mapping, start month, parser).
"""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from claims_assets.sources.inventory import Entry, file_key
from claims_assets.sources.mapping import Mapping
from claims_assets.sources.parsing import PARSER_VERSION


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


Held = dict[str, tuple[int, int]]
"""File key -> rows in the stage and in its quarantine now."""


def compare(
    files: dict[str, Path], known: dict[str, Entry], held: Held, mapping: Mapping, start_month: str, latest_month: str
) -> Comparison:
    """Judge each file by size and time, and where these differ by its content.

    Args:
        files: path as in the inventory -> file.
        known: the inventory of the feed.
        held: what the stage really holds; it is believed before the inventory.
    """
    entries = {}
    for path, file in files.items():
        stat = file.stat()
        old = known.get(path)
        same = old is not None and (old.size, old.mtime_ns) == (stat.st_size, stat.st_mtime_ns)
        content = old.sha256 if same and old else _sha256(file)
        rules = (mapping.fingerprint, start_month, PARSER_VERSION)
        state = "staged" if stat.st_size else "empty"
        about = (path, mapping.feed, file_key(path), stat.st_size, content, stat.st_mtime_ns)
        entries[path] = Entry(*about, latest_month, *rules, state)
    return judge(entries, known, held)


def judge(entries: dict[str, Entry], known: dict[str, Entry], held: Held) -> Comparison:
    """Compare entries without counts with the inventory: what is to be staged, and which staged rows must go."""
    first_seen = {e.sha256: e.first_seen_month for e in known.values()}
    entries = {p: replace(e, first_seen_month=first_seen.get(e.sha256, e.first_seen_month)) for p, e in entries.items()}
    entries = _with_duplicates(entries, known)
    current = {p for p, e in entries.items() if p in known and _is_current(e, known[p], held)}
    right = {entries[p].file_key for p in current}
    wrong = {e.file_key for p, e in entries.items() if p not in current}
    for path in current:
        now = entries[path]
        entries[path] = replace(known[path], mtime_ns=now.mtime_ns, duplicate_of=now.duplicate_of)
    return Comparison(
        entries=entries,
        to_stage=tuple(p for p, e in entries.items() if p not in current and e.state != "duplicate"),
        new=tuple(p for p in entries if p not in known),
        changed=tuple(p for p in entries if p in known and p not in current),
        removed=tuple(sorted(known.keys() - entries.keys())),
        duplicates=tuple(p for p, e in entries.items() if e.state == "duplicate"),
        unchanged=len(current),
        # Also the keys that no file has: a crash may have staged a file that was gone before the next refresh.
        keys_affected=frozenset(
            wrong | (held.keys() - right) | {known[p].file_key for p in known.keys() - entries.keys()}
        ),
    )


def _is_current(entry: Entry, old: Entry, held: Held) -> bool:
    """Whether the staged rows of a file are there, and are what reading it would give."""
    rules = (entry.mapping, entry.start_month, entry.parser_version)
    same_rules = rules == (old.mapping, old.start_month, old.parser_version)
    is_there = held.get(old.file_key, (0, 0)) == (old.rows, old.quarantined)
    return entry.sha256 == old.sha256 and entry.state == old.state and same_rules and is_there


def _with_duplicates(entries: dict[str, Entry], known: dict[str, Entry]) -> dict[str, Entry]:
    """Among files of one content, the one staged before stays the one that counts, else the first by name."""
    first: dict[str, str] = {}
    staged_before = [
        p for p, e in entries.items() if p in known and known[p].state == "staged" and known[p].sha256 == e.sha256
    ]
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
