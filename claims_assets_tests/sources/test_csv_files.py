"""CSV: every physical line is a record, a bad line with its text, or blank; both ways of reading agree."""

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claims_assets.sources import csv_files
from claims_assets.sources.parsing import chunks, header_of
from claims_assets.sources.records import FileError


def read(path, delimiter=None):
    """(line, values) of the records, (line, raw, defect) of the bad lines."""
    records, bad = [], []
    for chunk in chunks(path, delimiter):
        values = zip(*[c.to_pylist() for c in chunk.records.columns], strict=True)
        records += list(zip(chunk.lines.to_pylist(), values, strict=True))
        bad += [(b.line, b.raw, b.defect) for b in chunk.bad]
    return records, bad


@pytest.fixture
def put(tmp_path):
    def write(content, name="x.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def test_lines_are_counted_from_the_header(put):
    assert read(put("a,b\n1,2\n3,4\n")) == ([(2, ("1", "2")), (3, ("3", "4"))], [])


def test_all_values_are_text_and_only_the_empty_one_is_missing(put):
    records, _ = read(put('a,b,c,d,e,f\n007,NULL,NA,nan,,""\n'))
    assert records == [(2, ("007", "NULL", "NA", "nan", None, None))]


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("last", [True, False])
def test_line_endings_and_a_missing_last_one_change_nothing(put, ending, last):
    content = ending.join(["a,b", "1,2", "3,4"]) + (ending if last else "")
    assert read(put(content)) == ([(2, ("1", "2")), (3, ("3", "4"))], [])


def test_a_byte_order_mark_is_no_part_of_the_first_name(put):
    path = put(b"\xef\xbb\xbfa,b\n1,2\n")
    assert (header_of(path), read(path)[0]) == (["a", "b"], [(2, ("1", "2"))])


def test_quoted_values_may_hold_delimiters_and_doubled_quotes(put):
    records, bad = read(put('a,b\n"1,5","say ""hi"""\n"",x\n'))
    assert (records, bad) == ([(2, ("1,5", 'say "hi"')), (3, (None, "x"))], [])


@pytest.mark.parametrize(
    ("line", "defect"),
    [
        (b"1", "too few fields"),
        (b"1,2,3", "too many fields"),
        (b'1,"2', "stray quote or line break"),
        (b'1,"2"x', "stray quote or line break"),
        (b"1,\xff\xfe", "not UTF-8"),
        (b"1,a\0b", "NUL byte"),
        (b"1,a\rb", "stray quote or line break"),
    ],
)
def test_a_malformed_line_is_named_and_costs_no_other(put, line, defect):
    records, bad = read(put(b"a,b\n1,2\n" + line + b"\n3,4\n"))
    assert records == [(2, ("1", "2")), (4, ("3", "4"))]
    assert bad == [(3, line.decode("utf-8", "backslashreplace"), defect)]


def test_a_quote_in_the_middle_of_a_value_is_kept(put):
    assert read(put('a,b\n5"2,x\n'))[0] == [(2, ('5"2', "x"))]


def test_two_stray_quotes_do_not_swallow_the_lines_between(put):
    records, bad = read(put('a,b\n1,"x\n3,4\ny",5\n6,7\n'))
    assert [line for line, _ in records] == [3, 4, 5]
    assert [line for line, *_ in bad] == [2]


def test_blank_lines_are_no_records_and_keep_the_numbers_right(put):
    records, bad = read(put("a,b\n\n1,2\n  \n\r\n3,4\n\n"))
    assert ([line for line, _ in records], bad) == ([3, 6], [])


def test_a_line_of_delimiters_alone_is_a_record_without_values(put):
    assert read(put("a\tb\n\t\n", "x.tsv"))[0] == [(2, (None, None))]


@pytest.mark.parametrize(
    ("name", "delimiter", "content"),
    [("x.tsv", None, "a\tb\n1\t2\n"), ("x.csv", "|", "a|b\n1|2\n"), ("x.TXT", ";", "a;b\n1;2\n")],
)
def test_the_delimiter_follows_the_suffix_or_the_mapping(put, name, delimiter, content):
    assert read(put(content, name), delimiter)[0] == [(2, ("1", "2"))]


def test_a_header_without_a_name_gets_one(put):
    assert header_of(put("a,,b,\n")) == ["a", "unnamed_2", "b", "unnamed_4"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"\n1,2\n", r"x\.csv: its first line is empty: begin the file with a line of column names\."),
        (b"a,b,a\n", r"x\.csv: column 'a' stands twice in its header: rename one of the two in line 1\."),
        ("a,b\n".encode("utf-16"), r"x\.csv: its header is not UTF-8 text: save the file as UTF-8\."),
        (b'a,"b\n', r"x\.csv: its header can't be read \(stray quote or line break\): correct line 1\."),
    ],
)
def test_an_unusable_header_is_one_sentence(put, content, sentence):
    with pytest.raises(FileError, match=f"^{sentence}$"):
        header_of(put(content))


def test_a_file_of_another_kind_is_one_sentence(put):
    with pytest.raises(FileError, match=r"^x\.xlsx: no landing format has the suffix '\.xlsx'.*`files:`"):
        header_of(put(b"", "x.xlsx"))


def test_a_clean_block_is_read_by_arrow_and_blocks_join_without_a_seam(put, monkeypatch):
    monkeypatch.setattr(csv_files, "BLOCK_BYTES", 64)
    monkeypatch.setattr(csv_files, "_by_line", lambda *_: pytest.fail("a clean block was read line by line"))
    records, _ = read(put("a,b\n" + "".join(f"{n},x\n" for n in range(500))))
    assert records == [(n + 2, (str(n), "x")) for n in range(500)]


LINES = st.lists(
    st.one_of(
        st.lists(st.text(alphabet='ab1 é,"\n', max_size=4), min_size=2, max_size=2).map(
            lambda row: (b"", _written(row))[1]
        ),
        st.binary(max_size=8).map(lambda b: b.replace(b"\n", b"")),
        st.just(b""),
    ),
    max_size=30,
)


def _written(row):
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow([v.replace("\n", "") for v in row])
    return out.getvalue().encode()


@settings(max_examples=200, deadline=None)
@given(lines=LINES, ending=st.sampled_from([b"\n", b"\r\n"]), last=st.booleans(), block=st.sampled_from([16, 10_000]))
def test_records_bad_lines_and_blank_lines_are_all_lines(tmp_path_factory, lines, ending, last, block):
    path = tmp_path_factory.mktemp("csv") / "x.csv"
    content = b"a,b" + ending + ending.join(lines) + (ending if last and lines else b"")
    path.write_bytes(content)
    before, csv_files.BLOCK_BYTES = csv_files.BLOCK_BYTES, block
    try:
        records, bad = read(path)
    finally:
        csv_files.BLOCK_BYTES = before
    physical = content.split(b"\n")[1:]
    if not physical[-1]:
        physical.pop()
    blank = [n for n, line in enumerate(physical, 2) if not line.removesuffix(b"\r").strip(b" ")]
    assert sorted([n for n, _ in records] + [n for n, *_ in bad] + blank) == list(range(2, len(physical) + 2))
    for number, values in records:
        line = physical[number - 2].removesuffix(b"\r").decode()
        assert [v or None for v in next(csv.reader([line], strict=True))] == list(values)
