"""Parquet files as chunks of text records."""

from collections.abc import Iterator
from pathlib import Path

from claims_assets.sources import text
from claims_assets.sources.records import Chunk, FileError

BATCH_ROWS = 65_536


def header(path: Path) -> list[str]:
    """Column names of the file."""
    return list(_open(path).schema_arrow.names)


def chunks(path: Path) -> Iterator[Chunk]:
    """The records in batches of at most BATCH_ROWS; a damaged file is a FileError, for its rows can't be told apart."""
    import pyarrow as pa

    first = 1
    try:
        for batch in _open(path).iter_batches(BATCH_ROWS):
            columns = [text.column(c) for c in batch.columns]
            lines = pa.array(range(first, first + batch.num_rows), pa.int64())
            first += batch.num_rows
            yield Chunk(pa.Table.from_arrays(columns, names=batch.schema.names), lines)
    except (pa.ArrowException, OSError):
        raise _damaged(path) from None


def _open(path: Path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(path)
    except (pa.ArrowException, OSError):
        raise _damaged(path) from None


def _damaged(path: Path) -> FileError:
    return FileError(f"{path.name}: no readable Parquet file: fetch it again or remove it.")
