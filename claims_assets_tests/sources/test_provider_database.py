"""The provider table, read from and loaded into a real PostgreSQL server."""

import json
import logging
import shutil
import tempfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from adbc_driver_postgresql import dbapi

from claims_assets.runtime.postgres import EmbeddedPostgres
from claims_assets.sources.provider_database import (
    COLUMNS,
    ProviderFileError,
    ProvidersUnreachable,
    check_reachable,
    has_table,
    load_csv,
    read_table,
    redact,
)

HEADER = "provider_id,provider_name,npi,active_from,active_to\n"
GOOD = HEADER + "P2,Bo,1234567893,2020-01-31,\nP1,Al,1234567893,2020-02-01,2024-12-31\n"


@pytest.fixture(scope="module")
def server_url() -> Iterator[str]:
    folder = Path(tempfile.mkdtemp(prefix="claims-test-"))
    folder.chmod(0o755)
    server = EmbeddedPostgres(folder / "postgres", binaries="wheel")
    yield server.start()
    server.stop()
    shutil.rmtree(folder)


@pytest.fixture
def url(server_url: str) -> str:
    """A database without tables."""
    execute(server_url, "DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
    return server_url


@pytest.fixture
def csv(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "providers.csv"
        path.write_bytes(text.encode())
        return path

    return write


def execute(url: str, *statements: str) -> None:
    with dbapi.connect(url, autocommit=True) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def password(url: str) -> str:
    return url.split(":")[2].split("@")[0]


def rows(url: str, *columns: str, table: str = "providers") -> list[tuple]:
    read = read_table(url, table)
    return list(zip(*(read.column(name).to_pylist() for name in columns or read.column_names), strict=True))


def test_a_loaded_file_is_read_back_as_text_in_order(url, csv):
    assert load_csv(url, csv(GOOD)) == 2
    read = read_table(url)
    assert read.column_names == list(COLUMNS)
    assert {str(field.type) for field in read.schema} == {"string"}
    assert rows(url, "provider_id", "npi", "active_from", "active_to", "specialty") == [
        ("P1", "1234567893", "2020-02-01", "2024-12-31", None),
        ("P2", "1234567893", "2020-01-31", None, None),
    ]


def test_dates_are_dates_in_the_database(url, csv):
    load_csv(url, csv(GOOD))
    kinds = "CREATE VIEW kinds AS SELECT column_name, data_type FROM information_schema.columns "
    execute(url, kinds + "WHERE table_name = 'providers'")
    assert {name for name, kind in rows(url, table="kinds") if kind == "date"} == {"active_from", "active_to"}


def test_r34_two_loads_leave_the_same_rows(url, csv):
    load_csv(url, csv(GOOD))
    once = read_table(url)
    load_csv(url, csv(GOOD))
    assert read_table(url) == once


def test_a_load_replaces_what_was_there(url, csv):
    load_csv(url, csv(GOOD))
    load_csv(url, csv("npi,provider_id\n7,P9\n"))
    assert rows(url, "provider_id", "npi", "provider_name") == [("P9", "7", None)]


def test_a_load_may_go_to_a_schema_and_a_name_that_needs_quotes(url, csv):
    execute(url, 'CREATE SCHEMA "my.Schema"')
    table = '"my.Schema".Providers; DROP'
    load_csv(url, csv(GOOD), table)
    assert has_table(url, table)
    assert not has_table(url, '"my.Schema".providers; DROP')
    assert [key for (key,) in rows(url, "provider_id", table=table)] == ["P1", "P2"]
    execute(url, 'DROP SCHEMA "my.Schema" CASCADE')


def test_values_survive_unchanged(url, csv):
    name = 'Ärzte "Zentrum", 李\u2028\t\\N {NULL} \'); DROP'
    quoted = '"' + name.replace('"', '""') + '\nline two"'
    load_csv(url, csv(f"\ufeffprovider_id,provider_name,npi,zip_code\n 007 ,{quoted},0123,\n\nP8,NULL\u2028,,00501\n"))
    assert rows(url, "provider_id", "provider_name", "npi", "zip_code") == [
        (" 007 ", name + "\nline two", "0123", None),
        ("P8", "NULL\u2028", None, "00501"),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1, column 'provider_id' is missing: add it"),
        ("npi\n1\n", "line 1, column 'provider_id' is missing: add it"),
        ("provider_id,name\nP1,x\n", "line 1, column 'name' is unknown: remove it or rename it to one of provider_id,"),
        ("provider_id,npi,npi\nP1,1,2\n", "line 1, column 'npi' comes twice: keep one"),
        ("provider_id\n", "the file has no rows: name a file with providers"),
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
def test_a_bad_file_is_told_in_one_sentence_and_changes_nothing(url, csv, text, message):
    load_csv(url, csv(GOOD))
    before = read_table(url)
    path = csv(text)
    with pytest.raises(ProviderFileError) as error:
        load_csv(url, path)
    assert str(error.value).startswith(f"{path}, line ")
    assert message in str(error.value)
    assert "\n" not in str(error.value)
    assert read_table(url) == before


def test_a_file_that_is_not_utf8_names_the_line(url, csv):
    path = csv(HEADER)
    path.write_bytes(HEADER.encode() + b"P1,A,,,\nP2,M\xfcller,,,\n")
    with pytest.raises(ProviderFileError, match=r"line 3: not UTF-8 text: save the file as UTF-8"):
        load_csv(url, path)


def test_a_missing_file_is_named(url, tmp_path):
    with pytest.raises(ProviderFileError, match=r"none\.csv can't be read \(No such file or directory\)"):
        load_csv(url, tmp_path / "none.csv")


def test_a_load_that_the_table_refuses_leaves_the_old_rows_and_shows_no_value(url, csv):
    execute(
        url,
        f"CREATE TABLE providers ({', '.join(f'{name} text' for name in COLUMNS if 'active' not in name)}, "
        "active_from date CHECK (active_from < '2030-01-01'), active_to date)",
    )
    load_csv(url, csv(GOOD))
    before = read_table(url)
    late = csv(HEADER + "P1,Secret Name,1,2031-01-01,\n")
    with pytest.raises(ProvidersUnreachable, match="violates check constraint") as error:
        load_csv(url, late)
    shown = "".join(traceback.format_exception(error.value))
    assert "Secret Name" not in shown
    assert password(url) not in shown
    assert read_table(url) == before


def test_a_table_of_another_shape_is_refused(url, csv):
    execute(url, "CREATE TABLE providers (provider_id text, mine int)")
    with pytest.raises(ProvidersUnreachable, match='column "provider_name" of relation "providers" does not exist'):
        load_csv(url, csv(GOOD))


def test_a_user_who_may_only_write_to_the_table_can_load_it(url, csv):
    load_csv(url, csv(GOOD))
    execute(url, "CREATE ROLE loader LOGIN PASSWORD 'short-lived'", "GRANT USAGE ON SCHEMA public TO loader")
    loader = url.replace(f"claims:{password(url)}", "loader:short-lived")
    try:
        with pytest.raises(ProvidersUnreachable, match="permission denied for table providers"):
            load_csv(loader, csv(GOOD))
        execute(url, "GRANT INSERT, DELETE ON providers TO loader")
        assert load_csv(loader, csv("provider_id\nP5\n")) == 1
    finally:
        execute(url, "DROP OWNED BY loader", "DROP ROLE loader")
    assert rows(url, "provider_id") == [("P5",)]


def test_every_type_is_read_as_text_whatever_the_server_is_set_to(url):
    execute(
        url,
        "CREATE TABLE own (b text[], a uuid, n numeric(12,4), t timestamptz, d date, j jsonb, f float8, o bool, "
        'i interval, y bytea, c char(5), "odd ""Name" int, gone int)',
        "ALTER TABLE own DROP COLUMN gone",
        "INSERT INTO own VALUES ('{x,\"y,z\",NULL}', '0000000000000000000000000000000a', 1.5, "
        "'2024-01-31 23:30:00-05', '2024-01-31', '{\"k\": 1}', 0.1, true, '1 day', '\\x00ff', 'ab', 7)",
        "ALTER ROLE claims SET datestyle = 'German, DMY'",
        "ALTER ROLE claims SET timezone = 'America/New_York'",
    )
    try:
        read = read_table(url, "own")
    finally:
        execute(url, "ALTER ROLE claims RESET ALL")
    assert read.to_pylist() == [
        {
            "b": '{x,"y,z",NULL}',
            "a": "00000000-0000-0000-0000-00000000000a",
            "n": "1.5000",
            "t": "2024-02-01 04:30:00+00",
            "d": "2024-01-31",
            "j": json.dumps({"k": 1}),
            "f": "0.1",
            "o": "true",
            "i": "P1D",
            "y": "\\x00ff",
            "c": "ab",
            'odd "Name': "7",
        }
    ]


def test_a_database_in_another_encoding_is_read(url):
    execute(url, "CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0")
    latin = url.replace("/postgres", "/latin")
    execute(latin, "CREATE TABLE providers (provider_id text)", "INSERT INTO providers VALUES ('M' || chr(252))")
    assert rows(latin) == [("Mü",)]


def test_order_does_not_depend_on_how_rows_were_written(url):
    execute(
        url,
        'CREATE TABLE a (k text COLLATE "unicode", v int)',
        "INSERT INTO a VALUES ('b', 1), ('B', 2), (NULL, 3), ('b', 0)",
    )
    assert rows(url, table="a") == [("B", "2"), ("b", "0"), ("b", "1"), (None, "3")]


def test_an_empty_table_and_a_view_are_read(url):
    execute(url, "CREATE TABLE providers (provider_id text, npi int)", "CREATE VIEW seen AS SELECT * FROM providers")
    assert read_table(url, "public.seen").schema.names == ["provider_id", "npi"]
    assert rows(url, table="seen") == []


def test_a_missing_table_is_named(url):
    assert not has_table(url)
    for attempt in (read_table, check_reachable):
        with pytest.raises(ProvidersUnreachable, match=r"has no table no\.such: create it, load it, or name another"):
            attempt(url, "no.such")


@pytest.mark.parametrize("table", ["", ".", "a.b.c", 'a"b', "a."])
def test_what_is_no_table_name_is_refused(url, table):
    with pytest.raises(ProvidersUnreachable, match=r"is no table name: write table or schema\.table"):
        read_table(url, table)


def test_a_reachable_database_passes(url, csv):
    check_reachable(url)
    load_csv(url, csv(GOOD))
    check_reachable(url, "providers")
    check_reachable(url + "?sslmode=prefer&connect_timeout=3", "public.providers")


def test_tls_options_reach_the_server(url):
    with pytest.raises(ProvidersUnreachable, match="server does not support SSL, but SSL was required"):
        check_reachable(url + "?sslmode=require")


def test_no_error_shows_the_password(url, caplog):
    caplog.set_level(logging.DEBUG)
    secret = password(url)
    attempts = {
        url.replace("claims:", "claims:x"): 'password authentication failed for user "claims"',
        url.replace("/postgres", "/none"): 'database "none" does not exist',
        "postgresql://me:" + secret + "@127.0.0.1:1/x": "Connection refused",
        "postgresql://me:" + secret + "@no-such-host.invalid/x": "could not translate host name",
        url + "?password=x" + secret: "password authentication failed",
        url + "?nonsense=1": "invalid URI query parameter",
    }
    for wrong, reason in attempts.items():
        with pytest.raises(ProvidersUnreachable, match="CLAIMS_PROVIDERS_URL") as error:
            check_reachable(wrong)
        shown = "".join(traceback.format_exception(error.value))
        assert reason in str(error.value)
        assert "\n" not in str(error.value)
        assert secret not in shown + redact(wrong) + caplog.text


@pytest.mark.parametrize(
    "url",
    [
        *("", "secret", "host=h password=secret", "mysql://u:secret@h/d", "postgresql:u:secret@h/d"),
        *("postgresql://u:p@secret@h/d", "postgresql://u:p/secret@h/d", "postgresql://u:1#secret@h/d"),
        *("postgresql://u:1?secret@h/d", "postgresql://u:secret", "postgresql://u:x@[secret/d"),
    ],
)
def test_what_is_no_url_is_refused_without_showing_it(url):
    with pytest.raises(ProvidersUnreachable, match="CLAIMS_PROVIDERS_URL is no PostgreSQL URL: write ") as error:
        check_reachable(url)
    assert "secret" not in "".join(traceback.format_exception(error.value))
    assert redact(url) == "postgresql://***"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://u:p%40ss@h:5432/d", "postgresql://u:***@h:5432/d"),
        ("postgres://u@h/d", "postgres://u@h/d"),
        (
            "postgresql://u:p@[::1]:5432,h2:1/d?sslmode=verify-full",
            "postgresql://u:***@[::1]:5432,h2:1/d?sslmode=verify-full",
        ),
        ("postgresql:///d?host=/run/pg&p%61ssword=p&user=u", "postgresql:///d?host=/run/pg&password=***&user=u"),
    ],
)
def test_redact_hides_passwords_only(url, shown):
    assert redact(url) == shown
