"""What a Delta table holds, read from its log and files by delta-rs whoever wrote it; commits are in
`runtime/writers.py`.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from claims_assets.partitions import MONTH

if TYPE_CHECKING:
    import pyarrow
    import pyarrow.dataset
    from deltalake import DeltaTable

Filter = tuple[str, Literal["=", "!=", "<", ">", "in"], Any]
"""Column (no boolean: of what Spark wrote it would find nothing), operator, value; a row without a value is out."""


class ContractChanged(ValueError):
    """A stored table has other columns than its contract, and only part of it was to be rewritten."""


def delta_exists(path: Path) -> bool:
    """Whether the folder holds a Delta table."""
    return (path / "_delta_log").is_dir()


def schema_change(
    path: Path, wanted: "pyarrow.Schema", *, whole: bool, table: "DeltaTable | None" = None
) -> Literal["merge", "overwrite"] | None:
    """None when stored and wanted columns agree; how to change the stored ones otherwise.

    Args:
        table: the table at the path, where it is open already.

    Raises:
        ContractChanged: only part of the table is to be rewritten; the message says how to rebuild.
    """
    stored = {f.name: (f.type, f.nullable) for f in _columns(table or _table(path))}
    asked = {f.name: (f.type, f.nullable) for f in wanted}
    if stored == asked:
        return None
    if whole:
        return "overwrite"
    if all(asked.get(n) == v for n, v in stored.items()) and all(asked[n][1] for n in asked.keys() - stored.keys()):
        return "merge"
    changed = sorted(n for n in stored.keys() | asked.keys() if stored.get(n) != asked.get(n))
    raise ContractChanged(
        f"{path.parent.name}.{path.name}: the contract changed ({', '.join(changed)}) and the stored months keep"
        f" the old one: remove the folder {path.name} of the lake and materialize all its months."
    )


def stored_schema(path: Path) -> "pyarrow.Schema":
    """Columns of the stored table as Arrow states them."""
    return _columns(_table(path))


def _columns(table: "DeltaTable") -> "pyarrow.Schema":
    import pyarrow as pa

    return pa.schema(table.schema().to_arrow())


def stored_files(path: Path) -> list[str]:
    """The files of a table on this machine, in no order."""
    return [uri.removeprefix("file://") for uri in _table(path).file_uris()]


def rows_by_month(path: Path) -> dict[str, int]:
    """Rows per claim month, from the Delta log alone; all under '' for a table without claim months."""
    stamp, known = log_stamp(path), _counted.get(str(path))
    if known is None or known[0] != stamp:
        known = _counted[str(path)] = (stamp, _count(_table(path)))
    return dict(known[1])


def _count(table: "DeltaTable") -> dict[str, int]:
    import pyarrow as pa

    actions = pa.table(table.get_add_actions(flatten=True))
    by_month = MONTH in table.metadata().partition_columns
    values = actions.column(f"partition.{MONTH}").to_pylist() if by_month else [""] * actions.num_rows
    counted: dict[str, int] = {}
    for value, n in zip(values, actions.column("num_records").to_pylist(), strict=True):
        counted[value or ""] = counted.get(value or "", 0) + n
    return dict(sorted(counted.items()))


def read_arrow(
    path: Path, columns: Sequence[str], only: tuple[str, str] | None = None, where: Sequence[Filter] = ()
) -> "pyarrow.Table":
    """Some columns of a table in this process's memory.

    Args:
        only: of one partition, as (column, value).
        where: of the rows for which all of these hold.

    The local file system is passed in: with delta-rs's own, a reader thread that outlives the call can abort Python
    when it exits.
    """
    wanted = [*([(only[0], "=", only[1])] if only else []), *where]
    return _table(path).to_pyarrow_table(filters=wanted or None, columns=list(columns), filesystem=_local(path))


def dataset(
    path: Path, only: tuple[str, str] | None = None, months: Sequence[str] | None = None
) -> "pyarrow.dataset.Dataset":
    """The files of a table for a reader that takes a part at a time.

    Args:
        only: of one partition, as (column, value).
        months: of a table by claim months, those of these months alone.
    """
    wanted = [*([(only[0], "=", only[1])] if only else []), *([(MONTH, "in", list(months))] if months else [])]
    return _table(path).to_pyarrow_dataset(file_pruning_predicate=wanted or None, filesystem=_local(path))


def _local(path: Path) -> Any:
    from pyarrow import fs

    return fs.SubTreeFileSystem(str(path), fs.LocalFileSystem())


Stamp = tuple[int, str, int]
"""Of a log: its folder, its newest commit, and when that was written."""
_opened: "dict[str, tuple[Stamp, DeltaTable]]" = {}
_counted: dict[str, tuple[Stamp, dict[str, int]]] = {}


def log_stamp(path: Path) -> Stamp:
    """What says that a table has not changed: reading a log of hundreds of commits again takes much longer."""
    log = path / "_delta_log"
    with os.scandir(log) as found:
        newest = max((f.name for f in found if f.name.endswith(".json") and f.name[0].isdigit()), default="")
    return log.stat().st_ino, newest, (log / newest).stat().st_mtime_ns


def open_table(path: Path) -> "DeltaTable":
    """The table of a folder as it is now; kept open, and read on from where its log was read to."""
    return _table(path)


def _table(path: Path) -> "DeltaTable":
    from deltalake import DeltaTable

    stamp, known = log_stamp(path), _opened.get(str(path))
    if known is None or known[0] != stamp:
        goes_on = known is not None and known[0][0] == stamp[0] and known[0][1] < stamp[1]
        table = known[1] if known and goes_on else DeltaTable(str(path))
        if goes_on:
            table.update_incremental()
        known = _opened[str(path)] = (stamp, table)
    return known[1]
