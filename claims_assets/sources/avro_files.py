"""Avro object container files as chunks of text records.

Polars reads an intact file in one go. A damaged file, or one whose codec or schema Polars does not know, is read block
by block: every intact block is kept, and each damaged one, or the rest after the damage, is one bad line.
"""

import bz2
import io
import lzma
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from claims_assets.sources import text
from claims_assets.sources.parsing import BadLine, Chunk, FileError

MAGIC = b"Obj\x01"
SYNC_BYTES = 16
"""Avro specification 1.11, object container files."""
FAST_CODECS = ("null", "deflate", "snappy")
CODECS = (*FAST_CODECS, "zstandard", "bzip2", "xz")
MEGABYTE = 2**20


@dataclass(frozen=True)
class Block:
    """One block of a container: `records` records in `size` bytes from `offset`."""

    records: int
    offset: int
    size: int


@dataclass(frozen=True)
class Container:
    """The structure of a file, read without decoding a record."""

    schema: Any
    codec: str
    blocks: tuple[Block, ...]
    damaged_from: int | None
    """Offset at which the structure breaks off; None for a file that is whole."""

    @property
    def names(self) -> list[str]:
        return [f["name"] for f in self.schema["fields"]]

    @property
    def is_plain(self) -> bool:
        """Whether Polars reads it; it panics on maps and knows no union of more than one type and null."""
        return self.damaged_from is None and self.codec in FAST_CODECS and _is_plain(self.schema)


def header(path: Path) -> list[str]:
    """Field names of the file's schema."""
    with path.open("rb") as file:
        return _structure(path, file, with_blocks=False).names


def chunks(path: Path) -> Iterator[Chunk]:
    """All records, in one chunk where the file is intact."""
    import polars as pl

    with path.open("rb") as file:
        container = _structure(path, file)
    if container.is_plain:
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
    return Chunk(pa.Table.from_arrays(columns, names=table.schema.names), pa.array(range(1, len(table) + 1), pa.int64()))


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
            rest = BadLine(number, _start_of(file.read(MEGABYTE)), "file is damaged or cut off from here")
            yield Chunk(_table([], container.names), pa.array([], pa.int64()), (rest,))


def _start_of(payload: bytes) -> str:
    """The first bytes of a damaged piece, escaped: the landing file itself keeps the rest."""
    return payload[:1024].decode("ascii", "backslashreplace")


def _table(records: list[dict[str, Any]], names: list[str]):
    import pyarrow as pa

    return pa.Table.from_arrays([pa.array([text.of(r.get(n)) for r in records], pa.string()) for n in names], names=names)


def _decoded(payload: bytes, count: int, container: Container) -> list[dict[str, Any]] | None:
    """The records of a block; None when its bytes are damaged."""
    import fastavro
    import pyarrow as pa

    schema = fastavro.parse_schema(container.schema)
    try:
        stream = io.BytesIO(_decompressed(payload, container.codec))
        records = [fastavro.schemaless_reader(stream, schema, None) for _ in range(count)]
    except (ValueError, EOFError, IndexError, OverflowError, struct.error, zlib.error, lzma.LZMAError, OSError, pa.ArrowException):
        return None
    return records if not stream.read(1) else None


def _decompressed(payload: bytes, codec: str) -> bytes:
    import pyarrow as pa

    match codec:
        case "deflate":
            return zlib.decompress(payload, -15)
        case "snappy":
            # A block ends with the CRC32 of its content; snappy itself begins with the content's length.
            content = pa.Codec("snappy").decompress(payload[:-4], _long(io.BytesIO(payload)), asbytes=True)
            if struct.pack(">I", zlib.crc32(content)) != payload[-4:]:
                raise ValueError("checksum")
            return content
        case "zstandard":
            return pa.CompressedInputStream(pa.BufferReader(payload), "zstd").read()
        case "bzip2":
            return bz2.decompress(payload)
        case "xz":
            return lzma.decompress(payload)
    return payload


def _structure(path: Path, file: BinaryIO, with_blocks: bool = True) -> Container:
    import json

    try:
        if file.read(4) != MAGIC:
            raise ValueError("magic")
        meta = _metadata(file)
        schema = json.loads(meta["avro.schema"])
        codec = meta.get("avro.codec", b"null").decode()
        sync = _exactly(file, SYNC_BYTES)
        named = schema["type"] == "record" and all(f["name"] for f in schema["fields"])
    except (ValueError, EOFError, KeyError, TypeError, MemoryError):
        raise FileError(f"{path.name}: no readable Avro file (its header is damaged): fetch it again or remove it.") from None
    if not named:
        raise FileError(f"{path.name}: its Avro schema is no record: bring one record a {path.parent.name} row.")
    if codec not in CODECS:
        raise FileError(f"{path.name}: Avro codec {codec!r} is unknown: write it with one of {', '.join(CODECS)}.")
    blocks, damage = _blocks(file, sync) if with_blocks else ((), None)
    return Container(schema, codec, blocks, damage)


def _blocks(file: BinaryIO, sync: bytes) -> tuple[tuple[Block, ...], int | None]:
    """The intact blocks, and where the first broken one starts."""
    blocks = []
    while True:
        start = file.tell()
        if not file.read(1):
            return tuple(blocks), None
        file.seek(start)
        try:
            records, size = _zigzag(file), _zigzag(file)
            offset = file.tell()
            if records < 0 or size < 0:
                return tuple(blocks), start
            file.seek(size, io.SEEK_CUR)
            if file.read(SYNC_BYTES) != sync:
                return tuple(blocks), start
        except (EOFError, OSError, OverflowError):
            return tuple(blocks), start
        blocks.append(Block(records, offset, size))


def _metadata(file: BinaryIO) -> dict[str, bytes]:
    meta: dict[str, bytes] = {}
    while count := _zigzag(file):
        if count < 0:
            count = -count
            _zigzag(file)
        for _ in range(count):
            key = _exactly(file, _zigzag(file)).decode()
            meta[key] = _exactly(file, _zigzag(file))
    return meta


def _exactly(file: BinaryIO, size: int) -> bytes:
    content = file.read(size) if size >= 0 else b""
    if len(content) != size:
        raise EOFError
    return content


def _long(file: BinaryIO) -> int:
    """A base-128 number, lowest group first."""
    value = shift = 0
    while True:
        byte = _exactly(file, 1)[0]
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return value
        if shift > 63:
            raise ValueError("number too long")


def _zigzag(file: BinaryIO) -> int:
    value = _long(file)
    return (value >> 1) ^ -(value & 1)


def _is_plain(schema: Any) -> bool:
    if isinstance(schema, list):
        return len(schema) <= 2 and all(_is_plain(s) for s in schema)
    if not isinstance(schema, dict):
        return True
    if schema["type"] == "map":
        return False
    inner = [schema["type"], schema.get("items"), *(f["type"] for f in schema.get("fields", ()))]
    return all(_is_plain(s) for s in inner if isinstance(s, (list, dict)))
