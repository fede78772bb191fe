"""Avro object container files as chunks of text records.

Polars reads an intact file in one go. A damaged file, or one whose codec or schema Polars does not know, is read block
by block: every intact block is kept, and each damaged one, or the rest after the damage, is one bad line.
"""

import io
import lzma
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from claims_assets.sources import text
from claims_assets.sources.avro_container import Container, decompressed, structure
from claims_assets.sources.records import BadLine, Chunk

FAST_CODECS = ("null", "deflate", "snappy")
"""Codecs that Polars reads."""
SHOWN_BYTES = 1024
"""Kept of a damaged piece: the landing file itself keeps the rest."""


def header(path: Path) -> list[str]:
    """Field names of the file's schema."""
    with path.open("rb") as file:
        return structure(path, file, with_blocks=False).names


def chunks(path: Path) -> Iterator[Chunk]:
    """All records, in one chunk where the file is intact."""
    import polars as pl

    with path.open("rb") as file:
        container = structure(path, file)
    if _is_plain(container):
        try:
            frame = pl.read_avro(path)
        except pl.exceptions.PolarsError:
            frame = None
        if frame is not None and frame.height == sum(b.records for b in container.blocks):
            yield _chunk_of_frame(frame)
            return
    yield from _by_block(path, container)


def _chunk_of_frame(frame) -> Chunk:
    import polars as pl
    import pyarrow as pa

    table = frame.to_arrow(compat_level=pl.CompatLevel.oldest()).combine_chunks()
    columns = [text.column(c.chunk(0) if c.num_chunks else pa.nulls(0, c.type)) for c in table.columns]
    return Chunk(
        pa.Table.from_arrays(columns, names=table.schema.names), pa.array(range(1, len(table) + 1), pa.int64())
    )


def _by_block(path: Path, container: Container) -> Iterator[Chunk]:
    """Intact blocks one by one; a block that can't be decoded is one bad line and the next one is tried."""
    import pyarrow as pa

    number = 1
    with path.open("rb") as file:
        for block in container.blocks:
            file.seek(block.offset)
            payload = file.read(block.size)
            records = _decoded(payload, block.records, container)
            lines = range(number, number + block.records)
            number += block.records
            if records is None:
                bad = BadLine(lines[0], _start_of(payload), f"block of {block.records} records can't be decoded")
                yield Chunk(_table([], container.names), pa.array([], pa.int64()), (bad,))
            else:
                yield Chunk(_table(records, container.names), pa.array(lines, pa.int64()))
        if container.damaged_from is not None:
            file.seek(container.damaged_from)
            rest = BadLine(number, _start_of(file.read(SHOWN_BYTES)), "file is damaged or cut off from here")
            yield Chunk(_table([], container.names), pa.array([], pa.int64()), (rest,))


def _start_of(payload: bytes) -> str:
    return payload[:SHOWN_BYTES].decode("ascii", "backslashreplace")


def _table(records: list[Any], names: list[str]):
    import pyarrow as pa

    return pa.Table.from_arrays(
        [pa.array([text.of(r.get(n)) for r in records], pa.string()) for n in names], names=names
    )


def _decoded(payload: bytes, count: int, container: Container) -> list[Any] | None:
    """The records of a block; None when its bytes are damaged."""
    import fastavro
    import pyarrow as pa

    schema = fastavro.parse_schema(container.schema)
    try:
        stream = io.BytesIO(decompressed(payload, container.codec))
        records = [fastavro.schemaless_reader(stream, schema, None) for _ in range(count)]
    except (
        ValueError,
        EOFError,
        IndexError,
        OverflowError,
        struct.error,
        zlib.error,
        lzma.LZMAError,
        OSError,
        pa.ArrowException,
    ):
        return None
    return records if not stream.read(1) else None


def _is_plain(container: Container) -> bool:
    """Whether Polars may be asked: it panics on maps and knows no union of more than one type and null."""
    return container.damaged_from is None and container.codec in FAST_CODECS and _is_plain_type(container.schema)


def _is_plain_type(schema: Any) -> bool:
    if isinstance(schema, list):
        return len(schema) <= 2 and all(_is_plain_type(s) for s in schema)
    if not isinstance(schema, dict):
        return True
    if schema["type"] == "map":
        return False
    inner = [schema["type"], schema.get("items"), *(f["type"] for f in schema.get("fields", ()))]
    return all(_is_plain_type(s) for s in inner if isinstance(s, (list, dict)))
