"""What the generator wrote and with which arguments: the summary, its file `synthetic.json`, and who owns a file."""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from claims_assets.synthetic.rates import RATES

NAME = "synthetic.json"
STAGING = ".synthetic_writing"
VERSION = 2
"""Version of the generator: a change of any byte it writes changes it."""


class SyntheticError(ValueError):
    """The generator can't do what was asked; one sentence says why and what to do."""


@dataclass(frozen=True)
class Summary:
    """What was written. All counts can be found again by reading the files."""

    arguments: dict[str, object]
    rows: dict[str, int]
    """Well-formed records per feed."""
    dirt: dict[str, int]
    """Occurrences per kind of dirt; kinds and rates in rates.py."""
    facts: dict[str, int]
    """Sizes of the population: members, member_months, spans, gaps, ..."""
    files: dict[str, str]
    """Path relative to the landing folder -> SHA-256 of its content."""


@dataclass
class Report:
    """Counts gathered while files are written; see `Summary` for their meaning."""

    rows: Counter[str] = field(default_factory=Counter)
    dirt: Counter[str] = field(default_factory=Counter)
    facts: Counter[str] = field(default_factory=Counter)

    def in_order(self) -> dict[str, int]:
        """The dirt that this profile writes, in the order of rates.py."""
        return {kind: int(self.dirt[kind]) for kind in RATES if kind in self.dirt}


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read(out: Path) -> Summary | None:
    """The summary of what lies in a landing folder, None if the generator wrote nothing there."""
    path = out / NAME
    if not path.exists():
        return None
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        return Summary(**{name: held[name] for name in Summary.__dataclass_fields__})
    except (ValueError, KeyError, TypeError) as error:
        raise SyntheticError(
            f"{path} is not a manifest of the generator: move it away, or choose an empty folder."
        ) from error


def write(out: Path, summary: Summary) -> None:
    """Write the manifest."""
    (out / NAME).write_text(json.dumps(asdict(summary), indent=1) + "\n", encoding="utf-8")


def is_intact(out: Path, summary: Summary) -> bool:
    """Whether every file is there as it was written."""
    return all((out / name).is_file() and digest(out / name) == code for name, code in summary.files.items())


def refuse_foreign_files(out: Path, summary: Summary | None, beside: Iterable[Path]) -> None:
    """Fail if a file would have to be replaced or joined that the generator did not write.

    Args:
        beside: files outside of `out` that it writes.

    Raises:
        SyntheticError: names the first such file.
    """
    own = {} if summary is None else summary.files
    present = [p for p in out.rglob("*") if p.is_file() and not _is_hidden(p.relative_to(out)) and p != out / NAME]
    for path in [*sorted(present), *(p for p in beside if p.exists())]:
        name = relative(out, path)
        if own.get(name) is None or digest(path) != own[name]:
            raise SyntheticError(
                f"{path} was not written by the generator (or was changed since): "
                "move it away, or choose another folder."
            )


def remove_own_files(out: Path, summary: Summary) -> None:
    """Delete what an earlier call wrote."""
    for name in summary.files:
        (out / name).unlink(missing_ok=True)
    (out / NAME).unlink(missing_ok=True)


def relative(out: Path, path: Path) -> str:
    """The name of a file in the manifest: POSIX, relative to the landing folder."""
    return Path(os.path.relpath(path, out)).as_posix()


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)
