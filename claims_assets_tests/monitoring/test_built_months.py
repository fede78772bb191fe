"""What is stored of a table whose rows speak of months."""

from datetime import date

import pytest

from claims_assets.monitoring.built_months import NOTHING, Known, built, publish
from claims_assets.runtime.stage import Findings

SPAN = ("first_month", "last_month")


@pytest.fixture
def by_month(lake):
    """`by_month(rows)`: month -> rows and fingerprint of a table of (name, first, last), after one was built of May."""

    def put(*rows, span=SPAN):
        import pyarrow as pa
        from deltalake import write_deltalake

        may = Findings(kept={"2024-05": 1}, fingerprint={"2024-05": "f"})
        publish(lake, "silver", "other", may, {"2024-05": "i"}, None)
        names = ("name", *SPAN)
        table = pa.table({n: pa.array([r[i] for r in rows], pa.string()) for i, n in enumerate(names)})
        write_deltalake(lake.path("silver", "told"), table, mode="overwrite")
        publish(lake, "silver", "told", Findings(kept={"": 1}, fingerprint={"": "f"}), {"all": "i"}, span)
        found = built(lake)["silver.told"]
        return {m: (r["rows_kept"], r["fingerprint"]) for m, r in found.items() if m != "all"}

    return put


def test_a_row_speaks_of_its_months_and_without_a_last_one_of_all_since(by_month):
    found = by_month(("a", "2024-01", "2024-02"), ("b", "2024-02", None), ("c", None, None), ("d", "2024-06", None))
    assert {m: n for m, (n, _) in found.items()} == {"2024-01": 1, "2024-02": 2, "2024-03": 1, "2024-06": 2}


def test_the_last_month_says_what_all_later_ones_hold(by_month):
    assert by_month(("a", "2024-01", "2024-02")) == by_month(("a", "2024-01", "2024-02"))
    assert by_month(("a", "2024-01", "2024-02"))["2024-03"] == (0, NOTHING)
    open_since_january = by_month(("a", "2024-01", None))
    assert list(open_since_january) == ["2024-01"]
    assert by_month(("a", "2024-01", None), ("b", "2024-03", "2024-03"))["2024-04"] == open_since_january["2024-01"]
    a_gap = by_month(("a", "2024-01", "2024-01"), ("b", "2024-04", "2024-03"), ("c", "2024-05", None))
    assert [(m, n) for m, (n, _) in a_gap.items()] == [("2024-01", 1), ("2024-02", 0), ("2024-05", 1)]


def test_a_change_of_a_row_changes_the_months_it_speaks_of_and_no_other(by_month):
    before = by_month(("a", "2024-01", None), ("b", "2024-03", None), ("c", "2024-05", None))
    after = by_month(("a", "2024-01", None), ("other", "2024-03", None), ("c", "2024-05", None))
    assert [m for m in before if before[m] != after[m]] == ["2024-03", "2024-05"]


def test_news_that_end_a_row_change_the_months_after_its_end_and_none_before(by_month):
    before = by_month(("a", "2024-01", None), ("b", "2024-03", None))
    after = by_month(("a", "2024-01", "2024-04"), ("b", "2024-03", None))
    assert {m: after[m] for m in before} == before
    assert after["2024-05"] == by_month(("b", "2024-03", None))["2024-03"]


def test_rows_of_a_table_whose_rows_do_not_end_speak_of_all_months_since(by_month):
    rows = ("a", "2024-03", "2024-03"), ("b", "2024-05", None)
    found = by_month(*rows, span=("first_month", None))
    assert {m: n for m, (n, _) in found.items()} == {"2024-03": 1, "2024-05": 2}


def test_a_day_speaks_of_its_month(lake):
    import pyarrow as pa
    from deltalake import write_deltalake

    days = [date(2024, 1, 31), date(2024, 3, 1), date(2024, 3, 9), None]
    write_deltalake(lake.path("bronze", "told"), pa.table({"day": pa.array(days, pa.date32())}))
    publish(lake, "bronze", "told", Findings(kept={"": 4}, fingerprint={"": "f"}), {"all": "i"}, ("day", "day"))
    found = {m: r["rows_kept"] for m, r in built(lake)["bronze.told"].items() if m != "all"}
    assert found == {"2024-01": 1, "2024-02": 0, "2024-03": 2, "2024-04": 0}


def test_what_is_stored_of_a_month_does_not_depend_on_what_else_was_built(lake, by_month):
    before = by_month(("a", "2024-01", None))
    later = Findings(kept={"2025-05": 1}, fingerprint={"2025-05": "f"})
    publish(lake, "silver", "other", later, {"2025-05": "i"}, None)
    assert by_month(("a", "2024-01", None)) == before


NEWS = Known(since=("known_from", "claim_month"), until="cancelled_on", later=("cancelled_by",))


@pytest.fixture
def as_known(lake):
    """`as_known(rows)`: month -> `known_content` of a table by claim months of (month, name, known, cancelled, by)."""

    def put(*rows):
        import pyarrow as pa
        from deltalake import write_deltalake

        names = ("claim_month", "name", "known_from", "cancelled_on", "cancelled_by")
        table = pa.table({n: pa.array([r[i] for r in rows], pa.string()) for i, n in enumerate(names)})
        write_deltalake(lake.path("silver", "known"), table, mode="overwrite", partition_by=["claim_month"])
        months = sorted({r[0] for r in rows})
        findings = Findings(kept=dict.fromkeys(months, 1), fingerprint=dict.fromkeys(months, "f"))
        publish(lake, "silver", "known", findings, dict.fromkeys(months, "i"), None, NEWS)
        return {m: r["known_content"] for m, r in built(lake)["silver.known"].items() if m in months}

    return put


def test_what_was_known_by_a_month_is_the_same_whatever_came_later(as_known):
    then = as_known(("2024-01", "a", "2024-02", None, None), ("2024-03", "c", "2024-03", None, None))
    now = as_known(
        ("2024-01", "a", "2024-02", "2024-06", "v"),
        ("2024-01", "b", "2024-06", None, None),
        ("2024-03", "c", None, None, None),
    )
    assert now["2024-01"][:1] == then["2024-01"] and [told[:7] for told in now["2024-01"]] == ["2024-02", "2024-06"]
    assert [told[:7] for told in now["2024-03"]] == ["2024-03"] != then["2024-03"]


def test_what_is_known_anew_and_what_is_cancelled_change_the_months_since(as_known):
    plain = as_known(("2024-01", "a", "2024-02", None, None))["2024-01"]
    cancelled = as_known(("2024-01", "a", "2024-02", "2024-04", "v"))["2024-01"]
    otherwise = as_known(("2024-01", "a", "2024-02", "2024-04", "w"))["2024-01"]
    assert plain[0] == cancelled[0] == otherwise[0]
    assert len({plain[-1], cancelled[-1], otherwise[-1]}) == 3


def test_rows_of_a_table_without_months_are_known_from_their_day(lake):
    import pyarrow as pa
    from deltalake import write_deltalake

    rows = {"received": ["2024-03", None, None], "day": [date(2024, 1, 1), date(2024, 2, 5), None]}
    write_deltalake(lake.path("bronze", "told"), pa.table(rows))
    found = Findings(kept={"": 3}, fingerprint={"": "f"})
    publish(lake, "bronze", "told", found, {"all": "i"}, None, Known(since=("received", "day")))
    told = built(lake)["bronze.told"]["all"]["known_content"]
    assert [known.partition(" ")[0] for known in told] == ["", "2024-02", "2024-03"]
