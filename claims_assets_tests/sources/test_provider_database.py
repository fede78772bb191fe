"""The provider table, read from a real PostgreSQL server, and what is said if it can't be reached."""

import json
import logging
import traceback

import pytest

from claims_assets.sources.provider_database import (
    ProvidersUnreachable,
    check_reachable,
    has_table,
    load_csv,
    read_table,
    redact,
)
from claims_assets_tests.sources.provider_rows import GOOD, execute, password, rows


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
