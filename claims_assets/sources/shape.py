"""From a file's own columns to the feed's: what a mapping makes of records.

`Plan` is made once a file from its column names; `shaped` applies it to a chunk, column by column in Arrow.
"""
# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions at import, where pyright can't see them)

import datetime as dt
import re
from collections.abc import Mapping as Map
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from claims_assets.sources import text
from claims_assets.sources.feeds import RAW, RECEIVED_MONTH, RESCUED, Feed
from claims_assets.sources.mapping import Mapping
from claims_assets.sources.records import FileError

if TYPE_CHECKING:
    import pyarrow as pa

CACHED_DATES = 200_000


@dataclass(frozen=True)
class Plan:
    """Which column of a file becomes which of the feed."""

    feed: Feed
    mapping: Mapping
    kept: tuple[str, ...]
    """Columns of the file that are not dropped."""
    source_of: Map[str, str]
    """Our column -> the file's."""
    extra: tuple[str, ...]
    """The file's columns that the feed does not know."""
    received: str | None
    """The file's column that holds the month of receipt."""


def plan(feed: Feed, mapping: Mapping, names: list[str], file: str) -> Plan:
    """Match a file's columns, exactly or else regardless of case; dropped ones go in every case.

    Raises:
        FileError: a required column is missing, or two columns become one; the sentence names both file and remedy.
    """
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise FileError(f"{file}: column {twice[0]!r} stands twice: rename one of the two.")
    dropped = {d.lower() for d in mapping.drop}
    kept = [n for n in names if n.lower() not in dropped]
    source_of = _sources(feed, mapping, kept, file)
    _require(feed, mapping, source_of, file)
    wanted = mapping.received_on.column
    received = _match(wanted, kept, file) if wanted else None
    if wanted and not received:
        remedy = f"which {feed.name}.yaml names in received_on: correct one of the two"
        raise FileError(f"{file}: no column {wanted!r}, {remedy}.")
    extra = tuple(n for n in kept if n not in source_of.values())
    return Plan(feed, mapping, tuple(kept), source_of, extra, received)


def _sources(feed: Feed, mapping: Mapping, kept: list[str], file: str) -> dict[str, str]:
    """Our column -> the file's: by the mapping first, else by name among the columns that it does not use."""
    source_of: dict[str, str] = {}
    for theirs, ours in mapping.rename.items():
        if source := _match(theirs, kept, file):
            source_of |= dict.fromkeys(ours, source)
    used = set(source_of.values())
    free = [n for n in kept if n not in used]
    for target in feed.columns:
        source = _match(target, free, file)
        if source and target in source_of:
            both = f"both {source_of[target]!r} and {source!r}"
            raise FileError(f"{file}: {both} become {target}: drop one in {feed.name}.yaml.")
        if source:
            source_of[target] = source
    return source_of


def _match(name: str, names: list[str], file: str) -> str | None:
    if name in names:
        return name
    alike = [n for n in names if n.lower() == name.lower()]
    if len(alike) > 1:
        raise FileError(
            f"{file}: {alike[0]!r} and {alike[1]!r} can both be {name}: write the one exactly in the mapping's rename."
        )
    return alike[0] if alike else None


def _require(feed: Feed, mapping: Mapping, source_of: Map[str, str], file: str) -> None:
    for column in feed.required:
        if column not in source_of and column not in mapping.constants:
            theirs = [t for t, ours in mapping.rename.items() if column in ours]
            wanted = f"{theirs[0]!r} (mapped to {column})" if theirs else f"{column!r}"
            remedy = f"name the file's column for it under `rename` in {feed.name}.yaml"
            raise FileError(f"{file}: required column {wanted} is missing: {remedy}.")


def shaped(records: "pa.Table", plan: Plan, received: str | None) -> "pa.Table":
    """The feed's columns, `_rescued_data`, `_raw` (where the mapping rewrote a value) and `received_month`.

    Args:
        received: month of receipt of the whole file; None where it is unknown or stands in a column.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    rows, mapping = records.num_rows, plan.mapping
    trimmed = {n: _trimmed(_one(records.column(n))) for n in plan.kept}
    columns: dict[str, pa.Array] = {}
    rewritten = pa.array([False] * rows) if mapping.value_map or mapping.date_format else None
    for name in plan.feed.columns:
        source = plan.source_of.get(name)
        if source is None:
            constant = mapping.constants.get(name)
            columns[name] = (
                pa.nulls(rows, pa.string()) if constant is None else pa.array([constant] * rows, pa.string())
            )
            continue
        columns[name], changed = _rewritten(trimmed[source], name, plan)
        if changed is not None and rewritten is not None:
            rewritten = pc.or_(rewritten, changed)
    columns[RECEIVED_MONTH] = _received(trimmed, plan, received, rows)
    columns[RESCUED] = text.json_objects({n: trimmed[n] for n in plan.extra}, rows)
    columns[RAW] = _raw(records, plan, rewritten)
    return pa.table(columns)


def as_it_came(records: "pa.Table", plan: Plan) -> "pa.Array":
    """JSON of each record in the file's own columns; a record without any value is `{}`."""
    import pyarrow.compute as pc

    return pc.fill_null(text.json_objects({n: _one(records.column(n)) for n in plan.kept}, records.num_rows), "{}")


def _raw(records: "pa.Table", plan: Plan, rewritten: "pa.Array | None") -> "pa.Array":
    import pyarrow as pa
    import pyarrow.compute as pc

    if rewritten is None or not pc.any(rewritten).as_py():
        return pa.nulls(records.num_rows, pa.string())
    return pc.if_else(rewritten, as_it_came(records, plan), None)


def _one(column: "pa.ChunkedArray") -> "pa.Array":
    import pyarrow as pa

    combined = column.combine_chunks()
    return combined.chunk(0) if isinstance(combined, pa.ChunkedArray) else combined


def _trimmed(values: "pa.Array") -> "pa.Array":
    """Without white space around; a value of nothing else is missing."""
    import pyarrow.compute as pc

    content = text.bytes_of(values)
    if ((content <= 32) | (content >= 128)).any():
        values = pc.utf8_trim_whitespace(values)
    lengths = pc.binary_length(values)
    if pc.min(lengths).as_py() == 0:
        values = pc.if_else(pc.equal(lengths, 0), None, values)
    return values


def _rewritten(values: "pa.Array", name: str, plan: Plan) -> "tuple[pa.Array, pa.Array | None]":
    """A column after value map and date format, and where they changed it (None: nowhere)."""
    import pyarrow.compute as pc

    mapping, before = plan.mapping, values
    if name in mapping.value_map:
        values = _mapped(values, mapping.value_map[name])
    if name in plan.feed.date_columns:
        if name in mapping.date_format:
            values = _dates(values, mapping.date_format[name], name.endswith("_at"))
        if name.endswith("_date") or name.startswith("active_"):
            values = _without_time(values)
    if name not in mapping.value_map and name not in mapping.date_format:
        return values, None
    same = pc.fill_null(pc.equal(values, before), False)
    both_missing = pc.and_(pc.is_null(values), pc.is_null(before))
    return values, pc.invert(pc.or_(same, both_missing))


def _mapped(values: "pa.Array", wanted: Map[str, str]) -> "pa.Array":
    """Values by the map; what it does not name stays. The key '' stands for a missing value, the value '' makes one."""
    import pyarrow as pa
    import pyarrow.compute as pc

    position = pc.index_in(pc.fill_null(values, ""), pa.array(list(wanted), pa.string()))
    mapped = pc.take(pa.array(list(wanted.values()), pa.string()), position)
    found = pc.if_else(pc.is_valid(position), mapped, values)
    return pc.if_else(pc.equal(found, ""), None, found)


def _dates(values: "pa.Array", pattern: str, with_time: bool) -> "pa.Array":
    """ISO text of the values that the format reads; the others stay as they came."""
    import pyarrow as pa
    import pyarrow.compute as pc

    coded = pc.dictionary_encode(values)
    iso = [v and _iso(v, pattern, with_time) for v in coded.dictionary.to_pylist()]
    return pc.take(pa.array(iso, pa.string()), coded.indices)


@lru_cache(CACHED_DATES)
def _iso(value: str, pattern: str, with_time: bool) -> str:
    try:
        moment = dt.datetime.strptime(value, pattern)
    except ValueError:
        return value
    # Python reads '2023111' as %Y%m%d; without separators only the full length is beyond doubt.
    if re.search(r"%[A-Za-z]%", pattern) and len(moment.strftime(pattern)) != len(value):
        return value
    return text.of(moment if with_time else moment.date()) or value


def _without_time(values: "pa.Array") -> "pa.Array":
    """An ISO date without the time of day that may follow it."""
    import pyarrow.compute as pc

    longest = pc.max(pc.binary_length(values)).as_py()
    if longest is None or longest <= 10:
        return values
    timed = pc.match_substring_regex(values, r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}")
    return pc.if_else(timed, pc.utf8_slice_codeunits(values, 0, 10), values)


def _received(trimmed: "Map[str, pa.Array]", plan: Plan, received: str | None, rows: int) -> "pa.Array":
    import pyarrow as pa
    import pyarrow.compute as pc

    if plan.received is None:
        return pa.array([received] * rows, pa.string())
    values = trimmed[plan.received]
    if plan.mapping.received_on.date_format:
        values = _dates(values, plan.mapping.received_on.date_format, with_time=False)
    coded = pc.dictionary_encode(values)
    return pc.take(pa.array([month_of(v) for v in coded.dictionary.to_pylist()], pa.string()), coded.indices)


def month_of(value: str | None) -> str | None:
    """YYYY-MM of a text that begins with a year and a month, with or without a dash; None for any other."""
    found = re.match(r"(\d{4})-?(0[1-9]|1[0-2])(?!\d$)", value or "")
    return f"{found[1]}-{found[2]}" if found else None
