"""What a write leaves behind: rows of both monitoring tables, and the metadata of its checks."""

import duckdb
import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from claims_assets.cli.summary import lowest_scores
from claims_assets.contracts import compiled
from claims_assets.monitoring.contract_results import ContractResults
from claims_assets.monitoring.data_quality_scores import DataQualityScores
from claims_assets.monitoring.quality import PERFECT
from claims_assets.monitoring.results import check_results, publish
from claims_assets_tests.monitoring import bills as hand
from claims_assets_tests.monitoring.bills import MONTH, ROWS, Bills

CONTRACT = compiled(Bills)
OTHER = "2024-02"
RECOMPUTED = """
    with dimensions as (
        select table_name, claim_month, dimension, 100 * avg(1 - failed / applicable) as value
        from results where applicable > 0 group by all),
    weights(dimension, weight) as (values
        ('completeness', .25), ('validity', .30), ('consistency', .20), ('accuracy', .15), ('timeliness', .10))
    select table_name, claim_month, round(sum(weight * value) / sum(weight), 2)
    from dimensions join weights using (dimension) group by all order by all
"""
"""The score from the table of rules alone, as docs/quality.md shows it."""


def stored(lake, name):
    return DeltaTable(str(lake.path("monitoring", name))).to_pyarrow_dataset().to_table()


def scores(lake):
    rows = stored(lake, "data_quality_scores").to_pylist()
    return {(r["table_name"], r["claim_month"]): r for r in rows}


@pytest.mark.requirement("R42")
def test_table_check_and_summary_state_the_same_number_on_the_same_scale(lake, bills):
    found = bills()
    publish(lake, "bronze.bills", CONTRACT, [MONTH], found)
    row = scores(lake)["bronze.bills", MONTH]
    metadata = check_results(CONTRACT, found)[0].metadata
    assert row["score"] == metadata["quality score"].value == hand.SCORE
    assert row["band"] == metadata["quality band"].value == "warning"
    assert metadata["quality month"].value == MONTH
    assert lowest_scores(lake) == {"bronze.bills": f"{hand.SCORE} warning"}
    ranges = {
        rule.check.statistics["max_value"] for rule in compiled(DataQualityScores).rules if rule.check != "present"
        if "max_value" in rule.check.statistics
    }  # fmt: skip
    assert ranges == {PERFECT} == {100.0}


def test_a_row_of_scores_says_what_was_measured(lake, bills):
    publish(lake, "bronze.bills", CONTRACT, [MONTH, OTHER], bills(months=(MONTH, OTHER)))
    found, empty = scores(lake)["bronze.bills", MONTH], scores(lake)["bronze.bills", OTHER]
    assert {d: found[d] for d in hand.DIMENSIONS} == hand.DIMENSIONS
    assert found["dimensions_measured"] == list(hand.DIMENSIONS)
    assert (empty["score"], empty["band"], empty["dimensions_measured"]) == (None, "no rows", [])
    assert {empty[d] for d in hand.DIMENSIONS} == {None}


def test_the_score_can_be_recomputed_from_the_results_of_the_rules(lake, bills):
    good = ("e", OTHER, OTHER, "P", "1", None, None, None)
    publish(lake, "bronze.bills", CONTRACT, [MONTH, OTHER], bills(*ROWS, good, months=(MONTH, OTHER)))
    results = stored(lake, "contract_results")
    with duckdb.connect() as db:
        recomputed = db.register("results", results).execute(RECOMPUTED).fetchall()
    assert recomputed == [
        ("bronze.bills", month, scores(lake)["bronze.bills", month]["score"]) for month in (MONTH, OTHER)
    ]


def test_only_the_months_that_were_written_are_replaced(lake, bills):
    publish(lake, "bronze.bills", CONTRACT, [MONTH], bills())
    publish(lake, "bronze.others", CONTRACT, [MONTH], bills())
    later = bills(("e", OTHER, OTHER, "P", "1", None, None, None), months=(OTHER,))
    publish(lake, "bronze.bills", CONTRACT, [OTHER], later)
    publish(lake, "bronze.bills", CONTRACT, [OTHER], later)
    assert {key: r["score"] for key, r in scores(lake).items()} == {
        ("bronze.bills", MONTH): hand.SCORE,
        ("bronze.bills", OTHER): 100.0,
        ("bronze.others", MONTH): hand.SCORE,
    }


def test_a_write_that_was_blocked_is_scored_and_marked(lake, bills):
    found = bills(ROWS[0], ROWS[0])
    publish(lake, "bronze.bills", CONTRACT, [MONTH], found)
    row = scores(lake)["bronze.bills", MONTH]
    assert (row["committed"], row["accuracy"]) == (False, 83.33)  # (1 + 1 + 1/2) / 3


def test_a_table_of_an_older_layout_is_begun_anew(lake, bills):
    path = lake.path("monitoring", "contract_results")
    write_deltalake(str(path), pa.table({"table_name": ["a"], "rule": ["b"]}), partition_by=["table_name"])
    publish(lake, "bronze.bills", CONTRACT, [MONTH], bills())
    found = stored(lake, "contract_results")
    assert found.schema.names == list(compiled(ContractResults).columns)
    assert set(found.column("table_name").to_pylist()) == {"bronze.bills"}


def test_both_tables_keep_their_own_contract(lake, bills, spark):
    publish(lake, "bronze.bills", CONTRACT, [MONTH, OTHER], bills(months=(MONTH, OTHER)))
    for name, model in (("contract_results", ContractResults), ("data_quality_scores", DataQualityScores)):
        frame = lake.read(spark, "monitoring", name)
        again = lake.write(frame, "gold", name, model, None)
        assert (again.blocked, again.failed, again.rows_kept > 0) == ([], {}, True)


def test_the_check_shows_failed_and_applicable_rows_on_one_scale(bills):
    rules = str(check_results(CONTRACT, bills())[0].metadata["rules"].value)
    assert rules.splitlines()[0] == "| rule | severity | failed | applicable | share |"
    assert "| units_is_readable | warn | 1 | 3 | 33.3333% |" in rules
    assert "| provider_id_is_present | warn | 1 | 4 | 25.0000% |" in rules
    assert "| row_is_known_in_time | warn | 1 | 4 | 25.0000% |" in rules
    assert "grain_is_unique" not in rules


def test_no_value_of_a_row_is_in_a_table_or_a_check(lake, bills):
    secret = "SECRET-7"
    found = bills(
        (secret, MONTH, secret, secret, secret, secret, secret, secret), ("d", MONTH, MONTH, secret, *[None] * 4)
    )
    publish(lake, "bronze.bills", CONTRACT, [MONTH], found)
    said = [str(stored(lake, name).to_pylist()) for name in ("contract_results", "data_quality_scores")]
    assert found.rows_quarantined == 2
    assert secret not in "".join([*said, str([r.metadata for r in check_results(CONTRACT, found)])])
