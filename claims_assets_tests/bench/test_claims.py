"""The whole benchmark of the claims workload at a tiny size: every way runs, and all ways make the same rows."""

import json

import polars as pl
import pytest
from deltalake import write_deltalake

from bench import claims, equal, shown, wanted
from bench.population import Size

TINY = Size(members=60, months=14)
MEMORY = 4 * 2**30


def _bench(folder, *ways):
    said: list[str] = []
    report = claims.run(folder, TINY, ways, MEMORY, said.append, keep=True)
    return report, "\n".join(said)


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """The folder of a run on the embedded engine and by hand, and its report."""
    folder = tmp_path_factory.mktemp("bench") / "tiny"
    return folder, *_bench(folder, "sail", "duckdb", "polars")


@pytest.mark.requirement("R2")
def test_all_ways_make_the_same_rows(told):
    _, report, said = told
    assert "All ways made the same" in said
    assert report["rows_made"] > 5_000 and report["claim_lines"] > 1_000


def test_every_table_is_measured_in_every_way(told):
    _, report, _ = told
    assert list(report["ways"]) == ["sail", "duckdb", "polars"]
    for way in report["ways"].values():
        assert set(way["tables"]) == set(wanted.TABLES)
        assert all(of["written"] > 0 and of["wall"] > 0 for of in way["tables"].values())
        assert way["whole"]["cpu"] > 0 and way["whole"]["peak"] > 10_000_000
    assert set(report["bare"]) == set(wanted.TABLES)
    assert report["ways"]["sail"]["one_month"]["cpu"] > 0


def test_the_report_is_kept_by_size_and_names_no_host_and_no_path(told, tmp_path):
    folder, report, _ = told
    shown.kept(tmp_path, "1", report)
    path = shown.kept(tmp_path, "0.1", report)
    text = path.read_text()
    assert list(json.loads(text)["sizes"]) == ["0.1", "1"]
    assert str(folder.parent) not in text and "/" not in path.name
    assert shown.latest(tmp_path)["machine"]["packages"]["duckdb"]


def test_the_table_begins_with_the_ratios_and_the_plot_is_drawn(told, tmp_path):
    _, report, _ = told
    text = shown.as_text(report)
    assert text.index("to duckdb") < text.index("CPU s ")
    assert all(name.replace("_", ".", 1) in text for name in wanted.TABLES)
    shown.kept(tmp_path, "0.1", report)
    shown.plot(shown.latest(tmp_path), tmp_path / "ratios.svg")
    assert "<svg" in (tmp_path / "ratios.svg").read_text()


def test_a_cent_of_difference_is_found(told, tmp_path):
    folder, _, _ = told
    asked = wanted.read(folder / "wanted.json")
    name = "silver_pharmacy_claims"
    rows = pl.read_delta(str(folder / "duckdb" / "silver" / "pharmacy_claims"))
    first = pl.int_range(pl.len()) == 0
    cent = pl.lit("0.01").cast(pl.Decimal(12, 2))
    changed = rows.with_columns(
        paid_amount=pl.when(first).then(pl.col("paid_amount") + cent).otherwise("paid_amount").cast(pl.Decimal(12, 2))
    )
    write_deltalake(str(tmp_path / "silver" / "pharmacy_claims"), changed.to_arrow(), partition_by=["claim_month"])
    assert equal.assert_equal(folder / "duckdb", folder / "duckdb", asked, [name]) == len(rows)
    with pytest.raises(equal.NotEqual, match=r"1 rows only in the first.*paid_amount") as raised:
        equal.assert_equal(folder / "duckdb", tmp_path, asked, [name])
    assert rows["member_id"][0] not in str(raised.value)


def test_a_lost_row_is_found(told, tmp_path):
    folder, _, _ = told
    asked = wanted.read(folder / "wanted.json")
    rows = pl.read_delta(str(folder / "polars" / "silver" / "member_months"))
    write_deltalake(str(tmp_path / "silver" / "member_months"), rows[1:].to_arrow(), partition_by=["claim_month"])
    with pytest.raises(equal.NotEqual, match="rows or sums of money differ in 1 months"):
        equal.assert_equal(folder / "polars", tmp_path, asked, ["silver_member_months"])
