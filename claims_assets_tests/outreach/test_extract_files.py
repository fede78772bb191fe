"""Files of extracts: readable by their owner alone, safe to open in a spreadsheet, whole or not there."""

import csv
import stat
from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claims_assets.outreach.extract_files import RUN_BY_SPREADSHEETS, csv_line, plain, safe, sha256, staged

SCHEMA = pa.schema([("member_id", pa.string()), ("age", pa.int32()), ("vaccines", pa.list_(pa.string()))])
ROWS = [{"member_id": "=cmd|'/c calc'!A1", "age": -3, "vaccines": ["hpv", "mmr"]}, {"member_id": None, "age": None}]


def batches(rows=ROWS):
    return pa.Table.from_pylist(rows, schema=SCHEMA).to_batches()


def put(folder, rows=ROWS):
    with staged(folder, "list", SCHEMA, batches(rows)) as files:
        files.put_in_place()
    return files


def lines(folder):
    with (folder / "list.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


@settings(max_examples=300)
@given(st.text())
def test_no_text_is_run_and_every_text_comes_back(text):
    assert not safe(text).lstrip().startswith(RUN_BY_SPREADSHEETS)
    assert plain(safe(text)) == text


@settings(max_examples=200)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]))))
def test_a_line_of_texts_comes_back_through_any_csv_reader(texts):
    text = csv_line([*texts, "end"]).decode()
    (read,) = csv.reader([*text.splitlines(keepends=True)] if "\n" not in text[:-2] else [text], strict=True)
    assert [plain(t) for t in read] == [*texts, "end"]


def test_both_formats_hold_the_same_rows_and_numbers_stay_numbers(tmp_path):
    files = put(tmp_path)
    assert lines(tmp_path) == [
        ["member_id", "age", "vaccines"],
        ["'=cmd|'/c calc'!A1", "-3", "hpv; mmr"],
        ["", "", ""],
    ]
    assert pq.read_table(tmp_path / "list.parquet").to_pylist() == [ROWS[0], ROWS[1] | {"vaccines": None}]
    assert (files.rows, files.columns) == (2, ("member_id", "age", "vaccines"))
    assert files.sha256 == {kind: sha256(tmp_path / f"list.{kind}") for kind in ("csv", "parquet")}


def test_dates_and_flags_are_written_as_in_the_lake():
    assert csv_line([date(2025, 3, 1), True, None, 0.5, ["a"]]) == b'2025-03-01,true,,0.5,"a"\r\n'


def test_only_the_owner_may_read_a_file(tmp_path):
    put(tmp_path / "month")
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in (tmp_path / "month").iterdir()}
    assert modes == {"list.csv": 0o600, "list.parquet": 0o600}
    assert stat.S_IMODE((tmp_path / "month").stat().st_mode) == 0o700


def test_a_failing_step_leaves_the_last_good_files_and_nothing_else(tmp_path):
    put(tmp_path)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}

    def broken():
        yield from batches()
        raise OSError("disk is full")

    with pytest.raises(OSError, match="full"), staged(tmp_path, "list", SCHEMA, broken()) as files:
        files.put_in_place()
    with pytest.raises(ValueError, match="no record"), staged(tmp_path, "list", SCHEMA, batches(ROWS[:1])):
        raise ValueError("no record")
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_what_a_killed_step_left_does_not_stop_the_next(tmp_path):
    (tmp_path / ".list.csv.new").write_text("half")
    put(tmp_path)
    assert len(lines(tmp_path)) == 3
