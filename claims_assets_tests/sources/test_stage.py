"""Refreshing the stage: what is new, changed, removed, the same twice, and what a crash leaves behind."""

import gzip
import os

import pytest

from claims_assets.sources import inventory, stage
from claims_assets.sources.feeds import FEEDS, LandingError
from claims_assets_tests.sources.zone import CLAIMS, Zone


@pytest.fixture
def zone(tmp_path):
    return Zone(tmp_path)


def test_a_second_refresh_of_the_same_files_commits_nothing(zone):
    zone.claims("a.csv", "A,2023-01-05", "B,2023-02-06")
    first = zone.refresh()
    assert (first.seen, first.new, first.touched_months) == (1, ("medical_claims/a.csv",), ("2023-01", "2023-02"))
    before = zone.version()
    second = zone.refresh()
    assert (second.unchanged, second.new, second.changed, second.touched_months) == (1, (), (), ())
    assert (zone.version(), zone.ids()) == (before, ["A", "B"])


def test_a_file_with_another_time_and_the_same_content_is_unchanged(zone):
    file = zone.claims("a.csv", "A,2023-01-05")
    zone.refresh()
    os.utime(file, (1, 1))
    assert zone.refresh().unchanged == 1
    assert inventory.read(zone.lake, "medical_claims")["medical_claims/a.csv"].mtime_ns == 10**9


def test_a_changed_file_replaces_its_rows_and_touches_the_months_it_held_before(zone):
    zone.claims("a.csv", "A,2023-01-05", "B,2023-02-06")
    zone.claims("b.csv", "C,2023-05-05")
    zone.refresh()
    zone.claims("a.csv", "A,2023-03-05")
    found = zone.refresh()
    assert (found.changed, found.unchanged) == (("medical_claims/a.csv",), 1)
    assert found.touched_months == ("2023-01", "2023-02", "2023-03")
    assert zone.ids() == ["A", "C"]


def test_a_removed_file_takes_its_rows_and_its_quarantine_along(zone):
    gone = zone.claims("a.csv", "A,2023-01-05", "B,1999-01-01")
    zone.claims("b.csv", "C,2023-05-05")
    assert zone.refresh().rows_quarantined == 1
    gone.unlink()
    found = zone.refresh()
    assert (found.removed, found.touched_months) == (("medical_claims/a.csv",), ("2023-01",))
    assert (zone.ids(), zone.aside()) == (["C"], [])


def test_the_same_content_under_another_name_is_staged_once(zone):
    zone.claims("b.csv", "A,2023-01-05")
    zone.refresh()
    zone.claims("a.csv", "A,2023-01-05")
    found = zone.refresh()
    assert (found.new, found.duplicates, found.touched_months) == (("medical_claims/a.csv",),) * 2 + ((),)
    assert zone.ids() == ["A"]
    assert inventory.read(zone.lake, "medical_claims")["medical_claims/a.csv"].duplicate_of == "medical_claims/b.csv"


def test_a_duplicate_is_staged_when_the_first_name_disappears(zone):
    zone.claims("a.csv", "A,2023-01-05")
    zone.claims("b.csv", "A,2023-01-05")
    zone.refresh()
    (zone.landing / "medical_claims/a.csv").unlink()
    zone.refresh()
    assert [r["source_file"] for r in zone.staged()] == ["medical_claims/b.csv"]


def test_a_file_that_becomes_a_copy_of_another_loses_its_rows(zone):
    zone.claims("a.csv", "A,2023-01-05")
    zone.claims("b.csv", "B,2023-02-05")
    zone.refresh()
    zone.claims("b.csv", "A,2023-01-05")
    found = zone.refresh()
    assert (found.duplicates, found.touched_months, zone.ids()) == (("medical_claims/b.csv",), ("2023-02",), ["A"])


def test_an_empty_file_is_recorded_and_said(zone):
    zone.put("medical_claims/a.csv", b"")
    zone.claims("b.csv", "B,2023-02-05")
    found = zone.refresh()
    entry = inventory.read(zone.lake, "medical_claims")["medical_claims/a.csv"]
    assert (found.empty, entry.state, entry.rows) == (("medical_claims/a.csv",), "empty", 0)
    assert any("medical_claims/a.csv" in line and "empty" in line for line in zone.told)
    assert zone.refresh().unchanged == 2


def test_a_file_of_a_header_alone_is_fine(zone):
    zone.claims("a.csv")
    found = zone.refresh()
    assert (found.rows_in, zone.staged(), found.touched_months) == (0, [], ())


def test_an_absent_optional_feed_is_an_empty_table_with_all_columns(zone):
    from deltalake import DeltaTable

    for feed in FEEDS.values():
        if feed.optional:
            assert zone.refresh(feed.name).seen == 0
            stored = DeltaTable(str(zone.lake / "landing" / feed.name)).schema().to_arrow()
            assert set(stored.names) == set(feed.stage_schema().names)


def test_an_absent_mandatory_feed_is_one_sentence(zone):
    with pytest.raises(LandingError, match=r"^No file under .*member_eligibility .*CLAIMS_LANDING.*claims demo.*\.$"):
        zone.refresh("member_eligibility")
    assert not zone.lake.exists()


def test_nothing_is_written_when_one_file_of_many_is_unusable(zone):
    zone.claims("a.csv", "A,2023-01-05")
    zone.put("medical_claims/b.csv", "claim_id,member_id,claim_date\n")
    with pytest.raises(LandingError, match=r"b\.csv: required column 'service_from_date' is missing"):
        zone.refresh()
    assert not zone.lake.exists()


def test_nothing_stays_written_when_a_file_breaks_while_it_is_read(zone, tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    zone.claims("a.csv", "A,2023-01-05")
    rows = 200_000
    day = pa.array(["2023-01-05"] * rows)
    noise = pa.array([f"{i * 7919 % 1_000_003}" for i in range(rows)])
    good = tmp_path / "x.parquet"
    pq.write_table(
        pa.table({"claim_id": noise, "member_id": noise, "claim_date": day, "service_from_date": day}),
        good,
        row_group_size=50_000,
        compression="none",
    )
    content = bytearray(good.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 200_000] = b"\xff" * 200_000
    zone.put("medical_claims/b.parquet", bytes(content))
    with pytest.raises(LandingError, match=r"b\.parquet: no readable Parquet file"):
        zone.refresh()
    assert list(zone.lake.rglob("*.parquet")) == []


def test_a_crash_before_the_inventory_means_reading_again_and_no_row_twice(zone, monkeypatch):
    zone.claims("a.csv", "A,2023-01-05", "X,bad")
    zone.refresh()
    zone.claims("a.csv", "A,2023-02-05", "X,bad")
    zone.claims("b.csv", "B,2023-03-05")

    def crash(*_):
        raise RuntimeError("power cut")

    with monkeypatch.context() as patch:
        patch.setattr(inventory, "write", crash)
        with pytest.raises(RuntimeError, match="power cut"):
            zone.refresh()
    found = zone.refresh()
    assert (zone.ids(), len(zone.aside())) == (["A", "B"], 1)
    assert found.touched_months == ("2023-01", "2023-02", "2023-03")
    assert zone.refresh().unchanged == 2


def test_rows_of_a_file_that_vanished_after_a_crash_are_removed(zone, monkeypatch):
    zone.claims("a.csv", "A,2023-01-05")
    zone.refresh()
    gone = zone.claims("b.csv", "B,2023-03-05")

    def crash(*_):
        raise RuntimeError("power cut")

    with monkeypatch.context() as patch:
        patch.setattr(inventory, "write", crash)
        with pytest.raises(RuntimeError, match="power cut"):
            zone.refresh()
    assert zone.ids() == ["A", "B"]
    gone.unlink()
    assert zone.refresh().touched_months == ("2023-03",)
    assert zone.ids() == ["A"]


def test_a_stage_that_was_deleted_is_filled_again(zone):
    import shutil

    zone.claims("a.csv", "A,2023-01-05")
    zone.refresh()
    shutil.rmtree(zone.lake / "landing" / "medical_claims")
    assert zone.refresh().changed == ("medical_claims/a.csv",)
    assert zone.ids() == ["A"]


def test_another_mapping_or_start_month_stages_every_file_anew(zone):
    zone.claims("a.csv", "A,2022-05-05", "B,2023-02-05")
    zone.refresh()
    assert zone.refresh(start="2023-01").changed == ("medical_claims/a.csv",)
    assert zone.ids() == ["B"]
    zone.put("medical_claims.yaml", "constants: {claim_status: PAID}\n")
    assert zone.refresh(start="2023-01").changed == ("medical_claims/a.csv",)
    assert [r["claim_status"] for r in zone.staged()] == ["PAID"]


def test_months_out_of_scope_and_in_the_future_are_set_aside_with_their_month(zone):
    zone.claims("a.csv", "A,2021-12-31", "B,2022-01-01", "C,2024-12-31", "D,2025-01-01", "E,2023-02-31", "F,")
    assert zone.refresh().quarantined_by_reason == {
        "claim_month_is_in_scope": 1,
        "claim_month_is_not_in_the_future": 1,
        "service_from_date_is_readable": 2,
    }
    assert zone.ids() == ["B", "C"]
    assert [(r["source_line"], r["claim_month"], *r["_reasons"]) for r in zone.aside()] == [
        (2, "2021-12", "claim_month_is_in_scope"),
        (5, "2025-01", "claim_month_is_not_in_the_future"),
        (6, None, "service_from_date_is_readable"),
        (7, None, "service_from_date_is_readable"),
    ]
    assert '"claim_id":"E"' in zone.aside()[2]["_raw"]


def test_the_future_begins_after_the_month_of_receipt_where_it_is_known(zone):
    zone.put("medical_claims.yaml", "received_on: {file_name: '_(\\d{6})'}\n")
    zone.claims("x_202303.csv", "A,2023-03-31", "B,2023-04-01")
    assert zone.refresh().quarantined_by_reason == {"claim_month_is_not_in_the_future": 1}
    assert [(r["claim_id"], r["received_month"]) for r in zone.staged()] == [("A", "2023-03")]


def test_arrival_is_the_month_of_the_refresh_that_first_met_the_content(zone):
    zone.put("medical_claims.yaml", "received_on: arrival\n")
    file = zone.claims("a.csv", "A,2023-01-05")
    zone.refresh(latest="2023-02")
    file.rename(file.with_name("b.csv"))
    zone.claims("c.csv", "C,2023-01-05")
    zone.refresh(latest="2023-06")
    assert {r["claim_id"]: r["received_month"] for r in zone.staged()} == {"A": "2023-02", "C": "2023-06"}


def test_rows_by_month_come_from_the_log_and_equal_the_rows(zone):
    from collections import Counter

    zone.claims("a.csv", "A,2023-01-05", "B,2023-02-05", "C,2023-02-06", "D,1999-01-01")
    zone.claims("b.csv", "E,2023-02-05")
    assert stage.rows_by_month(zone.lake, "medical_claims") == {}
    zone.refresh()
    counted = Counter(r["claim_month"] for r in zone.staged())
    assert stage.rows_by_month(zone.lake, "medical_claims") == dict(counted) == {"2023-01": 1, "2023-02": 3}


def test_the_log_holds_no_values_of_rows(zone):
    zone.put("medical_claims/a.csv", f"{CLAIMS}\nA,MEMBER-77,2023-01-05,2023-01-05\n")
    zone.refresh()
    log = "".join(p.read_text() for p in (zone.lake / "landing/medical_claims/_delta_log").glob("*.json"))
    assert "numRecords" in log
    assert "MEMBER-77" not in log


def test_rows_of_a_part_keep_the_order_of_their_lines(zone):
    from deltalake import DeltaTable

    zone.claims("a.csv", *[f"{n},2023-0{1 + n % 3}-05" for n in range(300)])
    zone.refresh()
    files = DeltaTable(str(zone.lake / "landing" / "medical_claims")).file_uris()
    import pyarrow.parquet as pq

    assert len(files) == 3
    for file in files:
        lines = pq.read_table(file.removeprefix("file://"), columns=["source_line"], partitioning=None)
        numbers = lines.column(0).to_pylist()
        assert numbers == sorted(numbers) and len(numbers) == 100
        assert pq.ParquetFile(file.removeprefix("file://")).num_row_groups == 1


def test_hidden_files_and_markers_are_left_out(zone):
    zone.claims("a.csv", "A,2023-01-05")
    zone.put("medical_claims/_SUCCESS", b"")
    zone.put("medical_claims/.a.csv.crc", b"x")
    zone.put("medical_claims/_temporary/x.csv", b"x")
    assert zone.refresh().seen == 1


def test_a_gzip_file_is_read_and_a_broken_one_keeps_what_came_before(zone):
    content = gzip.compress((f"{CLAIMS}\n" + "".join(f"{n},M,2023-01-05,2023-01-05\n" for n in range(50_000))).encode())
    zone.put("medical_claims/a.csv.gz", content)
    assert zone.refresh().rows_staged == 50_000
    zone.put("medical_claims/a.csv.gz", content[:-20])
    found = zone.refresh()
    assert found.quarantined_by_reason == {"line_is_a_record": 1}
    assert found.rows_staged > 40_000
    assert any("damaged or cut off" in line for line in zone.told)


def test_a_table_of_the_database_takes_the_place_of_files(zone):
    import pyarrow as pa

    zone.put("providers/p.csv", "provider_id,specialty\nP1,old\n")
    zone.refresh("providers")
    zone.put("providers.yaml", "use: kardia_providers\n")
    rows = pa.table({"providerid": ["P1", "P2"], "providerspecialty": ["a ", None], "providerlocation": ["X", "Y"]})
    months = {"start_month": "2022-01", "latest_month": "2024-12"}
    arguments = ("providers", rows, "postgresql:providers", zone.landing, zone.lake)
    found = stage.stage_table(*arguments, **months)
    assert (found.new, found.removed) == (("postgresql:providers",), ("providers/p.csv",))
    columns = ("provider_id", "specialty", "city", "source_file", "source_line")
    assert [tuple(r[c] for c in columns) for r in zone.staged("providers")] == [
        ("P1", "a", "X", "postgresql:providers", 1),
        ("P2", None, "Y", "postgresql:providers", 2),
    ]
    assert stage.stage_table(*arguments, **months).unchanged == 1
