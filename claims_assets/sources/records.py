"""What a parser gives: chunks of text records, the pieces that are none, and the error that stops a file."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from claims_assets.sources.feeds import LandingError

if TYPE_CHECKING:
    import pyarrow


class FileError(LandingError):
    """A landing file that can't be staged at all; nothing is written until it is mended or removed."""


@dataclass(frozen=True)
class BadLine:
    """A piece of a file that is no record."""

    line: int
    raw: str
    """The piece as it came; bytes that are no text are escaped as `\\xff`."""
    defect: str
    """What is wrong with it, without any of its content."""


@dataclass(frozen=True)
class Chunk:
    """Some records of a file in its own columns, all text, and the bad lines met on the way."""

    records: "pyarrow.Table"
    lines: "pyarrow.Int64Array"
    """Physical line of each record (CSV, header = 1) or its number from 1 (Avro, Parquet)."""
    bad: tuple[BadLine, ...] = ()
