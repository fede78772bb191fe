"""One canonical text for a value, whatever file format and Arrow type it came in."""

import datetime as dt
import json
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from claims_assets.sources import text

VALUES = st.none() | st.text(alphabet='ab,é"\\\n\x01', max_size=4)
MOMENT = dt.datetime(2023, 1, 5, 6, 7, 8)


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        ([1, None], pa.int16(), ["1", None]),
        (
            [0.1, 100.0, 1e21, 1e-7, -0.0, float("nan")],
            pa.float64(),
            ["0.1", "100", "1" + "0" * 21, "0.0000001", "0", None],
        ),
        ([0.1, 16777216.0, 1e20], pa.float32(), ["0.1", "16777216", "100000000000000000000"]),
        ([0.5], pa.float16(), ["0.5"]),
        ([Decimal("12.50"), Decimal("0.00")], pa.decimal128(12, 2), ["12.50", "0.00"]),
        ([Decimal("0.0000000001")], pa.decimal128(12, 10), ["0.0000000001"]),
        ([True, False, None], pa.bool_(), ["true", "false", None]),
        ([dt.date(2023, 1, 5)], pa.date32(), ["2023-01-05"]),
        ([dt.date(2023, 1, 5)], pa.date64(), ["2023-01-05"]),
        (
            [MOMENT, MOMENT.replace(microsecond=120)],
            pa.timestamp("us"),
            ["2023-01-05T06:07:08", "2023-01-05T06:07:08.00012"],
        ),
        ([MOMENT.replace(tzinfo=dt.UTC)], pa.timestamp("ms", "UTC"), ["2023-01-05T06:07:08Z"]),
        ([MOMENT], pa.timestamp("ns"), ["2023-01-05T06:07:08"]),
        (["x", None], pa.large_string(), ["x", None]),
        (["x"], pa.string_view(), ["x"]),
        ([b"\xffA"], pa.binary(), ["\\xffA"]),
        ([["a", None], []], pa.list_(pa.string()), ['["a",null]', "[]"]),
        ([{"x": dt.date(2023, 1, 5)}], pa.struct([("x", pa.date32())]), ['{"x":"2023-01-05"}']),
        ([[("k", 1)]], pa.map_(pa.string(), pa.int32()), ['{"k":1}']),
        ([None, None], pa.null(), [None, None]),
    ],
)
def test_arrow_values_become_canonical_text(values, kind, expected):
    assert text.column(pa.array(values, kind)).to_pylist() == expected


def test_dictionaries_are_read_as_their_values():
    assert text.column(pa.array(["a", "b", "a"]).dictionary_encode()).to_pylist() == ["a", "b", "a"]


@pytest.mark.parametrize("zone", ["America/New_York", "+05:00"])
def test_points_in_time_are_told_in_utc(zone):
    values = pa.array([MOMENT], pa.timestamp("s", "UTC")).cast(pa.timestamp("s", zone))
    assert text.column(values).to_pylist() == ["2023-01-05T06:07:08Z"]


@given(st.lists(st.floats(allow_infinity=False) | st.none(), max_size=5))
def test_floats_read_back_as_themselves_and_both_ways_agree(values):
    found = text.column(pa.array(values, pa.float64())).to_pylist()
    assert found == [text.of(v) for v in values]
    for value, written in zip(values, found, strict=True):
        assert written is None or ("e" not in written and float(written) == value)


@given(st.lists(st.datetimes(min_value=dt.datetime(1700, 1, 1), max_value=dt.datetime(2200, 1, 1)), max_size=5))
def test_points_in_time_agree_both_ways(values):
    assert text.column(pa.array(values, pa.timestamp("us"))).to_pylist() == [text.of(v) for v in values]


@given(st.lists(st.fixed_dictionaries({"a": VALUES, 'b"': VALUES}), max_size=5))
def test_objects_hold_the_values_that_are_present(rows):
    columns = {n: pa.array([r[n] for r in rows], pa.string()) for n in ("a", 'b"')}
    found = text.json_objects(columns, len(rows)).to_pylist()
    present = [{k: v for k, v in r.items() if v is not None} for r in rows]
    assert [None if v is None else json.loads(v) for v in found] == [p or None for p in present]


def test_objects_of_a_slice_hold_its_own_values():
    values = pa.array(["a", 'b"', "c"]).slice(1, 1)
    assert text.json_objects({"x": values}, 1).to_pylist() == ['{"x":"b\\""}']
