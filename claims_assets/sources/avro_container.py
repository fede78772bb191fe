"""The structure of an Avro object container file: header, blocks, and where a damaged one breaks off.

No record is decoded here. Own code, for no reader tells where a damaged file ends and none here knows all codecs.
"""

import bz2
import io
import json
import lzma
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from claims_assets.sources.records import FileError

MAGIC = b"Obj\x01"
SYNC_BYTES = 16
"""Avro specification 1.11, object container files."""
CODECS = ("null", "deflate", "snappy", "zstandard", "bzip2", "xz")
LONG_BITS = 63


@dataclass(frozen=True)
class Block:
    """One block of a container: `records` records in `size` bytes from `offset`; `start` is where its own head is."""

    records: int
    offset: int
    size: int
    start: int

    @property
    def end(self) -> int:
        """Where the next block starts."""
        return self.offset + self.size + SYNC_BYTES


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


def structure(path: Path, file: BinaryIO, *, with_blocks: bool = True) -> Container:
    """Header and blocks of an open file.

    Raises:
        FileError: the header is damaged, or the file holds no records of named fields.
    """
    try:
        if file.read(4) != MAGIC:
            raise ValueError("magic")
        meta = _metadata(file)
        schema = json.loads(meta["avro.schema"])
        codec = meta.get("avro.codec", b"null").decode()
        sync = _exactly(file, SYNC_BYTES)
        named = schema["type"] == "record" and all(f["name"] for f in schema["fields"])
    except (ValueError, EOFError, KeyError, TypeError, MemoryError):
        raise FileError(
            f"{path.name}: no readable Avro file (its header is damaged): fetch it again or remove it."
        ) from None
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
        blocks.append(Block(records, offset, size, start))


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


def read_long(file: BinaryIO) -> int:
    """A base-128 number, lowest group first."""
    value = shift = 0
    while True:
        byte = _exactly(file, 1)[0]
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return value
        if shift > LONG_BITS:
            raise ValueError("number too long")


def _zigzag(file: BinaryIO) -> int:
    value = read_long(file)
    return (value >> 1) ^ -(value & 1)


def decompressed(payload: bytes, codec: str) -> bytes:
    """Content of a block; raises the codec's own errors where it is damaged."""
    import pyarrow as pa

    match codec:
        case "deflate":
            return zlib.decompress(payload, -15)
        case "snappy":
            # A block ends with the CRC32 of its content; snappy itself begins with the content's length.
            content = pa.Codec("snappy").decompress(payload[:-4], read_long(io.BytesIO(payload)), asbytes=True)
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
