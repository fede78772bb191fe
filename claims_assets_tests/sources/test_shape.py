"""What a mapping makes of records, and what it must leave no trace of."""

import json

import pytest

from claims_assets.sources.records import FileError
from claims_assets_tests.sources.zone import CLAIMS, Zone


@pytest.fixture
def zone(tmp_path):
    return Zone(tmp_path)


def row(zone, *columns):
    (found,) = zone.staged()
    return tuple(found[c] for c in columns)


def test_names_match_regardless_of_case_and_white_space_around_values_goes(zone):
    zone.put("medical_claims/a.csv", "CLAIM_ID,Member_Id,claim_date,service_from_date\n A ,\tM\u00a0,2023-01-05, \n")
    zone.refresh()
    assert zone.aside()[0]["_reasons"] == ["service_from_date_is_readable"]
    zone.put("medical_claims/a.csv", "CLAIM_ID,Member_Id,claim_date,service_from_date\n A ,\tM\u00a0, ,2023-01-05\n")
    zone.refresh()
    assert row(zone, "claim_id", "member_id", "claim_date", "_raw") == ("A", "M", None, None)


def test_one_column_may_become_several(zone):
    zone.put("medical_claims.yaml", "rename: {DT: [claim_date, service_from_date, service_to_date]}")
    zone.put("medical_claims/a.csv", "claim_id,member_id,DT\nA,M,2023-01-05\n")
    zone.refresh()
    assert row(zone, "claim_date", "service_from_date", "service_to_date") == ("2023-01-05",) * 3


@pytest.mark.requirement("R33")
def test_unknown_columns_are_kept_as_json_and_stay_null_where_empty(zone):
    zone.put(
        "medical_claims/a.csv", f'{CLAIMS},"Odd ""col""",x\nA,M,2023-01-05,2023-01-05,1,\nB,M,2023-01-05,2023-01-05,,\n'
    )
    zone.refresh()
    assert [r["_rescued_data"] and json.loads(r["_rescued_data"]) for r in zone.staged()] == [{'Odd "col"': "1"}, None]


def test_constants_fill_only_columns_that_the_file_does_not_have(zone):
    zone.put("medical_claims.yaml", "constants: {claim_status: PAID, claim_type: OP}")
    zone.put("medical_claims/a.csv", f"{CLAIMS},claim_type\nA,M,2023-01-05,2023-01-05,\n")
    zone.refresh()
    assert row(zone, "claim_status", "claim_type") == ("PAID", None)


def test_dates_are_rewritten_and_the_record_is_kept_as_it_came(zone):
    zone.put("medical_claims.yaml", "date_format: {claim_date: '%m/%d/%Y', service_from_date: '%Y%m%d'}")
    zone.put("medical_claims/a.csv", f"{CLAIMS}\n A,M,1/5/2023,20230105\n")
    zone.refresh()
    assert row(zone, "claim_date", "service_from_date") == ("2023-01-05", "2023-01-05")
    assert json.loads(row(zone, "_raw")[0]) == {
        "claim_id": " A",
        "member_id": "M",
        "claim_date": "1/5/2023",
        "service_from_date": "20230105",
    }


@pytest.mark.parametrize("day", ["20230231", "2023115", "0", "2023-01-05x", "05.01.2023"])
def test_a_date_that_the_format_does_not_read_stays_and_is_set_aside(zone, day):
    zone.put("medical_claims.yaml", "date_format: '%Y%m%d'")
    zone.put("medical_claims/a.csv", f"{CLAIMS}\nA,M,20230105,{day}\n")
    zone.refresh()
    (aside,) = zone.aside()
    assert aside["_reasons"] == ["service_from_date_is_readable"]
    assert json.loads(aside["_raw"])["service_from_date"] == day


def test_the_time_of_day_behind_an_iso_date_is_cut(zone):
    zone.put("medical_claims/a.csv", f"{CLAIMS}\nA,M,2023-01-05 00:00:00,2023-01-05T10:11:12Z\n")
    zone.refresh()
    assert row(zone, "claim_date", "service_from_date", "claim_month") == ("2023-01-05", "2023-01-05", "2023-01")


def test_value_maps_know_missing_values_both_ways_and_leave_the_rest(zone):
    zone.put("medical_claims.yaml", "value_map: {claim_status: {P: PAID, '': PENDING, none: ''}}")
    lines = "".join(f"{n},M,2023-01-05,2023-01-05,{v}\n" for n, v in enumerate(["P", "", "none", "DENIED"]))
    zone.put("medical_claims/a.csv", f"{CLAIMS},claim_status\n{lines}")
    zone.refresh()
    assert [r["claim_status"] for r in zone.staged()] == ["PAID", "PENDING", None, "DENIED"]
    assert [r["_raw"] is not None for r in zone.staged()] == [True, True, True, False]


def test_the_month_of_receipt_may_stand_in_a_column(zone):
    zone.put("medical_claims.yaml", "received_on: {column: RCV, date_format: '%d.%m.%Y'}")
    zone.put(
        "medical_claims/a.csv", f"{CLAIMS},RCV\nA,M,2023-01-05,2023-01-05,07.03.2023\nB,M,2023-01-05,2023-01-05,?\n"
    )
    zone.refresh()
    assert [r["received_month"] for r in zone.staged()] == ["2023-03", None]


def test_dropped_values_leave_no_trace_in_the_lake(zone):
    import pyarrow.parquet as pq

    zone.put("medical_claims.yaml", "drop: [ssn]\ndate_format: '%Y-%m-%d'\nvalue_map: {claim_status: {P: PAID}}")
    secret = "999-17-5017"
    good = "".join(f"{n},M,2023-01-0{n},2023-01-0{n},{secret},P,x\n" for n in range(1, 4))
    bad = f"X,M,nodate,nodate,{secret},P,x\nY,M,{secret}\nZ,M,1999-01-01,1999-01-01,{secret},P,x\n"
    zone.put("medical_claims/a.csv", f"{CLAIMS},SSN,claim_status,extra\n{good}{bad}")
    found = zone.refresh()
    assert (found.rows_staged, found.rows_quarantined) == (3, 3)
    assert [r["_raw"] is not None for r in zone.staged()] == [True, True, True]
    files = [p for p in zone.lake.rglob("*") if p.is_file()]
    decoded = [
        str(pq.read_table(p, partitioning=None).to_pydict()) if p.suffix == ".parquet" else p.read_text() for p in files
    ]
    assert len(files) >= 6 and any("extra" in d for d in decoded)
    assert not any(secret in d for d in decoded)
    assert "withheld" in zone.aside()[1]["_raw"]


def test_a_column_is_dropped_however_it_is_written(zone):
    zone.put("medical_claims.yaml", "drop: [SSN]")
    zone.put("medical_claims/a.csv", f"{CLAIMS},SSN,ssn,x\nA,M,2023-01-05,2023-01-05,1,2,3\n")
    zone.refresh()
    assert row(zone, "_rescued_data") == ('{"x":"3"}',)


def test_a_name_to_drop_or_rename_that_no_file_has_is_a_mistake(zone):
    zone.claims("a.csv", "A,2023-01-05")
    zone.put("medical_claims.yaml", "drop: [SNN]")
    with pytest.raises(
        ValueError, match=r"^medical_claims\.yaml: no file of medical_claims has a column 'SNN': correct its name"
    ):
        zone.refresh()
    zone.put("medical_claims.yaml", "use: kardia_claims")
    assert zone.refresh().rows_staged == 1


@pytest.mark.parametrize(
    ("yaml", "header", "sentence"),
    [
        (
            "rename: {ID: claim_id}",
            "ID,claim_id,member_id,claim_date,service_from_date",
            "both 'ID' and 'claim_id' become claim_id",
        ),
        (
            "",
            "Claim_ID,CLAIM_id,member_id,claim_date,service_from_date",
            "'Claim_ID' and 'CLAIM_id' can both be claim_id",
        ),
        (
            "rename: {MBR: member_id}",
            "claim_id,claim_date,service_from_date,x",
            "no file of medical_claims has a column 'MBR'",
        ),
        ("received_on: {column: RCV}", CLAIMS, "no column 'RCV', which medical_claims.yaml names in received_on"),
        ("received_on: {file_name: '_([0-9]{6})'}", CLAIMS, "its name gives no month by received_on"),
    ],
)
def test_columns_that_do_not_fit_are_one_sentence(zone, yaml, header, sentence):
    zone.put("medical_claims.yaml", yaml)
    zone.put("medical_claims/a.csv", header + "\n")
    with pytest.raises((FileError, ValueError), match=sentence) as error:
        zone.refresh()
    assert "\n" not in str(error.value) and not zone.lake.exists()


def test_a_required_column_is_named_as_the_mapping_names_it(zone):
    zone.put("medical_claims.yaml", "rename: {MBR: member_id}")
    zone.put("medical_claims/a.csv", "claim_id,MBR,claim_date,service_from_date\n")
    zone.put("medical_claims/b.csv", "claim_id,claim_date,service_from_date\n")
    with pytest.raises(
        FileError, match=r"b\.csv: required column 'MBR' \(mapped to member_id\) is missing: name the file's"
    ):
        zone.refresh()


def test_typed_parquet_becomes_text(zone, tmp_path):
    import datetime as dt

    import pyarrow as pa
    import pyarrow.parquet as pq

    day = pa.array([dt.datetime(2023, 1, 5)] * 2, pa.timestamp("ns"))
    table = pa.table(
        {
            "claim_id": pa.array([7, 8]),
            "member_id": pa.array(["007", "008"]).dictionary_encode(),
            "claim_date": pa.array([dt.date(2023, 1, 5)] * 2),
            "service_from_date": day,
            "paid_amount": pa.array([12.5, float("nan")]),
            "service_units": pa.array([3.0, None]),
            "tags": pa.array([["a"], None]),
        }
    )
    pq.write_table(table, zone.put("medical_claims/a.parquet", b"x"))
    zone.refresh()
    columns = (
        "claim_id",
        "member_id",
        "claim_date",
        "service_from_date",
        "paid_amount",
        "service_units",
        "_rescued_data",
        "source_line",
    )
    assert [tuple(r[c] for c in columns) for r in zone.staged()] == [
        ("7", "007", "2023-01-05", "2023-01-05", "12.5", "3", '{"tags":"[\\"a\\"]"}', 1),
        ("8", "008", "2023-01-05", "2023-01-05", None, None, None, 2),
    ]
