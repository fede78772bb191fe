"""From a landing file to chunks of text records, whatever its format.

Here: the formats, and the columns of a file without its rows. Elsewhere: what a chunk is (`records.py`), each format
(`csv_files.py`, `avro_files.py`, `parquet_files.py`), and what a mapping makes of the records (`shape.py`).
"""

from collections.abc import Iterator
from pathlib import Path

from claims_assets.sources.records import Chunk, FileError

CSV_SUFFIXES = {".csv": ",", ".txt": ",", ".tsv": "\t"}
"""Suffix -> delimiter where the mapping names none; each also with `.gz`."""
PARSER_VERSION = "1"
"""Raise it when the same file would be staged otherwise than before: every file is then parsed anew."""


def format_of(path: Path) -> str:
    """'csv', 'avro' or 'parquet'.

    Raises:
        FileError: another suffix.
    """
    suffix = _suffix(path)
    if suffix in CSV_SUFFIXES:
        return "csv"
    if suffix in (".avro", ".parquet"):
        return suffix[1:]
    raise FileError(
        f"{path.name}: no landing format has the suffix {path.suffix!r}: bring .csv, .txt, .tsv (also .gz), .avro or"
        " .parquet, or leave such files out with `files:` in the mapping."
    )


def header_of(path: Path, delimiter: str | None = None) -> list[str]:
    """Column names of a file that is not empty, without reading its rows.

    Raises:
        FileError: they can't be read.
    """
    from claims_assets.sources import avro_files, csv_files, parquet_files

    match format_of(path):
        case "csv":
            return csv_files.header(path, delimiter or CSV_SUFFIXES[_suffix(path)])
        case "avro":
            return avro_files.header(path)
    return parquet_files.header(path)


def chunks(path: Path, delimiter: str | None = None) -> Iterator[Chunk]:
    """All records and all bad lines of a file that is not empty, in the order of the file.

    Raises:
        FileError: the file as a whole can't be read.
    """
    from claims_assets.sources import avro_files, csv_files, parquet_files

    match format_of(path):
        case "csv":
            return csv_files.chunks(path, delimiter or CSV_SUFFIXES[_suffix(path)])
        case "avro":
            return avro_files.chunks(path)
    return parquet_files.chunks(path)


def _suffix(path: Path) -> str:
    name = path.name.lower()
    stem = name.removesuffix(".gz")
    suffix = Path(stem).suffix
    return suffix if stem == name or suffix in CSV_SUFFIXES else ".gz"
