"""One extract as CSV and Parquet, written in one pass, a part at a time.

Files are written beside their place and put there whole, so a step that fails leaves the last good ones. The CSV is
UTF-8 with a header; texts are in double quotes, NULL is an empty field, a list is a text with `; ` between its items.
A text that a spreadsheet would run as a formula begins with an apostrophe more than it has; `plain` takes it off.
"""

import contextlib
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from claims_assets.outreach.extract_folder import FORMATS, private

if TYPE_CHECKING:
    import pyarrow as pa

RUN_BY_SPREADSHEETS = ("=", "+", "-", "@", "\t", "\r", "\n", *"\uff1d\uff0b\uff0d\uff20")
"""First characters that make a cell a formula (OWASP, CSV Injection), full-width forms included."""
APOSTROPHE = "'"
BETWEEN_ITEMS = "; "


def safe(text: str) -> str:
    """The text as no spreadsheet runs it."""
    runs = text.startswith(RUN_BY_SPREADSHEETS) or text.lstrip().startswith(RUN_BY_SPREADSHEETS)
    return APOSTROPHE + text if runs or text.startswith(APOSTROPHE) else text


def plain(text: str) -> str:
    """The inverse of `safe`."""
    return text[1:] if text.startswith(APOSTROPHE) else text


def csv_line(values: Iterable[Any]) -> bytes:
    """One line; what is no text, list or NULL is written as Python writes it."""
    return (",".join(_field(v) for v in values) + "\r\n").encode()


def _field(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        value = BETWEEN_ITEMS.join(value)
    if isinstance(value, str):
        return '"' + safe(value).replace('"', '""') + '"'
    return str(value).lower() if isinstance(value, bool) else str(value)


class Staged:
    """Files that are written and not in place yet."""

    def __init__(self, paths: dict[str, Path], rows: int, columns: Sequence[str]) -> None:
        self._new = {kind: _new(path) for kind, path in paths.items()}
        self._paths, self.rows, self.columns = paths, rows, tuple(columns)
        self.sha256 = {kind: sha256(path) for kind, path in self._new.items()}

    def put_in_place(self) -> None:
        """Replace the files that were there."""
        for kind, path in self._new.items():
            path.replace(self._paths[kind])


@contextmanager
def staged(folder: Path, name: str, schema: "pa.Schema", batches: "Iterable[pa.RecordBatch]") -> Iterator[Staged]:
    """Write the rows in both formats beside their place; what is not put in place in the block is removed."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    paths = {kind: folder / f"{name}.{kind}" for kind in FORMATS}
    for path in paths.values():
        _new(path).unlink(missing_ok=True)  # of a step that was ended
    try:
        rows = _write(paths, schema, batches)
        yield Staged(paths, rows, schema.names)
    finally:
        for path in paths.values():
            _new(path).unlink(missing_ok=True)


def _write(paths: dict[str, Path], schema: "pa.Schema", batches: "Iterable[pa.RecordBatch]") -> int:
    import pyarrow.parquet as pq

    rows = 0
    with contextlib.ExitStack() as opened:
        csv = opened.enter_context(private(_new(paths["csv"])))
        parquet = opened.enter_context(private(_new(paths["parquet"])))
        writer = opened.enter_context(pq.ParquetWriter(parquet, schema))
        csv.writelines([csv_line(schema.names)])
        for batch in batches:
            writer.write_batch(batch)
            columns = [column.to_pylist() for column in batch.columns]
            csv.writelines(csv_line(values) for values in zip(*columns, strict=True))
            rows += batch.num_rows
    return rows


def _new(path: Path) -> Path:
    return path.with_name(f".{path.name}.new")


def sha256(path: Path) -> str:
    """Of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
