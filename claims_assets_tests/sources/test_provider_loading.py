"""Provider files, loaded into a table of a real PostgreSQL server."""

import traceback

import pytest

from claims_assets.sources.provider_csv import COLUMNS, ProviderFileError
from claims_assets.sources.provider_database import ProvidersUnreachable, has_table, load_csv, read_table
from claims_assets_tests.sources.provider_rows import GOOD, HEADER, execute, password, rows


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


@pytest.mark.requirement("R34")
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


def test_a_bad_file_leaves_the_old_rows(url, csv):
    load_csv(url, csv(GOOD))
    before = read_table(url)
    with pytest.raises(ProviderFileError):
        load_csv(url, csv(HEADER + "P3,A,1,,\nP3,B,2,,\n"))
    assert read_table(url) == before


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
