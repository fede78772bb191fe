"""The landing inventory, `landing.files`: one row a landing file.

Elsewhere: comparing it with the folder (`changes.py`). A file's months are not here: the stage's Delta log has them.
"""

import hashlib
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from claims_assets.sources import parts
from claims_assets.sources.feeds import CLAIM_MONTH, FILE_KEY, LANDING

if TYPE_CHECKING:
    import pyarrow as pa

State = Literal["staged", "duplicate", "empty"]
KEY_DIGITS = 16
TABLE = "files"


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


def file_key(path: str) -> str:
    """Partition value of a file: the first 16 hex digits of the SHA-256 of its relative path."""
    return hashlib.sha256(path.encode()).hexdigest()[:KEY_DIGITS]


def schema() -> "pa.Schema":
    """Arrow schema of `landing.files`."""
    import pyarrow as pa

    return pa.schema([pa.field(f.name, pa.int64() if f.type is int else pa.string()) for f in fields(Entry)])


def exists(lake_root: Path) -> bool:
    """Whether any feed was ever refreshed."""
    from deltalake import DeltaTable

    return DeltaTable.is_deltatable(str(lake_root / LANDING / TABLE))


def read(lake_root: Path, feed: str) -> dict[str, Entry]:
    """The inventory of a feed by path; empty before its first refresh."""
    from deltalake import DeltaTable

    if not exists(lake_root):
        return {}
    rows = parts.read(DeltaTable(str(lake_root / LANDING / TABLE)), filters=[("feed", "=", feed)]).to_pylist()
    return {e.path: e for e in sorted((Entry(**row) for row in rows), key=lambda e: e.path)}


def write(lake_root: Path, feed: str, entries: list[Entry]) -> None:
    """Replace the inventory of a feed in one commit."""
    import pyarrow as pa
    from deltalake import DeltaTable, write_deltalake

    path = lake_root / LANDING / TABLE
    DeltaTable.create(str(path), schema(), mode="ignore", partition_by=["feed"])
    rows = pa.Table.from_pylist([asdict(e) for e in entries], schema=schema())
    write_deltalake(str(path), rows, mode="overwrite", predicate=f"feed = '{feed}'")


def contents(lake_root: Path, feed: str) -> dict[str, str]:
    """Claim month ('' for a feed without months) -> hash of the files that its staged rows come from.

    Told by the inventory and the Delta log: no row is read.
    """
    from deltalake import DeltaTable

    stage = lake_root / LANDING / feed
    if not DeltaTable.is_deltatable(str(stage)):
        return {}
    told = {
        e.file_key: "|".join((e.path, e.sha256, e.mapping, e.start_month, e.parser_version, e.received_month or ""))
        for e in read(lake_root, feed).values()
    }
    files: dict[str, set[str]] = {}
    for file in parts.live_files(DeltaTable(str(stage))):
        key = file[f"partition.{FILE_KEY}"]
        files.setdefault(file.get(f"partition.{CLAIM_MONTH}") or "", set()).add(told.get(key) or str(key))
    return {m: hashlib.sha256("\n".join(sorted(said)).encode()).hexdigest() for m, said in sorted(files.items())}
