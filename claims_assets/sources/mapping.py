"""How a payer's own files become a feed of landing contract v1: one YAML a feed, `<landing>/<feed>.yaml`.

Here: reading and judging that file. Elsewhere: applying it to records (`shape.py`). A feed without a YAML brings its
files in the contract's own names.
"""

import datetime as dt
import hashlib
import json
import re
from collections.abc import Callable, Mapping as Map
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from claims_assets.sources.feeds import FEEDS, Feed, LandingError
from claims_assets.sources.yaml_text import load_text

READY = resources.files("claims_assets.sources") / "mappings"
KEYS = (
    "use files table delimiter rename constants date_format value_map received_on drop".split()
)
ARRIVAL = "arrival"
ALL_FILES = "**/*"
PROVIDERS_TABLE = "providers"
MONTH = re.compile(r"^\d{4}-(0[1-9]|1[0-2])$")
PROBE = dt.datetime(2023, 11, 28, 17, 45, 59)
"""A moment whose parts can't be taken for one another: a usable date format gives its day back."""


class MappingError(LandingError):
    """A mapping that can't be used; the message is one sentence that names file, key and remedy."""


@dataclass(frozen=True)
class ReceivedOn:
    """Where the month comes from in which a record was received; at most one of these is set."""

    column: str | None = None
    date_format: str | None = None
    file_name: str | None = None
    constant: str | None = None
    arrival: bool = False


@dataclass(frozen=True)
class Mapping:
    """One feed's mapping, complete and judged; build it with `Mapping.load`."""

    feed: str
    files: str = ALL_FILES
    table: str = PROVIDERS_TABLE
    delimiter: str | None = None
    rename: Map[str, tuple[str, ...]] = field(default_factory=dict)
    """Their column -> our columns."""
    constants: Map[str, str] = field(default_factory=dict)
    date_format: Map[str, str] = field(default_factory=dict)
    """Our column -> strptime format."""
    value_map: Map[str, Map[str, str]] = field(default_factory=dict)
    """Our column -> their value -> our value."""
    received_on: ReceivedOn = ReceivedOn()
    drop: tuple[str, ...] = ()
    """Their columns whose values are kept nowhere."""
    own: frozenset[str] = frozenset()
    """Their columns that the user's own file names, as against a ready mapping's."""

    @staticmethod
    def load(landing: Path, feed: str) -> "Mapping":
        """The mapping of a feed: `<landing>/<feed>.yaml` over the ready mapping it uses; the plain one without a file.

        Raises:
            MappingError: the file says something that can't be meant.
        """
        path = landing / f"{feed}.yaml"
        if not path.exists():
            return Mapping(feed)
        given = _document(path, f"{feed}.yaml")
        ready = _ready(given.pop("use"), f"{feed}.yaml") if "use" in given else {}
        if ready:
            _build(ready, FEEDS[feed], f"{feed}.yaml: use")
        own = frozenset([*_map(given, "rename", f"{feed}.yaml"), *_list(given, "drop", f"{feed}.yaml")])
        _build(given, FEEDS[feed], f"{feed}.yaml")
        return _build(_merge(ready, given), FEEDS[feed], f"{feed}.yaml", own)

    @property
    def fingerprint(self) -> str:
        """Stable hash of everything that changes what a file becomes."""
        parts = {n: getattr(self, n) for n in ("delimiter", "rename", "constants", "date_format", "value_map", "drop")}
        parts |= {"received_on": vars(self.received_on), "columns": FEEDS[self.feed].columns}
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def ready_names() -> list[str]:
    """Names that `use` knows."""
    return sorted(p.name.removesuffix(".yaml") for p in READY.iterdir() if p.name.endswith(".yaml"))


def _ready(name: Any, where: str) -> dict[str, Any]:
    if name not in ready_names():
        raise MappingError(f"{where}: use: there is no ready mapping {name!r}: use one of {', '.join(ready_names())}.")
    with resources.as_file(READY / f"{name}.yaml") as path:
        return _document(path, f"{name}.yaml")


def _document(path: Path, where: str) -> dict[str, Any]:
    document = load_text(path)
    if document in (None, ""):
        return {}
    if not isinstance(document, dict):
        raise MappingError(f"{where}: not a mapping of keys to values: write keys such as `rename:` at its top level.")
    unknown = sorted(document.keys() - set(KEYS))
    if unknown:
        raise MappingError(f"{where}: unknown key {unknown[0]!r}: use {', '.join(KEYS)}.")
    return document


def _merge(ready: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """The user's keys over the ready ones: maps are joined, and a target named by the user is his alone."""
    targets = {t for ours in given.get("rename", {}).values() for t in _targets(ours)} | set(given.get("constants", {}))
    merged = {**ready, **given}
    kept = {theirs: [t for t in _targets(ours) if t not in targets] for theirs, ours in ready.get("rename", {}).items()}
    merged["rename"] = {k: v for k, v in kept.items() if v} | given.get("rename", {})
    constants = {ours: value for ours, value in ready.get("constants", {}).items() if ours not in targets}
    merged["constants"] = constants | given.get("constants", {})
    old, new = ready.get("value_map", {}), given.get("value_map", {})
    merged["value_map"] = {c: {**old.get(c, {}), **new.get(c, {})} for c in {**old, **new}}
    merged["drop"] = [*ready.get("drop", []), *(c for c in given.get("drop", []) if c not in ready.get("drop", []))]
    return merged


def _build(given: dict[str, Any], feed: Feed, where: str, own: frozenset[str] = frozenset()) -> Mapping:
    """A judged mapping of a YAML document."""
    rename = {theirs: _targets(ours) for theirs, ours in _map(given, "rename", where).items()}
    constants = _texts(_map(given, "constants", where), "constants", where)
    mapping = Mapping(
        feed=feed.name,
        files=_files(given.get("files", ALL_FILES), where),
        table=_table(given, feed, where),
        delimiter=_delimiter(given.get("delimiter"), where),
        rename=rename,
        constants=constants,
        date_format=_date_formats(given.get("date_format", {}), feed, where),
        value_map={c: _texts(_map(m, c, f"{where}: value_map"), c, where) for c, m in _columns(given, where).items()},
        received_on=_received_on(given.get("received_on"), where),
        drop=tuple(_list(given, "drop", where)),
        own=own,
    )
    for key in ("rename", "constants", "date_format", "value_map"):
        named = [t for ours in rename.values() for t in ours] if key == "rename" else list(getattr(mapping, key))
        _known(named, key, feed, where)
    _one_source_each(mapping, where)
    return mapping


def _columns(given: dict[str, Any], where: str) -> dict[str, dict[str, Any]]:
    value_map = _map(given, "value_map", where)
    return {column: {column: values} for column, values in value_map.items()}


def _map(given: dict[str, Any], key: str, where: str) -> dict[str, Any]:
    value = given.get(key) or {}
    if not isinstance(value, dict):
        raise MappingError(f"{where}: {key}: not a list of `name: value` pairs: write one pair a line below it.")
    return value


def _list(given: dict[str, Any], key: str, where: str) -> list[str]:
    value = given.get(key) or []
    if not isinstance(value, list) or not all(isinstance(v, str) and v for v in value):
        raise MappingError(f"{where}: {key}: not a list of column names: write it as [NAME, NAME].")
    return value


def _targets(ours: Any) -> tuple[str, ...]:
    return tuple(ours) if isinstance(ours, list) else (ours,)


def _texts(values: dict[str, Any], key: str, where: str) -> dict[str, str]:
    for name, value in values.items():
        if not isinstance(value, str):
            raise MappingError(f"{where}: {key}: the value of {name!r} is not a single text: write one value for it.")
    return values


def _known(named: list[Any], key: str, feed: Feed, where: str) -> None:
    for name in named:
        if not isinstance(name, str) or name not in feed.columns:
            raise MappingError(
                f"{where}: {key}: {feed.name} has no column {name!r}: use one of {', '.join(feed.columns)}."
            )


def _one_source_each(mapping: Mapping, where: str) -> None:
    taken: dict[str, str] = {}
    for theirs, ours in mapping.rename.items():
        if theirs in mapping.drop:
            raise MappingError(f"{where}: drop: {theirs!r} is renamed and dropped: take it out of one of the two.")
        for target in ours:
            if target in taken:
                raise MappingError(
                    f"{where}: rename: {taken[target]!r} and {theirs!r} both become {target}: keep one of the two."
                )
            taken[target] = theirs
    for target in mapping.constants:
        if target in taken:
            raise MappingError(
                f"{where}: constants: {target} already comes from {taken[target]!r}: take it out of rename or constants."
            )


def _files(pattern: Any, where: str) -> str:
    if not isinstance(pattern, str) or not pattern or pattern.startswith("/") or ".." in Path(pattern).parts:
        raise MappingError(f"{where}: files: {pattern!r} is no pattern below the feed's folder: write for example '**/*.csv'.")
    return pattern


def _table(given: dict[str, Any], feed: Feed, where: str) -> str:
    table = given.get("table", PROVIDERS_TABLE)
    if "table" in given and feed.name != "providers":
        raise MappingError(f"{where}: table: only providers are read from a database: take it out.")
    if not isinstance(table, str) or not re.fullmatch(r"\w+(\.\w+)?", table):
        raise MappingError(f"{where}: table: {table!r} is no table name: write TABLE or SCHEMA.TABLE.")
    return table


def _delimiter(delimiter: Any, where: str) -> str | None:
    delimiter = {"\\t": "\t", "tab": "\t"}.get(delimiter, delimiter) if isinstance(delimiter, str) else delimiter
    if delimiter is None or (isinstance(delimiter, str) and len(delimiter) == 1 and delimiter not in '"\r\n' and delimiter.isascii()):
        return delimiter
    raise MappingError(f"{where}: delimiter: {delimiter!r} is not one character: write for example '|' or tab.")


def _date_formats(given: Any, feed: Feed, where: str) -> dict[str, str]:
    """Our column -> format; one format alone holds for all date columns of the feed."""
    formats = {c: given for c in sorted(feed.date_columns)} if isinstance(given, str) else _map({"d": given}, "d", where)
    for column, pattern in formats.items():
        if column in feed.columns and column not in feed.date_columns:
            raise MappingError(
                f"{where}: date_format: {column} is no date: use one of {', '.join(sorted(feed.date_columns))}."
            )
        if not isinstance(pattern, str) or not _gives_the_day_back(pattern):
            raise MappingError(f"{where}: date_format: {pattern!r} does not say year, month and day: write for example '%Y%m%d'.")
    return formats


def _gives_the_day_back(pattern: str) -> bool:
    try:
        return dt.datetime.strptime(PROBE.strftime(pattern), pattern).date() == PROBE.date()
    except ValueError:
        return False


def _received_on(given: Any, where: str) -> ReceivedOn:
    if given is None or given == "":
        return ReceivedOn()
    if given == ARRIVAL:
        return ReceivedOn(arrival=True)
    kinds: dict[str, Callable[[str], ReceivedOn]] = {
        "column": lambda v: ReceivedOn(column=v, date_format=given.get("date_format")),
        "file_name": lambda v: ReceivedOn(file_name=_one_group(v, where)),
        "constant": lambda v: ReceivedOn(constant=_month(v, where)),
    }
    keys = [k for k in given if k in kinds] if isinstance(given, dict) else []
    allowed = {*keys, "date_format"} if keys == ["column"] else set(keys)
    if len(keys) != 1 or given.keys() - allowed or not all(isinstance(v, str) and v for v in given.values()):
        raise MappingError(
            f"{where}: received_on: write one of {{column: NAME}}, {{file_name: REGEX}}, {{constant: YYYY-MM}} or arrival."
        )
    if "date_format" in given and not _gives_the_day_back(given["date_format"]):
        raise MappingError(f"{where}: received_on: date_format {given['date_format']!r} does not say year, month and day: write for example '%Y%m%d'.")
    return kinds[keys[0]](given[keys[0]])


def _one_group(pattern: str, where: str) -> str:
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        raise MappingError(f"{where}: received_on: file_name {pattern!r} is no regular expression ({error}): correct it.") from None
    if groups != 1:
        raise MappingError(
            f"{where}: received_on: file_name {pattern!r} has {groups} groups: put exactly one pair of parentheses around the month."
        )
    return pattern


def _month(value: str, where: str) -> str:
    if not MONTH.match(value):
        raise MappingError(f"{where}: received_on: constant {value!r} is no month: write it as YYYY-MM.")
    return value
