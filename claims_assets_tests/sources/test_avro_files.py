"""Avro: intact files of every codec, and what is left of damaged ones."""

import datetime as dt
import io
import json
import zlib
from decimal import Decimal

import pytest

from claims_assets.sources.parsing import chunks, header_of
from claims_assets.sources.records import FileError

SIMPLE = {
    "type": "record",
    "name": "r",
    "fields": [{"name": "a", "type": ["null", "string"]}, {"name": "n", "type": "long"}],
}


def avro(path, schema, records, **options):
    import fastavro

    with path.open("wb") as file:
        fastavro.writer(file, fastavro.parse_schema(schema), records, sync_marker=b"0123456789abcdef", **options)
    return path


def read(path):
    """(number, values) of the records, (number, defect) of the bad pieces."""
    records, bad = [], []
    for chunk in chunks(path):
        values = zip(*[c.to_pylist() for c in chunk.records.columns], strict=True)
        records += list(zip(chunk.lines.to_pylist(), values, strict=True))
        bad += [(b.line, b.defect) for b in chunk.bad]
    return records, bad


def rows(count):
    return [{"a": f"v{n}" if n % 3 else None, "n": n} for n in range(count)]


def recoded(path, codec, pack):
    """The same file with its blocks packed by a codec that fastavro has no library for here."""
    from claims_assets.sources.avro_container import structure

    content = path.read_bytes()
    with path.open("rb") as file:
        container = structure(path, file)
    with io.BytesIO() as out:
        out.write(b"Obj\x01" + _long(2))
        for key, value in (("avro.schema", json.dumps(container.schema).encode()), ("avro.codec", codec.encode())):
            out.write(_long(len(key)) + key.encode() + _long(len(value)) + value)
        out.write(_long(0) + b"0123456789abcdef")
        for block in container.blocks:
            packed = pack(content[block.offset : block.offset + block.size])
            out.write(_long(block.records) + _long(len(packed)) + packed + b"0123456789abcdef")
        path.write_bytes(out.getvalue())
    return path


def _long(n):
    value, out = n << 1, bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def snappy(content):
    import pyarrow as pa

    return pa.Codec("snappy").compress(content, asbytes=True) + zlib.crc32(content).to_bytes(4, "big")


def zstandard(content):
    import pyarrow as pa

    return pa.Codec("zstd").compress(content, asbytes=True)


@pytest.mark.parametrize("codec", ["null", "deflate", "snappy", "zstandard", "bzip2", "xz"])
def test_every_codec_gives_the_same_records(tmp_path, codec):
    path = tmp_path / "x.avro"
    if codec in ("snappy", "zstandard"):
        recoded(avro(path, SIMPLE, rows(100), sync_interval=200), codec, snappy if codec == "snappy" else zstandard)
    else:
        avro(path, SIMPLE, rows(100), codec=codec, sync_interval=200)
    records, bad = read(path)
    assert bad == []
    assert records == [(n + 1, (r["a"], str(n))) for n, r in enumerate(rows(100))]


TYPED = {
    "type": "record",
    "name": "r",
    "fields": [
        {"name": "e", "type": {"type": "enum", "name": "E", "symbols": ["IP", "OP"]}},
        {"name": "d", "type": {"type": "int", "logicalType": "date"}},
        {"name": "t", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "m", "type": {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 2}},
        {"name": "f", "type": "double"},
        {"name": "b", "type": "boolean"},
        {"name": "l", "type": {"type": "array", "items": "string"}},
        {"name": "s", "type": {"type": "record", "name": "q", "fields": [{"name": "x", "type": "int"}]}},
    ],
}
RECORD = {
    "e": "OP",
    "d": dt.date(2023, 1, 5),
    "t": dt.datetime(2023, 1, 5, 6, 7, 8, 120000, tzinfo=dt.UTC),
    "m": Decimal("12.50"),
    "f": 1e21,
    "b": True,
    "l": ["a", 'q"'],
    "s": {"x": 1},
}
AS_TEXT = ("OP", "2023-01-05", "2023-01-05T06:07:08.12Z", "12.50", "1" + "0" * 21, "true", '["a","q\\""]', '{"x":1}')


def test_typed_and_nested_values_become_the_same_text_on_both_ways(tmp_path):
    fast = avro(tmp_path / "x.avro", TYPED, [RECORD])
    slow = recoded(avro(tmp_path / "y.avro", TYPED, [RECORD]), "zstandard", zstandard)
    assert read(fast)[0] == read(slow)[0] == [(1, AS_TEXT)]


def test_maps_and_wide_unions_are_read_too(tmp_path, capfd):
    schema = {
        "type": "record",
        "name": "r",
        "fields": [
            {"name": "u", "type": ["null", "string", "long"]},
            {"name": "m", "type": {"type": "map", "values": "int"}},
        ],
    }
    path = avro(tmp_path / "x.avro", schema, [{"u": 7, "m": {"k": 1}}, {"u": None, "m": {}}])
    assert read(path)[0] == [(1, ("7", '{"k":1}')), (2, (None, "{}"))]
    assert capfd.readouterr().err == ""


def test_a_file_without_records_is_fine(tmp_path):
    path = avro(tmp_path / "x.avro", SIMPLE, [])
    assert (header_of(path), read(path)) == (["a", "n"], ([], []))


@pytest.mark.parametrize("codec", ["null", "deflate"])
def test_a_cut_file_keeps_the_records_before_the_cut(tmp_path, codec):
    path = avro(tmp_path / "x.avro", SIMPLE, rows(1000), codec=codec, sync_interval=200)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 2 // 3])
    records, bad = read(path)
    assert 400 < len(records) < 800
    assert records == [(n + 1, (r["a"], str(n))) for n, r in enumerate(rows(len(records)))]
    assert bad == [(len(records) + 1, "file is damaged or cut off from here")]


def test_a_damaged_block_costs_that_block_alone(tmp_path):
    path = avro(tmp_path / "x.avro", SIMPLE, rows(1000), codec="deflate", sync_interval=200)
    content = bytearray(path.read_bytes())
    middle = content.find(b"0123456789abcdef", len(content) // 2) + 24
    content[middle : middle + 8] = b"\xff" * 8
    path.write_bytes(bytes(content))
    records, bad = read(path)
    ((line, defect),) = bad
    lost = int(defect.removeprefix("block of ").split()[0])
    assert len(records) + lost == 1000
    assert [n for n, _ in records] == [n for n in range(1, 1001) if not line <= n < line + lost]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"Obj\x01\x04", r"x\.avro: no readable Avro file \(its header is damaged\): fetch it again or remove it\."),
        (b"a,b\n1,2\n", r"x\.avro: no readable Avro file \(its header is damaged\): fetch it again or remove it\."),
    ],
)
def test_a_damaged_header_is_one_sentence(tmp_path, content, sentence):
    path = tmp_path / "x.avro"
    path.write_bytes(content)
    with pytest.raises(FileError, match=f"^{sentence}$"):
        header_of(path)


def test_an_unknown_codec_is_one_sentence(tmp_path):
    path = recoded(avro(tmp_path / "x.avro", SIMPLE, rows(3)), "lzo", bytes)
    with pytest.raises(FileError, match=r"^x\.avro: Avro codec 'lzo' is unknown: write it with one of null, deflate"):
        header_of(path)


def test_a_file_of_bare_values_is_one_sentence(tmp_path):
    path = avro(tmp_path / "x.avro", {"type": "string"}, ["a"])
    with pytest.raises(FileError, match=r"x\.avro: "):
        header_of(path)
