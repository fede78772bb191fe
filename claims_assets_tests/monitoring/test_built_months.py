"""What is stored of a table whose rows speak of months."""

import pytest

from claims_assets.monitoring.built_months import NOTHING, built, publish
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
    assert {m: n for m, (n, _) in found.items()} == {
        "2024-01": 1, "2024-02": 2, "2024-03": 1, "2024-04": 1, "2024-05": 1, "2024-06": 2,
    }  # fmt: skip


def test_the_last_month_says_what_all_later_ones_hold(by_month):
    assert by_month(("a", "2024-01", "2024-02")) == by_month(("a", "2024-01", "2024-02"))
    assert by_month(("a", "2024-01", "2024-02"))["2024-03"] == (0, NOTHING)
    open_since_january = by_month(("a", "2024-01", None))
    assert list(open_since_january) == ["2024-01"]
    assert by_month(("a", "2024-01", None), ("b", "2024-03", "2024-03"))["2024-04"] == open_since_january["2024-01"]


def test_a_change_of_a_row_changes_the_months_it_speaks_of_and_no_other(by_month):
    before = by_month(("a", "2024-01", None), ("b", "2024-03", None), ("c", "2024-05", None))
    after = by_month(("a", "2024-01", None), ("other", "2024-03", None), ("c", "2024-05", None))
    assert [m for m in before if before[m] != after[m]] == ["2024-03", "2024-04", "2024-05"]


def test_rows_of_a_table_whose_rows_do_not_end_speak_of_all_months_since(by_month):
    rows = ("a", "2024-03", "2024-03"), ("b", "2024-05", None)
    found = by_month(*rows, span=("first_month", None))
    assert {m: n for m, (n, _) in found.items()} == {"2024-03": 1, "2024-04": 1, "2024-05": 2}


def test_what_is_stored_of_a_month_does_not_depend_on_what_else_was_built(lake, by_month):
    before = by_month(("a", "2024-01", None))
    later = Findings(kept={"2025-05": 1}, fingerprint={"2025-05": "f"})
    publish(lake, "silver", "other", later, {"2025-05": "i"}, None)
    assert by_month(("a", "2024-01", None)) == before
