"""Avro object container files as chunks of text records.

Polars reads an intact file, some blocks at a time. A damaged file, or one whose codec or schema Polars does not know,
is read block by block: every intact block is kept, and each damaged one, or the rest after the damage, is one bad line.
"""

import io
import lzma
import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from claims_assets.sources import text
from claims_assets.sources.avro_container import Block, Container, decompressed, structure
from claims_assets.sources.records import BadLine, Chunk

FAST_CODECS = ("null", "deflate", "snappy")
"""Codecs that Polars reads."""
RECORDS_AT_ONCE, BYTES_AT_ONCE = 65_536, 32 * 2**20
"""Of a file, so that a big one takes no more memory than a small one; a block of its own may be larger."""
SHOWN_BYTES = 1024
"""Kept of a damaged piece: the landing file itself keeps the rest."""


def header(path: Path) -> list[str]:
    """Field names of the file's schema."""
    with path.open("rb") as file:
        return structure(path, file, with_blocks=False).names


def chunks(path: Path) -> Iterator[Chunk]:
    """All records, some blocks of the file at a time."""
    with path.open("rb") as file:
        container = structure(path, file)
        is_plain, number = _is_plain(container), 1
        for blocks in _groups(container.blocks):
            whole = _at_once(file, container, blocks, number) if is_plain else None
            yield from [whole] if whole else _by_block(file, container, blocks, number)
            number += sum(b.records for b in blocks)
        if container.damaged_from is not None:
            file.seek(container.damaged_from)
            rest = BadLine(number, _start_of(file.read(SHOWN_BYTES)), "file is damaged or cut off from here")
            yield Chunk(_table([], container.names), _lines(number, 0), (rest,))


def _groups(blocks: Sequence[Block]) -> Iterator[list[Block]]:
    """The blocks in their order, as many together as are read at once; one empty group of a file without blocks."""
    group: list[Block] = []
    for block in blocks:
        if group and (
            sum(b.records for b in group) + block.records > RECORDS_AT_ONCE
            or block.end - group[0].start > BYTES_AT_ONCE
        ):
            yield group
            group = []
        group.append(block)
    yield group


def _at_once(file: BinaryIO, container: Container, blocks: Sequence[Block], number: int) -> Chunk | None:
    """The records of some blocks by Polars, to which they are a file of their own; None where it can't read them."""
    import polars as pl
    import pyarrow as pa

    file.seek(0)
    content = file.read(container.blocks[0].start if blocks else -1)
    if blocks:
        file.seek(blocks[0].start)
        content += file.read(blocks[-1].end - blocks[0].start)
    try:
        frame = pl.read_avro(io.BytesIO(content))
    except pl.exceptions.PolarsError:
        return None
    if frame.height != sum(b.records for b in blocks):
        return None
    table = frame.to_arrow(compat_level=pl.CompatLevel.oldest()).combine_chunks()
    columns = [text.column(c.chunk(0) if c.num_chunks else pa.nulls(0, c.type)) for c in table.columns]
    return Chunk(pa.Table.from_arrays(columns, names=table.schema.names), _lines(number, len(table)))


def _by_block(file: BinaryIO, container: Container, blocks: Sequence[Block], number: int) -> Iterator[Chunk]:
    """Intact blocks one by one; a block that can't be decoded is one bad line and the next one is tried."""
    for block in blocks:
        file.seek(block.offset)
        payload = file.read(block.size)
        records = _decoded(payload, block.records, container)
        if records is None:
            bad = BadLine(number, _start_of(payload), f"block of {block.records} records can't be decoded")
            yield Chunk(_table([], container.names), _lines(number, 0), (bad,))
        else:
            yield Chunk(_table(records, container.names), _lines(number, block.records))
        number += block.records


def _lines(first: int, count: int):
    """Numbers of so many records."""
    import pyarrow as pa

    return pa.array(range(first, first + count), pa.int64())


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
