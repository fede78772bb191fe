"""What a landing folder holds, from the names and the headers of its files alone.

Elsewhere: what has changed since the last refresh (`changes.py`), reading the records (`parsing.py`).
"""

import re
from collections.abc import Callable, Iterable
from pathlib import Path

from claims_assets.sources.feeds import FEEDS, Feed, LandingError
from claims_assets.sources.mapping import Mapping
from claims_assets.sources.parsing import header_of
from claims_assets.sources.records import FileError
from claims_assets.sources.shape import Plan, month_of, plan

FilesOf = Callable[[Path, str, Mapping], dict[str, Path]]
"""Finds the files of a feed as `files_by_path` does: `(landing, feed, mapping)`."""


def files_by_path(landing: Path, feed: str, mapping: Mapping) -> dict[str, Path]:
    """The feed's files by their names in the inventory, in that order, from a listing of its folder.

    Raises:
        LandingError: there is none, and the feed is mandatory.
    """
    return those_of(landing, feed, mapping, (landing / feed).glob(mapping.files))


def those_of(landing: Path, feed: str, mapping: Mapping, candidates: Iterable[Path]) -> dict[str, Path]:
    """Of some paths in the feed's folder those that are files now; hidden ones and markers are left out.

    Raises:
        LandingError: there is none, and the feed is mandatory.
    """
    root = landing / feed
    found = [p for p in candidates if p.is_file() and _is_visible(p.relative_to(root))]
    if not found and not FEEDS[feed].optional:
        raise LandingError(
            f"No file under {root} (files: {mapping.files}): bring its files there, set CLAIMS_LANDING to the folder"
            " that holds them, or run `claims demo` for synthetic ones."
        )
    return {relative(landing, p): p for p in sorted(found)}


def relative(landing: Path, path: Path) -> str:
    """Name of a file in stage and inventory: its POSIX path below the landing folder; odd bytes are escaped."""
    return path.relative_to(landing).as_posix().encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def plans_of(feed: Feed, mapping: Mapping, files: dict[str, Path], *, all_files: bool) -> dict[str, Plan]:
    """The plan of each file that is not empty, from its column names.

    Args:
        all_files: whether these are all files of the feed; then a column that the user's mapping names and no file has
            is a mistake: a slip in `drop` would keep what must not be kept.

    Raises:
        LandingError: a file or the mapping can't be used.
    """
    headers = {path: header_of(file, mapping.delimiter) for path, file in files.items() if file.stat().st_size}
    seen = {name.lower() for names in headers.values() for name in names}
    for theirs in sorted(mapping.own) if headers and all_files else ():
        if theirs.lower() not in seen:
            raise LandingError(
                f"{feed.name}.yaml: no file of {feed.name} has a column {theirs!r}: correct its name or take it out."
            )
    return {path: plan(feed, mapping, names, path) for path, names in headers.items()}


def received_month(mapping: Mapping, file_name: str, first_seen_month: str) -> str | None:
    """Month of receipt of a whole file; None where it is unknown or stands in a column.

    Raises:
        FileError: the name does not have the form that the mapping says.
    """
    rule = mapping.received_on
    if rule.arrival:
        return first_seen_month
    if rule.file_name is None:
        return rule.constant
    found = re.search(rule.file_name, file_name)
    month = month_of(found[1]) if found else None
    if month is None:
        raise FileError(
            f"{file_name}: its name gives no month by received_on in {mapping.feed}.yaml ({rule.file_name}): rename the"
            " file or correct the pattern."
        )
    return month


def _is_visible(path: Path) -> bool:
    """Not `.hidden` and not `_SUCCESS`, which writers of whole folders leave beside their files."""
    return not any(part.startswith((".", "_")) for part in path.parts)
