"""CSV files (RFC 4180, UTF-8, one record a line) as chunks of text records with exact physical line numbers.

A block of lines that is beyond doubt clean is parsed by Arrow. Any other block is read line by line, so that each line
that is no record is named with its defect and nothing else is lost. Both ways give the same records.
"""

import csv
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from claims_assets.sources.records import BadLine, Chunk, FileError

BLOCK_BYTES = 8 * 2**20
BOM = b"\xef\xbb\xbf"
QUOTE, NEWLINE, RETURN = b'"\n\r'
FIELD_LIMIT = 2**30
"""A field may be as long as its line; the csv module's own limit of 128 KB would make long notes bad lines."""


def header(path: Path, delimiter: str) -> list[str]:
    """Column names of the first line."""
    with _open(path) as file:
        try:
            return _names(path, file.readline(), delimiter)
        except (EOFError, zlib.error, gzip.BadGzipFile):
            raise FileError(f"{path.name}: no readable gzip file: fetch it again or remove it.") from None


def chunks(path: Path, delimiter: str) -> Iterator[Chunk]:
    """All records in blocks of about BLOCK_BYTES."""
    names = header(path, delimiter)
    line = 2
    with _open(path) as file:
        file.readline()
        for block, damage in _blocks(file):
            if damage:
                yield _damaged_rest(block, names, line)
                return
            ends = block.count(b"\n") + (not block.endswith(b"\n"))
            chunk, blank = _parsed(block, names, delimiter, line)
            # The one promise of this module: every physical line is a record, a bad line, or blank.
            if chunk.records.num_rows + len(chunk.bad) + blank != ends:
                raise AssertionError(f"{path.name}: lines {line} to {line + ends - 1} do not add up")
            line += ends
            yield chunk


def _open(path: Path) -> BinaryIO:
    return gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb")  # type: ignore[return-value]


def _names(path: Path, first: bytes, delimiter: str) -> list[str]:
    try:
        line = first.removeprefix(BOM).decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        raise FileError(f"{path.name}: its header is not UTF-8 text: save the file as UTF-8.") from None
    if not line.strip():
        raise FileError(f"{path.name}: its first line is empty: begin the file with a line of column names.")
    try:
        (row,) = csv.reader([line], delimiter=delimiter, strict=True)
    except (csv.Error, ValueError):
        raise FileError(f"{path.name}: its header can't be read (stray quote or line break): correct line 1.") from None
    names = [n.strip() or f"unnamed_{i}" for i, n in enumerate(row, 1)]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise FileError(
            f"{path.name}: column {twice[0]!r} stands twice in its header: rename one of the two in line 1."
        )
    return names


def _blocks(file: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    """Blocks of whole lines; the second value marks what is left where a compressed file breaks off."""
    rest, is_damaged, is_over = b"", False, False
    while not is_damaged and not is_over:
        pieces, size = [rest], 0
        try:
            # read1 hands out what could be decompressed before it meets the damage; read would lose it.
            while size < BLOCK_BYTES and not is_over:
                pieces.append(file.read1(BLOCK_BYTES))  # type: ignore[attr-defined]
                size, is_over = size + len(pieces[-1]), not pieces[-1]
        except (EOFError, zlib.error, gzip.BadGzipFile):
            is_damaged = True
        block = b"".join(pieces)
        whole = block.rfind(b"\n") + 1
        if whole:
            yield block[:whole], False
        rest = block[whole:]
    if rest or is_damaged:
        yield rest, is_damaged


def _damaged_rest(block: bytes, names: list[str], line: int) -> Chunk:
    import pyarrow as pa

    bad = BadLine(
        line, block[:1024].decode("utf-8", "backslashreplace"), "compressed file is damaged or cut off from here"
    )
    return Chunk(_table([], names), pa.array([], pa.int64()), (bad,))


def _parsed(block: bytes, names: list[str], delimiter: str, line: int) -> tuple[Chunk, int]:
    """The chunk of a block, and its number of blank lines."""
    import pyarrow as pa

    if _is_clean(block, delimiter):
        try:
            table = _by_arrow(block, names, delimiter)
        except pa.ArrowInvalid:
            table = None
        if table is not None and table.num_rows == block.count(b"\n") + (not block.endswith(b"\n")):
            return Chunk(table, pa.array(range(line, line + table.num_rows), pa.int64())), 0
    return _by_line(block, names, delimiter, line)


def _is_clean(block: bytes, delimiter: str) -> bool:
    """Whether each line of the block is surely one record, so that Arrow's more tolerant rules can't differ."""
    # A byte order mark is text anywhere but at the start of a file; Arrow would take it out of every block.
    if b"\0" in block or block.startswith((b"\n", b"\r\n", BOM)) or b"\n\n" in block or b"\n\r\n" in block:
        return False
    if b"\r" in block and block.count(b"\r") != block.count(b"\r\n"):
        return False
    return b'"' not in block or _quotes_are_regular(block, delimiter)


def _quotes_are_regular(block: bytes, delimiter: str) -> bool:
    """Every quote opens a field at its start, closes it at its end, or is one of a pair; no line ends inside."""
    import numpy as np

    content = np.frombuffer(block, np.uint8)
    quotes = np.flatnonzero(content == QUOTE)
    if len(quotes) % 2:
        return False
    edges = np.array([ord(delimiter), QUOTE, NEWLINE], np.uint8)
    before = np.where(quotes[::2] == 0, NEWLINE, content[quotes[::2] - 1])
    last = len(content) - 1
    after = np.where(quotes[1::2] == last, NEWLINE, content[np.minimum(quotes[1::2] + 1, last)])
    if not np.isin(before, edges).all() or not np.isin(after, [*edges, RETURN]).all():
        return False
    newlines = np.flatnonzero(content == NEWLINE)
    return not (np.searchsorted(quotes, newlines) % 2).any()


def _by_arrow(block: bytes, names: list[str], delimiter: str):
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    return arrow_csv.read_csv(
        pa.BufferReader(block),
        read_options=arrow_csv.ReadOptions(use_threads=False, column_names=names, block_size=len(block) + 1),
        parse_options=arrow_csv.ParseOptions(delimiter=delimiter, ignore_empty_lines=False),
        convert_options=arrow_csv.ConvertOptions(
            column_types={n: pa.string() for n in names}, strings_can_be_null=True, null_values=[""]
        ),
    ).combine_chunks()


def _by_line(block: bytes, names: list[str], delimiter: str, line: int) -> tuple[Chunk, int]:
    import pyarrow as pa

    csv.field_size_limit(FIELD_LIMIT)
    lines = block.split(b"\n")
    if not lines[-1]:
        lines.pop()
    rows, numbers, bad, blank = [], [], [], 0
    for number, raw in enumerate(lines, line):
        raw = raw.removesuffix(b"\r")
        if not raw.strip(b" "):
            blank += 1
            continue
        row = _record(raw, len(names), delimiter)
        if isinstance(row, str):
            bad.append(BadLine(number, raw.decode("utf-8", "backslashreplace"), row))
        else:
            rows.append(row)
            numbers.append(number)
    return Chunk(_table(rows, names), pa.array(numbers, pa.int64()), tuple(bad)), blank


def _record(raw: bytes, width: int, delimiter: str) -> list[str] | str:
    """The fields of a line, or what is wrong with it."""
    if b"\0" in raw:
        return "NUL byte"
    try:
        (row,) = csv.reader([raw.decode("utf-8")], delimiter=delimiter, strict=True)
    except UnicodeDecodeError:
        return "not UTF-8"
    except (csv.Error, ValueError):
        return "stray quote or line break"
    if len(row) != width:
        return "too few fields" if len(row) < width else "too many fields"
    return row


def _table(rows: list[list[str]], names: list[str]):
    import pyarrow as pa

    columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    return pa.Table.from_arrays([pa.array([v or None for v in c], pa.string()) for c in columns], names=names)
