"""Small tables of what was found and built, which every step reads and writes: a partition for each table they tell of.

A step writes three of them and reads them many times, so here a commit costs milliseconds: the few rows of a partition
become one Parquet file, and one entry of the log names it in place of those before. What was read stays in memory as
long as the log has no newer entry, whoever writes it. Spark writes by its own writer.
"""

import json
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from claims_assets.partitions import MONTH
from claims_assets.runtime.delta import delta_exists, log_stamp, open_table, read_arrow
from claims_assets.runtime.writers import COMMITS_A_CHECKPOINT

if TYPE_CHECKING:
    import pyarrow as pa

    from claims_assets.runtime.lake import Lake

TABLE_NAME = "table_name"
"""The column by which they are partitioned."""
_held: "dict[str, tuple[object, pa.Table]]" = {}


def rows_of(path: Path) -> "pa.Table | None":
    """All rows of the table in a folder, as of now; None where there is no table."""
    if not delta_exists(path):
        return None
    stamp = log_stamp(path)
    known = _held.get(str(path))
    if known is None or known[0] != stamp:
        names = [f.name for f in open_table(path).schema().fields]
        known = _held[str(path)] = (stamp, read_arrow(path, names).combine_chunks())
    return known[1]


def replace(lake: "Lake", path: Path, rows: "pa.Table", name: str, months: Sequence[str] | None) -> None:
    """Replace what is stored of a table and these claim months (None: all of the table), in one commit.

    Args:
        name: the table that the rows are of, as `schema.table`.
    """
    stored = rows_of(path)
    if lake.engine == "spark" or stored is None or not _alike(stored.schema, rows.schema):
        where = {TABLE_NAME: [name]} | ({} if months is None else {MONTH: list(months)})
        lake.writer.replace(path, rows, TABLE_NAME, where)
        return
    _commit(path, name, _with_others(stored, rows, name, months))


def _alike(stored: "pa.Schema", given: "pa.Schema") -> bool:
    return [(f.name, f.type) for f in stored] == [(f.name, f.type) for f in given]


def _with_others(stored: "pa.Table", rows: "pa.Table", name: str, months: Sequence[str] | None) -> "pa.Table":
    """The rows, and those that are stored of the table's other months."""
    import pyarrow as pa
    import pyarrow.dataset as ds

    if months is None:
        return rows
    others = stored.filter((ds.field(TABLE_NAME) == name) & ~ds.field(MONTH).isin(list(months)))
    return pa.concat_tables([others.cast(rows.schema), rows]).combine_chunks()


def _commit(path: Path, name: str, rows: "pa.Table") -> None:
    """One file in place of all files of a partition."""
    import pyarrow as pa
    from deltalake.transaction import RemoveAction

    table = open_table(path)
    added = _added(path, name, rows) if rows.num_rows else []
    now = max((a.modification_time for a in added), default=0)
    removed = [
        RemoveAction(f["path"], True, now, f["size_bytes"], {TABLE_NAME: name})
        for f in pa.table(table.get_add_actions(flatten=True)).to_pylist()
        if f[f"partition.{TABLE_NAME}"] == name
    ]
    if not added and not removed:
        return
    before = table.version()
    table.create_write_transaction([*added, *removed], "append", table.schema(), partition_by=[TABLE_NAME])
    _remember(path, name, rows, before)
    if (before + 1) % COMMITS_A_CHECKPOINT == 0:
        open_table(path).create_checkpoint()


def _added(path: Path, name: str, rows: "pa.Table") -> list:
    import pyarrow.parquet as pq
    from deltalake.transaction import AddAction

    file = f"{TABLE_NAME}={name}/part-{uuid.uuid4()}.zstd.parquet"
    (path / file).parent.mkdir(exist_ok=True)
    pq.write_table(rows.drop_columns([TABLE_NAME]), path / file, compression="zstd", store_schema=False)
    stat = (path / file).stat()
    stats = json.dumps({"numRecords": rows.num_rows})
    return [AddAction(file, stat.st_size, {TABLE_NAME: name}, stat.st_mtime_ns // 10**6, True, stats)]


def _remember(path: Path, name: str, rows: "pa.Table", before: int) -> None:
    """Keep what is known to be stored now, unless somebody else has written too."""
    import pyarrow as pa
    import pyarrow.dataset as ds

    stamp, table = log_stamp(path), open_table(path)
    known = _held.pop(str(path), None)
    if known is None or table.version() != before + 1:
        return
    others = known[1].filter(ds.field(TABLE_NAME) != name)
    now = pa.concat_tables([others, rows.select(others.column_names).cast(others.schema)])
    # Else each filter would leave twice as many chunks as the one before.
    _held[str(path)] = (stamp, now.combine_chunks())
