"""Delta tables written file by file: Parquet parts first, then one commit that adds and removes them.

delta-rs's own writer keeps every partition of a write open at once (1.7 MB each: 4 GB for 200 landing files of twelve
months). Here only the parts of one landing file are open, and a write of any size is still one atomic commit. The log
holds row counts and no minimum or maximum values: reading prunes by partition, and no member id stands in the log.
"""

import json
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from claims_assets.sources.feeds import FILE_KEY

if TYPE_CHECKING:
    import pyarrow as pa
    from deltalake import DeltaTable

ROWS_HELD = 250_000
"""Rows kept in memory before the parts of a file get their next row groups."""


class Parts:
    """Parquet files of one Delta table that no commit names yet.

    Partition columns come first in `values`, in the order in which the table is partitioned, and are not stored in the
    files. Call `close_file` after each landing file. Used as a context, an error within removes everything written.
    """

    def __init__(self, path: Path, schema: "pa.Schema", partition_by: list[str]) -> None:
        import pyarrow as pa

        self._path, self._partition_by = path, partition_by
        self._schema = pa.schema([f for f in schema if f.name not in partition_by])
        self._held: dict[tuple[str, ...], list[pa.Table]] = {}
        self._rows_held = 0
        self._open: dict[tuple[str, ...], _Part] = {}
        self.finished: list[_Part] = []

    def add(self, values: tuple[str, ...], rows: "pa.Table") -> None:
        """Take rows of one partition."""
        self._held.setdefault(values, []).append(rows.select(self._schema.names).cast(self._schema))
        self._rows_held += rows.num_rows
        if self._rows_held >= ROWS_HELD:
            self._flush()

    def close_file(self) -> None:
        """Finish the parts of a landing file: no later rows belong to them."""
        self._flush()
        for part in self._open.values():
            part.close()
            self.finished.append(part)
        self._open = {}

    def __enter__(self) -> "Parts":
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        if error is None:
            return
        for part in self._open.values():
            part.close()
        for part in [*self._open.values(), *self.finished]:
            part.file.unlink(missing_ok=True)

    def _flush(self) -> None:
        import pyarrow as pa

        for values, tables in self._held.items():
            if values not in self._open:
                self._open[values] = _Part(self._path, dict(zip(self._partition_by, values, strict=True)), self._schema)
            self._open[values].write(pa.concat_tables(tables).combine_chunks())
        self._held, self._rows_held = {}, 0


class _Part:
    """One Parquet file of one partition."""

    def __init__(self, root: Path, values: dict[str, str], schema: "pa.Schema") -> None:
        import pyarrow.parquet as pq

        folder = "/".join(f"{column}={value}" for column, value in values.items())
        self.values, self.name, self.rows = values, f"{folder}/part-{uuid.uuid4()}.zstd.parquet", 0
        self.file = root / self.name
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self._writer = pq.ParquetWriter(self.file, schema, compression="zstd", store_schema=False)

    def write(self, rows: "pa.Table") -> None:
        self._writer.write_table(rows)
        self.rows += rows.num_rows

    def close(self) -> None:
        self._writer.close()


def open_table(path: Path, schema: "pa.Schema", partition_by: list[str]) -> "DeltaTable":
    """The table, created empty with its whole schema where there is none."""
    from deltalake import DeltaTable

    return DeltaTable.create(str(path), schema, mode="ignore", partition_by=partition_by)


def commit(table: "DeltaTable", added: "Iterable[_Part]", keys: set[str]) -> int:
    """Replace everything the table holds of these file keys by the parts, in one commit; returns the version."""
    from deltalake.transaction import AddAction, RemoveAction

    adds = []
    for part in added:
        stat = part.file.stat()
        stats = json.dumps({"numRecords": part.rows})
        adds.append(AddAction(part.name, stat.st_size, part.values, stat.st_mtime_ns // 10**6, True, stats))
    stamp = max((a.modification_time for a in adds), default=0)
    removes = [
        RemoveAction(f["path"], True, stamp, f["size_bytes"], {c: f[f"partition.{c}"] for c in _partitions(table)})
        for f in live_files(table)
        if f[f"partition.{FILE_KEY}"] in keys
    ]
    if adds or removes:
        table.create_write_transaction([*adds, *removes], "append", table.schema(), partition_by=_partitions(table))
        table.update_incremental()
    return table.version()


def read(table: "DeltaTable", columns: list[str] | None = None, filters: list[tuple] | None = None) -> "pa.Table":
    """Rows of a table on this machine.

    Not through delta-rs's own file system: Arrow's threads may still hold it when Python ends, which then aborts.
    """
    from pyarrow import fs

    root = fs.SubTreeFileSystem(table.table_uri.removeprefix("file://"), fs.LocalFileSystem())
    return table.to_pyarrow_table(columns=columns, filters=filters, filesystem=root)


def rows_by(table: "DeltaTable", column: str, keys: set[str] | None = None) -> dict[str, int]:
    """Rows by value of a partition column, from the Delta log; only of these file keys where they are given."""
    counted: dict[str, int] = {}
    for file in live_files(table):
        if keys is None or file[f"partition.{FILE_KEY}"] in keys:
            value = file[f"partition.{column}"]
            counted[value] = counted.get(value, 0) + file["num_records"]
    return dict(sorted(counted.items()))


def _partitions(table: "DeltaTable") -> list[str]:
    return list(table.metadata().partition_columns)


def live_files(table: "DeltaTable") -> list[dict]:
    """The files of the table now: partition values, rows and size of each, from the Delta log."""
    import pyarrow as pa

    return pa.table(table.get_add_actions(flatten=True)).to_pylist()
