"""Delta tables of a state without their data: a log with every file, its rows, size and statistics, and no file.

Planning reads only the log, so partition pruning, sizes and join strategies can be seen at a size that no laptop holds.
Elsewhere: how large the tables are (`scale_sizes.py`), the plans (`scale_plans.py`).
"""

import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyspark.sql.types as T

from bench.scale_sizes import StateTable
from claims_assets.partitions import MONTH

STATISTICS_OF = 32
"""Columns with statistics, Delta's default."""
TEXT, DAY = ("0", "z"), ("2023-01-01", "2026-12-31")


def simulate(
    root: Path, table: StateTable, schema: T.StructType, months: Sequence[str], files: int | None = None
) -> Path:
    """Write the log of one table, one commit a month, and its checkpoint.

    Args:
        root: of the lake.
        table: rows and bytes.
        schema: its columns.
        months: its claim months; an unpartitioned table has none.
        files: of a month, or of all; None: as planned. Rows are clustered by member, where there is one.
    """
    from deltalake import DeltaTable

    folder = root / table.name.replace(".", "/")
    log = folder / "_delta_log"
    log.mkdir(parents=True)
    parts: Sequence[str | None] = months if table.months else [None]
    for version, month in enumerate(parts):
        actions = [*(_head(schema, bool(table.months)) if version == 0 else ()), *_files(table, schema, month, files)]
        text = "\n".join(json.dumps(action, separators=(",", ":")) for action in actions)
        (log / f"{version:020}.json").write_text(text + "\n")
    DeltaTable(str(folder)).create_checkpoint()
    return folder


def _head(schema: T.StructType, partitioned: bool) -> Iterator[dict[str, Any]]:
    yield {"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}}
    yield {
        "metaData": {
            "id": str(uuid.uuid5(uuid.NAMESPACE_OID, schema.json())),
            "format": {"provider": "parquet", "options": {}},
            "schemaString": schema.json(),
            "partitionColumns": [MONTH] if partitioned else [],
            "configuration": {},
            "createdTime": 0,
        }
    }


def _files(table: StateTable, schema: T.StructType, month: str | None, files: int | None) -> Iterator[dict[str, Any]]:
    n = files or table.files
    for i in range(n):
        place = f"{MONTH}={month}/" if month else ""
        rows = table.rows * (i + 1) // n - table.rows * i // n
        yield {
            "add": {
                "path": f"{place}part-{i:05}-{uuid.uuid5(uuid.NAMESPACE_OID, f'{table.name}{month}{i}')}.parquet",
                "partitionValues": {MONTH: month} if month else {},
                "size": table.bytes // n,
                "modificationTime": 0,
                "dataChange": True,
                "stats": json.dumps(_statistics(schema, rows, i, n), separators=(",", ":")),
            }
        }


def _statistics(schema: T.StructType, rows: int, i: int, n: int) -> dict[str, Any]:
    counted = [f for f in schema.fields if f.name != MONTH][:STATISTICS_OF]
    ends = {f.name: _ends(f, i, n) for f in counted}
    return {
        "numRecords": rows,
        "minValues": {name: low for name, (low, _) in ends.items() if low is not None},
        "maxValues": {name: high for name, (_, high) in ends.items() if high is not None},
        "nullCount": {f.name: 0 if not f.nullable else rows // 10 for f in counted},
    }


def member(number: int) -> str:
    """A member id of the state; the n-th of 10 million."""
    return f"M{number:08}"


def _ends(field: T.StructField, i: int, n: int) -> tuple[Any, Any]:
    if field.name == "member_id":
        return member(10_000_000 * i // n), member(10_000_000 * (i + 1) // n - 1)
    kinds: Mapping[type[T.DataType], tuple[Any, Any]] = {
        T.StringType: TEXT,
        T.DateType: DAY,
        T.IntegerType: (0, 1000),
        T.LongType: (0, 10**9),
        T.DoubleType: (0.0, 1e6),
        T.DecimalType: (0.0, 99999.99),
    }
    return kinds.get(type(field.dataType), (None, None))
