"""Files of providers that are read, and those that are refused in one sentence."""

from datetime import date

import pytest

from claims_assets.sources.provider_csv import COLUMNS, DATES, ProviderFileError, read_csv
from claims_assets_tests.sources.provider_rows import HEADER


def test_a_file_gives_all_columns_of_the_contract_in_file_order(csv):
    read = read_csv(csv(" active_from ,provider_id\n 2020-01-31 ,P2\n\n,P1\n"))
    assert read.column_names == list(COLUMNS)
    assert {field.name for field in read.schema if field.type == "date32"} == set(DATES)
    assert read.select(["provider_id", "active_from", "npi"]).to_pylist() == [
        {"provider_id": "P2", "active_from": date(2020, 1, 31), "npi": None},
        {"provider_id": "P1", "active_from": None, "npi": None},
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1, column 'provider_id' is missing: add it"),
        ("npi\n1\n", "line 1, column 'provider_id' is missing: add it"),
        ("provider_id,name\nP1,x\n", "line 1, column 'name' is unknown: remove it or rename it to one of provider_id,"),
        ("provider_id,npi,npi\nP1,1,2\n", "line 1, column 'npi' comes twice: keep one"),
        (
            "provider_id\n\n",
            "line 3, column 'provider_id' has no value, for the file has no rows: name a file with providers",
        ),
        (HEADER + "P1,A,1,01/31/2020,\n", "line 2, column 'active_from' is no date: write it as YYYY-MM-DD"),
        (HEADER + "P1,A,1,,2020-02-30\n", "line 2, column 'active_to' is no date: write it as YYYY-MM-DD"),
        (HEADER + "P1,A,1,20200131,\n", "line 2, column 'active_from' is no date"),
        (
            HEADER + 'P1,"A\nB",1,,\nP2,,,,\nP1,C,3,,\n',
            "line 5, column 'provider_id' repeats the value of line 2: keep",
        ),
        (HEADER + "P1,A,1,,\n  ,B,2,,\n", "line 3, column 'provider_id' is empty: give every provider an id"),
        (HEADER + "P1,A,1,,\nP2,B\n", "line 3: 2 fields instead of 5: quote values"),
        (HEADER + 'P1,"A,1,,\n', "line 2: not CSV (unexpected end of data): close every quote"),
        (HEADER + "P1,A\0,1,,\n", "line 2, column 'provider_name' holds a NUL character: remove it"),
    ],
)
def test_a_bad_file_is_told_in_one_sentence(csv, text, message):
    path = csv(text)
    with pytest.raises(ProviderFileError) as error:
        read_csv(path)
    assert str(error.value).startswith(f"{path}, line ")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_that_is_not_utf8_names_the_line(csv):
    path = csv(HEADER)
    path.write_bytes(HEADER.encode() + b"P1,A,,,\nP2,M\xfcller,,,\n")
    with pytest.raises(ProviderFileError, match=r"line 3: not UTF-8 text: save the file as UTF-8"):
        read_csv(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ProviderFileError, match=r"none\.csv can't be read \(No such file or directory\)"):
        read_csv(tmp_path / "none.csv")
