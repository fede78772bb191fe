"""A CSV file of providers, read and checked: all of it is good, or one sentence says what to mend.

Elsewhere: the table that the rows are loaded into (provider_database.py); providers that land as files of a feed
(csv_files.py).
"""

import csv
import io
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from claims_assets.sources.feeds import FEEDS

if TYPE_CHECKING:
    import pyarrow as pa

KEY = "provider_id"
DATES = ("active_from", "active_to")
COLUMNS = FEEDS["providers"].columns
READABLE_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


class ProviderFileError(ValueError):
    """A provider CSV that can't be loaded; one sentence with file, line, column and remedy, without a value."""


def read_csv(path: Path) -> "pa.Table":
    """The file's rows with all of `COLUMNS`, text and dates, in file order; empty fields and missing columns are NULL.

    Raises:
        ProviderFileError: the file can't be read, is no CSV, or its columns, keys or dates are not as they must be.
    """
    import pyarrow as pa

    records = _records(path)
    line, names = next(records, (1, []))
    header = _header(path, names)
    rows: list[dict[str, str | date | None]] = []
    seen: dict[str, int] = {}
    for line, fields in records:
        if fields:
            row = _row(path, line, header, fields)
            first = seen.setdefault(str(row[KEY]), line)
            if first != line:
                _refuse(path, line, KEY, f"repeats the value of line {first}", "keep one line for each provider")
            rows.append(row)
    if not rows:
        _refuse(path, line + 1, KEY, "has no value, for the file has no rows", "name a file with providers")
    kinds = [(name, pa.date32() if name in DATES else pa.string()) for name in COLUMNS]
    return pa.Table.from_pylist(rows, schema=pa.schema(kinds))


def _records(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Each record with the line it begins on; no fields where a line is blank."""
    reader = csv.reader(io.StringIO(_text(path), newline=""), strict=True)
    line = 1
    try:
        for fields in reader:
            yield line, fields
            line = reader.line_num + 1
    except csv.Error as error:
        message = f"{path}, line {reader.line_num}: not CSV ({error}): close every quote and double quotes inside."
        raise ProviderFileError(message) from None


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ProviderFileError(f"{path} can't be read ({error.strerror}): name a CSV file of providers.") from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ProviderFileError(f"{path}, line {line}: not UTF-8 text: save the file as UTF-8.") from None


def _header(path: Path, names: list[str]) -> list[str]:
    header = [name.strip() for name in names]
    if KEY not in header:
        _refuse(path, 1, KEY, "is missing", f"add it, or rename yours to {KEY}")
    for position, name in enumerate(header):
        if name not in COLUMNS:
            _refuse(path, 1, name, "is unknown", f"remove it or rename it to one of {', '.join(COLUMNS)}")
        if name in header[:position]:
            _refuse(path, 1, name, "comes twice", "keep one of them")
    return header


def _row(path: Path, line: int, header: list[str], fields: list[str]) -> dict[str, str | date | None]:
    if len(fields) != len(header):
        found = f"{path}, line {line}: {len(fields)} fields instead of {len(header)}"
        raise ProviderFileError(f"{found}: quote values that hold commas and leave no column out.")
    row: dict[str, str | date | None] = {}
    for name, value in zip(header, fields, strict=True):
        if "\0" in value:
            _refuse(path, line, name, "holds a NUL character", "remove it")
        row[name] = _date(path, line, name, value.strip()) if name in DATES else value or None
    if not str(row[KEY] or "").strip():
        _refuse(path, line, KEY, "is empty", "give every provider an id")
    return row


def _date(path: Path, line: int, column: str, value: str) -> date | None:
    if not value:
        return None
    if READABLE_DATE.fullmatch(value):
        with suppress(ValueError):
            return date.fromisoformat(value)
    _refuse(path, line, column, "is no date", "write it as YYYY-MM-DD or leave it empty")


def _refuse(path: Path, line: int, column: str, what: str, remedy: str) -> NoReturn:
    raise ProviderFileError(f"{path}, line {line}, column {column!r} {what}: {remedy}.")
