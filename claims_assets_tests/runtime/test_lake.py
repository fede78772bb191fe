"""The writer: nothing is lost, nothing half-written, nothing replaced that was not asked for."""

import json
from collections import Counter

import pytest
from deltalake import DeltaTable

from claims_assets import columns as c
from claims_assets.contracts import Contract, reject, rule
from claims_assets.runtime import lake as lake_module
from claims_assets.runtime.delta import ContractChanged
from claims_assets.runtime.lake import NeverWritten

FIRST, SECOND, THIRD = "2024-01", "2024-02", "2024-03"


class Visits(Contract):
    """One row per visit."""

    visit_id: str = c.required("Visit.")
    claim_month: str = c.claim_month()
    paid_amount: c.Money = c.amount("Paid.", ge=0)
    kind: str = c.optional("Kind.", isin=["IP", "OP"])
    units: c.Whole = c.optional("Units.", ge=0, severity="quarantine")

    class Config:
        unique = ["visit_id"]
        metadata = {"rules": {"free_visits_have_no_units": rule("paid_amount > 0 or units = 0", severity="warn")}}


class VisitsWithNote(Visits):
    """Visits after a nullable column was added."""

    note: str = c.optional("Note.")


class VisitsRetyped(Visits):
    """Visits after a column changed its type."""

    units: c.Count = c.optional("Units.", ge=0, severity="quarantine")


@pytest.fixture
def landed(spark):
    """A frame of text, as a landing stage gives it: (id, month, amount, kind, units)."""
    texts = ("visit_id", "claim_month", "paid_amount", "kind", "units", "source_file")
    schema = ", ".join(f"{name} string" for name in texts) + ", source_line bigint"
    return lambda *given: spark.createDataFrame(
        [(*row, "visits.csv", line) for line, row in enumerate(given, start=2)], schema
    )


def table(lake, name="bronze/visits"):
    return DeltaTable(str(lake.path(*name.split("/")))).to_pyarrow_table().sort_by("visit_id").to_pylist()


def ids(lake):
    return [row["visit_id"] for row in table(lake)]


@pytest.mark.requirement("R33")
def test_good_rows_are_kept_in_the_contracts_types(lake, landed):
    lake.write(landed(("a", FIRST, "12.50", "IP", "1")), "bronze", "visits", Visits, [FIRST])
    (row,) = table(lake)
    assert (str(row["paid_amount"]), row["units"]) == ("12.50", 1)
    schema = DeltaTable(str(lake.path("bronze", "visits"))).schema()
    assert {f.name: f.nullable for f in schema.fields} == {
        "visit_id": False, "claim_month": False, "paid_amount": True, "kind": True, "units": True,
    }  # fmt: skip


@pytest.mark.parametrize(("text", "units"), [("30", 30), ("30.0", 30), ("30.", 30), ("-2.00", None), ("1.5", None)])
def test_whole_numbers_may_be_written_with_a_point_and_zeros(lake, landed, text, units):
    found = lake.write(landed(("a", FIRST, "1", "IP", text)), "bronze", "visits", Visits, [FIRST])
    assert [row["units"] for row in table(lake)] == ([units] if units is not None or found.rows_kept else [])
    assert (units is None) == ({"units_is_readable", "units_is_at_least_0"} & found.failed_by_rule().keys() != set())


def test_bad_rows_go_to_quarantine_with_their_text_and_reasons(lake, landed):
    frame = landed(("a", FIRST, "12.50", "IP", "1"), ("b", FIRST, "twelve", "IP", "-1"), (None, FIRST, "1", "IP", "1"))
    found = lake.write(frame, "bronze", "visits", Visits, [FIRST])
    assert (found.rows_in, found.rows_kept, found.rows_quarantined) == (3, 1, 2)
    aside = (
        DeltaTable(str(lake.path("quarantine", "bronze_visits"))).to_pyarrow_table().sort_by("source_line").to_pylist()
    )
    assert [row["source_line"] for row in aside] == [3, 4]
    assert set(aside[0]["_reasons"]) == {"paid_amount_is_readable", "units_is_at_least_0"}
    assert aside[1]["_reasons"] == ["visit_id_is_present"]
    assert json.loads(aside[0]["_raw"])["paid_amount"] == "twelve"


def test_a_broken_warn_rule_counts_and_keeps_the_row(lake, landed):
    found = lake.write(landed(("a", FIRST, "-1", "??", "1")), "bronze", "visits", Visits, [FIRST])
    assert found.rows_kept == 1
    assert found.failed_by_rule() == {
        "free_visits_have_no_units": 1,
        "kind_is_known": 1,
        "paid_amount_is_at_least_0": 1,
    }


def test_an_unreadable_optional_value_warns_and_becomes_null(lake, spark):
    class Dated(Contract):
        """One row per visit."""

        visit_id: str = c.required("Visit.")
        seen_date: c.Date = c.optional("Day.")

        class Config:
            unique = ["visit_id"]

    frame = spark.createDataFrame([("a", "2023-02-31"), ("b", "2023-02-28")], "visit_id string, seen_date string")
    found = lake.write(frame, "bronze", "dated", Dated, None)
    assert found.failed_by_rule() == {"seen_date_is_readable": 1}
    assert [str(row["seen_date"]) for row in table(lake, "bronze/dated")] == ["None", "2023-02-28"]


def test_rows_a_transform_rejects_are_quarantined_with_its_reason(lake, landed):
    from pyspark.sql import functions as F

    frame = landed(("a", FIRST, "1", "IP", "1"), ("b", FIRST, "2", "IP", "1"))
    frame = reject(frame, {"visit_is_not_b": F.col("visit_id") == "b"})
    found = lake.write(frame, "bronze", "visits", Visits, [FIRST], rows_expected=2)
    assert found.failed_by_rule() == {"visit_is_not_b": 1}
    assert ids(lake) == ["a"]


def test_writing_twice_is_writing_once(lake, landed):
    frame = landed(("a", FIRST, "1", "IP", "1"), ("b", SECOND, "2", "IP", None))
    first = lake.write(frame, "bronze", "visits", Visits, [FIRST, SECOND])
    second = lake.write(frame, "bronze", "visits", Visits, [FIRST, SECOND])
    assert first.fingerprint == second.fingerprint
    assert ids(lake) == ["a", "b"]


def test_the_fingerprint_follows_content_and_not_order(lake, landed):
    rows = [("a", FIRST, "1", "IP", "1"), ("b", FIRST, "2", "IP", "1")]
    one = lake.write(landed(*rows), "bronze", "visits", Visits, [FIRST]).fingerprint
    other_order = lake.write(landed(*reversed(rows)), "bronze", "visits", Visits, [FIRST]).fingerprint
    other_value = lake.write(
        landed(rows[0], ("b", FIRST, "3", "IP", "1")), "bronze", "visits", Visits, [FIRST]
    ).fingerprint
    assert one == other_order != other_value


def test_only_the_asked_months_are_replaced_even_with_a_gap_between(lake, landed):
    frame = landed(("a", FIRST, "1", "IP", "1"), ("b", SECOND, "1", "IP", "1"), ("c", THIRD, "1", "IP", "1"))
    lake.write(frame, "bronze", "visits", Visits, [FIRST, SECOND, THIRD])
    lake.write(landed(("d", FIRST, "1", "IP", "1")), "bronze", "visits", Visits, [FIRST, THIRD])
    assert ids(lake) == ["b", "d"]


def test_a_month_that_lost_all_its_rows_becomes_empty(lake, landed):
    lake.write(landed(("a", FIRST, "1", "IP", "1")), "bronze", "visits", Visits, [FIRST])
    found = lake.write(landed().where("false"), "bronze", "visits", Visits, [FIRST])
    assert found.kept == {FIRST: 0}
    assert table(lake) == []


def test_a_row_of_a_month_nobody_asked_for_raises_and_leaves_the_table(lake, landed):
    lake.write(landed(("a", FIRST, "1", "IP", "1")), "bronze", "visits", Visits, [FIRST])
    with pytest.raises(ValueError, match="months nobody asked for: 2024-02"):
        lake.write(landed(("b", SECOND, "1", "IP", "1")), "bronze", "visits", Visits, [FIRST])
    assert ids(lake) == ["a"]


def test_a_repeated_grain_blocks_and_leaves_the_table(lake, landed):
    lake.write(landed(("a", FIRST, "1", "IP", "1")), "bronze", "visits", Visits, [FIRST])
    found = lake.write(
        landed(("b", FIRST, "1", "IP", "1"), ("b", FIRST, "2", "IP", "1")), "bronze", "visits", Visits, [FIRST]
    )
    assert found.duplicates == 1
    assert found.blocked == ["bronze.visits: 1 rows repeat the grain (visit_id)."]
    assert ids(lake) == ["a"]


def test_a_row_that_goes_missing_on_the_way_blocks(lake, landed):
    found = lake.write(landed(("a", FIRST, "1", "IP", "1")), "bronze", "visits", Visits, [FIRST], rows_expected=2)
    assert found.blocked == ["bronze.visits: 2 rows went in, 1 came out."]
    assert not lake.exists("bronze", "visits")


def test_a_feed_that_breaks_the_contract_in_most_rows_blocks(lake, landed):
    lake.write(landed(("a", FIRST, "1", "IP", "1")), "bronze", "visits", Visits, [FIRST])
    bad = landed(*[(None, FIRST, "1", "IP", "1")] * 60, *[(f"x{i}", FIRST, "1", "IP", "1") for i in range(40)])
    found = lake.write(bad, "bronze", "visits", Visits, [FIRST], quarantine_limit=0.5)
    assert found.blocked == ["bronze.visits: 60 of 100 rows break the contract, more than 50%."]
    assert ids(lake) == ["a"]


def test_a_crash_between_stage_and_commit_leaves_the_table_and_no_stage(lake, landed, monkeypatch):
    lake.write(landed(("a", FIRST, "1", "IP", "1")), "bronze", "visits", Visits, [FIRST])

    class Crashing:
        def replace(self, *_):
            raise OSError("disk gone")

    monkeypatch.setattr(lake_module, "writer_for", lambda _: Crashing())
    with pytest.raises(OSError, match="disk gone"):
        lake.write(landed(("b", FIRST, "1", "IP", "1")), "bronze", "visits", Visits, [FIRST])
    assert ids(lake) == ["a"]
    assert list((lake.path("_stage", "").parent / "_stage").iterdir()) == []


def test_a_nullable_column_can_be_added_month_by_month(lake, landed):
    from pyspark.sql import functions as F

    lake.write(landed(("a", FIRST, "1", "IP", "1")), "bronze", "visits", Visits, [FIRST])
    noted = landed(("b", SECOND, "1", "IP", "1")).withColumn("note", F.lit("new"))
    lake.write(noted, "bronze", "visits", VisitsWithNote, [SECOND])
    assert [(row["visit_id"], row["note"]) for row in table(lake)] == [("a", None), ("b", "new")]


@pytest.mark.requirement("R33")
def test_a_changed_type_asks_for_a_rebuild_and_leaves_the_table(lake, landed):
    lake.write(landed(("a", FIRST, "1", "IP", "1")), "bronze", "visits", Visits, [FIRST])
    with pytest.raises(ContractChanged, match=r"bronze\.visits: the contract changed \(units\)"):
        lake.write(landed(("b", SECOND, "1", "IP", "1")), "bronze", "visits", VisitsRetyped, [SECOND])
    assert ids(lake) == ["a"]


def test_a_frame_without_a_contract_column_is_refused(lake, landed):
    with pytest.raises(ValueError, match="made no column kind"):
        lake.write(landed().drop("kind"), "bronze", "visits", Visits, [FIRST])


def test_reading_a_table_that_was_never_written_says_so(lake, spark):
    with pytest.raises(NeverWritten, match=r"silver\.members has never been written"):
        lake.read(spark, "silver", "members")


def test_reading_months_reads_those_months(lake, landed, spark):
    frame = landed(("a", FIRST, "1", "IP", "1"), ("b", SECOND, "1", "IP", "1"), ("c", THIRD, "1", "IP", "1"))
    lake.write(frame, "bronze", "visits", Visits, [FIRST, SECOND, THIRD])
    assert [r.visit_id for r in lake.read(spark, "bronze", "visits", [FIRST, THIRD]).orderBy("visit_id").collect()] == [
        "a",
        "c",
    ]
    assert lake.rows_by_month("bronze", "visits") == {FIRST: 1, SECOND: 1, THIRD: 1}


def test_every_row_ends_in_the_table_or_in_quarantine(lake, landed):
    given = [
        (f"v{i}" if i % 7 else None, FIRST if i % 2 else SECOND, "x" if i % 11 == 0 else str(i), "IP", "1")
        for i in range(200)
    ]
    found = lake.write(landed(*given), "bronze", "visits", Visits, [FIRST, SECOND], rows_expected=200)
    stored = Counter(row["claim_month"] for row in table(lake))
    aside = Counter(
        DeltaTable(str(lake.path("quarantine", "bronze_visits"))).to_pyarrow_table().column("claim_month").to_pylist()
    )
    assert stored == found.kept
    assert aside == found.quarantined
    assert stored.total() + aside.total() == 200
