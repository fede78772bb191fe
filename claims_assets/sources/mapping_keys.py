"""The keys of a mapping file, one by one: what each may hold, and the sentence for what it may not.

Every function takes the YAML document (all text) and `where`, which names the file in an error. Elsewhere: putting the
keys together (`mapping.py`).
"""

import datetime as dt
import re
from collections.abc import Iterable
from collections.abc import Mapping as Map
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from claims_assets.sources.feeds import Feed, LandingError

KEYS = ("use", "files", "table", "delimiter", "rename", "constants", "date_format", "value_map", "received_on", "drop")
ARRIVAL = "arrival"
ALL_FILES = "**/*"
PROVIDERS, PROVIDERS_TABLE = "providers", "providers"
DELIMITER_WORDS = {"\\t": "\t", "tab": "\t"}
MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")
PROBE = dt.datetime(2023, 11, 28, 17, 45, 59)
"""A moment whose parts can't be taken for one another: a usable date format gives its day back."""


class MappingError(LandingError):
    """A mapping that can't be used; the message is one sentence that names file, key and remedy."""


@dataclass(frozen=True)
class ReceivedOn:
    """Where the month comes from in which a record was received; at most one of these is set."""

    column: str | None = None
    date_format: str | None = None
    """How to read `column`; None for texts that begin with YYYY-MM or YYYYMM."""
    file_name: str | None = None
    """Regular expression with one group."""
    constant: str | None = None
    arrival: bool = False


def known_keys(document: Any, where: str) -> dict[str, Any]:
    """The document, if it is a map of known keys."""
    if document in (None, ""):
        return {}
    if not isinstance(document, dict):
        raise MappingError(f"{where}: not a map of keys to values: write keys such as `rename:` at its top level.")
    unknown = sorted(document.keys() - set(KEYS))
    if unknown:
        raise MappingError(f"{where}: unknown key {unknown[0]!r}: use {', '.join(KEYS)}.")
    return document


def files(given: Map[str, Any], where: str) -> str:
    """Glob below the feed's folder."""
    pattern = given.get("files", ALL_FILES)
    if not isinstance(pattern, str) or not pattern or pattern[0] == "/" or ".." in PurePosixPath(pattern).parts:
        raise MappingError(
            f"{where}: files: {pattern!r} is no pattern below the feed's folder: write for example '**/*.csv'."
        )
    return pattern


def table(given: Map[str, Any], feed: Feed, where: str) -> str:
    """Table of the provider database."""
    name = given.get("table", PROVIDERS_TABLE)
    if "table" in given and feed.name != PROVIDERS:
        raise MappingError(f"{where}: table: only providers are read from a database: take it out.")
    if not isinstance(name, str) or not name:
        raise MappingError(f"{where}: table: {name!r} is no table name: write TABLE or SCHEMA.TABLE.")
    return name


def delimiter(given: Map[str, Any], where: str) -> str | None:
    """Character between the fields of a CSV file; None for the one its suffix says."""
    value = given.get("delimiter")
    if value is None:
        return None
    found = DELIMITER_WORDS.get(value, value) if isinstance(value, str) else ""
    if len(found) != 1 or not found.isascii() or found in '"\r\n\0':
        raise MappingError(f"{where}: delimiter: {value!r} is not one character: write for example '|' or tab.")
    return found


def rename(given: Map[str, Any], feed: Feed, where: str) -> dict[str, tuple[str, ...]]:
    """Their column -> our columns."""
    found = {theirs: targets(ours) for theirs, ours in pairs(given, "rename", where).items()}
    _ours((t for ours in found.values() for t in ours), "rename", feed, where)
    return found


def targets(ours: Any) -> tuple[Any, ...]:
    """One or several of our columns, as the value of a `rename` pair gives them."""
    return tuple(ours) if isinstance(ours, list) else (ours,)


def constants(given: Map[str, Any], feed: Feed, where: str) -> dict[str, str]:
    """Our column -> value."""
    found = _texts(pairs(given, "constants", where), "constants", where)
    _ours(found, "constants", feed, where)
    return found


def value_map(given: Map[str, Any], feed: Feed, where: str) -> dict[str, dict[str, str]]:
    """Our column -> their value -> our value."""
    found = pairs(given, "value_map", where)
    _ours(found, "value_map", feed, where)
    return {column: _texts(pairs(found, column, f"{where}: value_map"), column, where) for column in found}


def drop(given: Map[str, Any], where: str) -> list[str]:
    """Their columns whose values are kept nowhere."""
    value = given.get("drop") or []
    if not isinstance(value, list) or not all(isinstance(v, str) and v for v in value):
        raise MappingError(f"{where}: drop: not a list of column names: write it as [NAME, NAME].")
    return value


def date_format(given: Map[str, Any], feed: Feed, where: str) -> dict[str, str]:
    """Our column -> strptime format; one format alone holds for all date columns of the feed."""
    value = given.get("date_format")
    formats = (
        dict.fromkeys(sorted(feed.date_columns), value)
        if isinstance(value, str) and value
        else pairs(given, "date_format", where)
    )
    _ours(formats, "date_format", feed, where)
    for column, pattern in formats.items():
        if column not in feed.date_columns:
            dates = ", ".join(sorted(feed.date_columns))
            raise MappingError(f"{where}: date_format: {column} is no date: use one of {dates}.")
        _gives_the_day_back(pattern, "date_format", where)
    return formats


def received_on(given: Map[str, Any], where: str) -> ReceivedOn:
    """Where the month of receipt comes from."""
    value = given.get("received_on")
    if value in (None, ""):
        return ReceivedOn()
    if value == ARRIVAL:
        return ReceivedOn(arrival=True)
    match value:
        case {"column": str(column), **rest} if column and rest.keys() <= {"date_format"}:
            if rest:
                _gives_the_day_back(rest["date_format"], "received_on: date_format", where)
            return ReceivedOn(column=column, date_format=rest.get("date_format"))
        case {"file_name": str(pattern), **rest} if pattern and not rest:
            return ReceivedOn(file_name=_one_group(pattern, where))
        case {"constant": str(month), **rest} if not rest:
            if not MONTH.fullmatch(month):
                raise MappingError(f"{where}: received_on: constant {month!r} is no month: write it as YYYY-MM.")
            return ReceivedOn(constant=month)
    raise MappingError(
        f"{where}: received_on: write {{column: NAME}}, {{file_name: REGEX}}, {{constant: YYYY-MM}} or {ARRIVAL}."
    )


def pairs(given: Map[str, Any], key: str, where: str) -> dict[str, Any]:
    """The map below a key; empty where the key is absent."""
    value = given.get(key) or {}
    if not isinstance(value, dict):
        raise MappingError(f"{where}: {key}: not a list of `name: value` pairs: write one pair a line below it.")
    return value


def one_source_each(
    renamed: Map[str, tuple[str, ...]], constant: Iterable[str], dropped: Iterable[str], where: str
) -> None:
    """Each of our columns comes from one place, and a dropped column from none.

    Raises:
        MappingError: see there.
    """
    taken: dict[str, str] = {}
    for theirs, ours in renamed.items():
        if theirs in dropped:
            raise MappingError(f"{where}: drop: {theirs!r} is renamed and dropped: take it out of one of the two.")
        for target in ours:
            if target in taken:
                both = f"{taken[target]!r} and {theirs!r}"
                raise MappingError(f"{where}: rename: {both} both become {target}: keep one of the two.")
            taken[target] = theirs
    for target in constant:
        if target in taken:
            raise MappingError(
                f"{where}: constants: {target} already comes from {taken[target]!r}: keep one of the two."
            )


def _ours(names: Iterable[Any], key: str, feed: Feed, where: str) -> None:
    for name in names:
        if name not in feed.columns:
            raise MappingError(
                f"{where}: {key}: {feed.name} has no column {name!r}: use one of {', '.join(feed.columns)}."
            )


def _texts(values: dict[str, Any], key: str, where: str) -> dict[str, str]:
    for name, value in values.items():
        if not isinstance(value, str):
            raise MappingError(f"{where}: {key}: the value of {name!r} is not a single text: write one value for it.")
    return values


def _one_group(pattern: str, where: str) -> str:
    at = f"{where}: received_on: file_name {pattern!r}"
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        raise MappingError(f"{at} is no regular expression ({error}): correct it.") from None
    if groups != 1:
        raise MappingError(f"{at} has {groups} groups: put exactly one pair of parentheses around the month.")
    return pattern


def _gives_the_day_back(pattern: Any, key: str, where: str) -> None:
    """Whether a format says year, month and day, proved by writing and reading a date."""
    try:
        good = dt.datetime.strptime(PROBE.strftime(pattern), pattern).date() == PROBE.date()
    except (ValueError, TypeError):
        good = False
    if not good:
        raise MappingError(f"{where}: {key}: {pattern!r} does not say year, month and day: write for example '%Y%m%d'.")
