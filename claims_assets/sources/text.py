"""Canonical text of a typed value, so that Avro, Parquet and CSV of the same data stage the same rows.

Dates and points in time are ISO 8601 (UTC with `Z` where a zone is known), numbers plain decimal digits without an
exponent or a needless `.0`, booleans `true` and `false`, nested values JSON; NaN is missing. `of` takes a Python value,
`column` an Arrow array, `json_objects` whole records.
"""
# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions at import, where pyright can't see them)

import datetime as dt
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa


def of(value: Any) -> str | None:
    """Canonical text of one Python value; None where it is missing."""
    match value:
        case None | str():
            return value
        case bool():
            return "true" if value else "false"
        case float() | Decimal():
            return _number(value)
        case dt.datetime():
            return _moment(value)
        case dt.date() | dt.time():
            return value.isoformat()
        case bytes() | bytearray():
            return bytes(value).decode("utf-8", "backslashreplace")
        case dict() | list() | tuple():
            return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=of)
    return str(value)


def _number(value: float | Decimal) -> str | None:
    """Digits without exponent; a whole float loses its `.0`, a decimal keeps its scale."""
    if value != value:
        return None
    if value in (float("inf"), float("-inf")):
        return str(value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    if value == 0:
        return "0"
    return f"{Decimal(repr(value)):f}".removesuffix(".0")


def _moment(value: dt.datetime) -> str:
    """ISO 8601 in UTC where a zone is known; a fraction of a second without trailing zeros."""
    naive = value.astimezone(dt.UTC).replace(tzinfo=None) if value.tzinfo else value
    text = naive.isoformat()
    return (text.rstrip("0") if naive.microsecond else text) + ("Z" if value.tzinfo else "")


def column(values: "pa.Array") -> "pa.StringArray":
    """Canonical text of an Arrow array, NULL where a value is missing."""
    import pyarrow as pa
    import pyarrow.types as t

    kind = values.type
    if t.is_dictionary(kind):
        return column(values.dictionary_decode())
    if t.is_string(kind):
        return values
    if t.is_null(kind):
        return pa.nulls(len(values), pa.string())
    if (
        t.is_large_string(kind)
        or t.is_string_view(kind)
        or t.is_boolean(kind)
        or t.is_integer(kind)
        or t.is_date32(kind)
    ):
        return values.cast(pa.string())
    if t.is_date64(kind):
        return values.cast(pa.date32()).cast(pa.string())
    if t.is_floating(kind):
        return _floats(values)
    if t.is_timestamp(kind):
        return _timestamps(values)
    if t.is_map(kind):
        return pa.array([None if v is None else of(dict(v)) for v in values.to_pylist()], pa.string())
    return pa.array([of(v) for v in values.to_pylist()], pa.string())


def _floats(values: "pa.Array") -> "pa.StringArray":
    """Arrow's shortest digits of the value's own width; the few with an exponent are written out by Python."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as t

    if t.is_float16(values.type):
        values = values.cast(pa.float32())
    values = pc.if_else(pc.is_nan(values), None, values)
    digits = pc.replace_substring_regex(values.cast(pa.string()), r"^-?0\.0$|^-0$", "0")
    digits = pc.replace_substring_regex(digits, r"\.0$", "")
    if pc.any(pc.match_substring(digits, "e")).as_py():
        plain = [None if v is None else f"{Decimal(v):f}" if "e" in v else v for v in digits.to_pylist()]
        return pa.array(plain, pa.string())
    return digits


def _timestamps(values: "pa.Array") -> "pa.StringArray":
    import pyarrow as pa
    import pyarrow.compute as pc

    zone = values.type.tz
    naive = (
        values.cast(pa.timestamp(values.type.unit, tz="UTC")).cast(pa.timestamp(values.type.unit)) if zone else values
    )
    text = pc.replace_substring(naive.cast(pa.string()), " ", "T")
    text = pc.replace_substring_regex(text, r"(\.\d*?)0+$", r"\1")
    text = pc.replace_substring_regex(text, r"\.$", "")
    return pc.binary_join_element_wise(text, "Z", "") if zone else text


def json_objects(columns: "Mapping[str, pa.StringArray]", rows: int) -> "pa.StringArray":
    """One JSON object a row of the values that are present; NULL for a row without any."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not columns:
        return pa.nulls(rows, pa.string())
    parts = []
    for name, values in columns.items():
        quote, values = ("", _escaped(values)) if _needs_escape(values) else ('"', values)
        parts.append(
            pc.binary_join_element_wise(f"{json.dumps(name, ensure_ascii=False)}:{quote}", values, f"{quote},", "")
        )
    # Not null_handling="skip": in pyarrow 25 it leaves out whole rows, not only values.
    body = pc.binary_join_element_wise(*parts, "", null_handling="replace", null_replacement="")
    body = pc.utf8_rtrim(pc.if_else(pc.equal(body, ""), None, body), ",")
    return pc.binary_join_element_wise("{", body, "}", "")


def _escaped(values: "pa.StringArray") -> "pa.StringArray":
    import pyarrow as pa

    return pa.array([None if v is None else json.dumps(v, ensure_ascii=False) for v in values.to_pylist()], pa.string())


def _needs_escape(values: "pa.StringArray") -> bool:
    content = bytes_of(values)
    return bool(((content == ord('"')) | (content == ord("\\")) | (content < 32)).any())


def bytes_of(values: "pa.StringArray"):
    """The UTF-8 bytes of all values of an array, one after another, as a numpy array without a copy."""
    import numpy as np

    offsets, content = values.buffers()[1:]
    if content is None or not len(values):
        return np.empty(0, np.uint8)
    ends = np.frombuffer(offsets, np.int32, len(values) + 1, values.offset * 4)
    return np.frombuffer(content, np.uint8)[ends[0] : ends[-1]]
