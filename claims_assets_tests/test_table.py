"""`@table` under Dagster: ranges, chunks, blocked writes, what each month records; on real tables and a real lake."""

from functools import partial

import dagster as dg
import pytest
from deltalake import DeltaTable

from claims_assets import reading
from claims_assets import table as table_module
from claims_assets.bronze.claim_links import claim_links
from claims_assets.bronze.medical_claims import medical_claims
from claims_assets.bronze.pharmacy_claims import pharmacy_claims
from claims_assets.definitions import build
from claims_assets.inputs import Window
from claims_assets.partitions import claim_months
from claims_assets.runtime.lake import NeverWritten
from claims_assets.silver.claim_versions import claim_versions
from claims_assets_tests.landed import LINES, build_months, land_lines

MONTHS = ("2024-01", "2024-02", "2024-03")


@pytest.fixture
def land(lake, tmp_path):
    """`land(lines)`: put claim lines (id, month, amount) into the landing stage, as the whole feed."""
    return partial(land_lines, tmp_path)


@pytest.fixture
def run(lake, spark_resource):
    """`run(first, last, *tables)`: materialize the months in one run; (result, instance)."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield lambda *asked: (build_months(instance, lake, spark_resource, *asked), instance)


def stored(lake, name="medical_claims"):
    rows = DeltaTable(str(lake.path("bronze", name))).to_pyarrow_dataset().to_table()
    return sorted((r["claim_id"], r["claim_month"], str(r["paid_amount"])) for r in rows.to_pylist())


def test_a_range_is_one_commit_and_each_month_records_its_own_rows(lake, land, run):
    land(*LINES)
    result, instance = run(*MONTHS[::2])
    assert result.success
    records = instance.fetch_materializations(medical_claims.asset.key, limit=10).records
    rows = {r.partition_key: r.asset_materialization.metadata["dagster/partition_row_count"].value for r in records}
    assert rows == {"2024-01": 1, "2024-02": 2, "2024-03": 1}
    assert len({r.asset_materialization.metadata["fingerprint"].value for r in records}) == 3
    assert len(DeltaTable(str(lake.path("bronze", "medical_claims"))).history()) == 1


def test_a_table_without_months_records_its_rows_beside_what_its_columns_are_made_of(land, run):
    land(*LINES)
    result, instance = run(*MONTHS[::2], claim_links)
    assert result.success
    (record,) = instance.fetch_materializations(claim_links.asset.key, limit=10).records
    told = record.asset_materialization.metadata
    assert told["dagster/row_count"].value == told["rows_in"].value - told["rows_quarantined"].value
    assert {"fingerprint", "column_lineage"} <= told.keys()


def test_a_large_range_is_split_into_commits_and_holds_the_same(lake, land, run, monkeypatch):
    land(*LINES)
    run(*MONTHS[::2])
    whole = stored(lake)
    monkeypatch.setattr(reading, "ROWS_PER_CHUNK", 2)
    result, instance = run(*MONTHS[::2])
    assert result.success
    assert stored(lake) == whole
    assert len(DeltaTable(str(lake.path("bronze", "medical_claims"))).history()) == 1 + 3
    records = instance.fetch_materializations(medical_claims.asset.key, limit=3).records
    rows = {r.partition_key: r.asset_materialization.metadata["rows_in"].value for r in records}
    assert rows == {"2024-01": 1, "2024-02": 2, "2024-03": 1}
    assert "dagster/column_lineage" in records[0].asset_materialization.metadata


def test_one_month_leaves_the_others(lake, land, run):
    land(*LINES)
    run(*MONTHS[::2])
    land(("A", "2024-01", "9.00"), ("B", "2024-02", "8.00"))
    run("2024-02", "2024-02")
    assert stored(lake) == [("A", "2024-01", "1.00"), ("B", "2024-02", "8.00"), ("D", "2024-03", "4.00")]


def test_a_blocked_write_fails_records_its_checks_and_no_month_and_keeps_the_rows(lake, land, run):
    land(*LINES)
    run(*MONTHS[::2])
    land(*[(f"X{i}", "2024-01", "broken") for i in range(120)])
    result, instance = run("2024-01", "2024-01")
    assert not result.success
    (failure,) = [e for e in result.all_events if e.is_step_failure]
    said = failure.step_failure_data.user_failure_data.description
    assert said.startswith("bronze.medical_claims: 120 of 120 rows break the contract, more than 50%.")
    assert "stay as they were" in said
    checks = {c.check_name: c for c in result.get_asset_check_evaluations()}
    assert set(checks) == {"rows_keep_contract", "grain_is_unique", "nothing_is_lost"}
    assert checks["rows_keep_contract"].severity == dg.AssetCheckSeverity.ERROR
    assert not checks["rows_keep_contract"].passed
    assert stored(lake) == sorted(LINES)
    assert len(instance.fetch_materializations(medical_claims.asset.key, limit=10).records) == 3


@pytest.mark.requirement("R16")
def test_nothing_downstream_of_a_blocked_write_runs(lake, land, run):
    land(*[(f"X{i}", "2024-01", "broken") for i in range(120)])
    result, _ = run("2024-01", "2024-01", medical_claims, pharmacy_claims, claim_links, claim_versions)
    assert not result.success
    assert not lake.exists("silver", "claim_versions")


def test_a_table_before_its_inputs_says_what_to_build(run):
    result, _ = run("2024-01", "2024-01", claim_versions)
    (failure,) = [e for e in result.all_events if e.is_step_failure]
    error = failure.step_failure_data.error
    while error.cause:
        error = error.cause
    assert NeverWritten.__name__ in error.cls_name
    assert "has never been written: materialize it first" in error.message


def test_a_month_before_its_inputs_are_built_is_refused_and_not_taken_for_empty(lake, land, run):
    land(*LINES)
    assert run("2024-01", "2024-01", medical_claims, pharmacy_claims, claim_links, claim_versions)[0].success
    result, _ = run("2024-02", "2024-03", claim_versions)
    (failure,) = [e for e in result.all_events if e.is_step_failure]
    said = failure.step_failure_data.user_failure_data.description
    assert said.startswith(
        "silver.claim_versions of 2024-02 needs bronze.medical_claims of 2024-02 to 2024-03, never built"
    )
    assert lake.rows_by_month("silver", "claim_versions") == {"2024-01": 1}


def test_a_month_that_was_built_and_is_empty_is_no_gap(lake, land, run):
    land(LINES[0], LINES[3])
    assert run("2024-01", "2024-03", medical_claims, pharmacy_claims, claim_links)[0].success
    assert run("2024-02", "2024-03", claim_versions)[0].success


def test_a_lag_is_the_mapping_that_dagster_is_told():
    mapping = table_module._mapping(Window(1, lag=1), partitioned=True)
    assert isinstance(mapping, dg.TimeWindowPartitionMapping)
    assert (mapping.start_offset, mapping.end_offset) == (-1, -1)


def test_dagster_knows_the_months_that_a_lagged_table_reads():
    graph = build().resolve_asset_graph()
    keys = dg.AssetKey(["gold", "risk_training_rows"]), dg.AssetKey(["gold", "member_features"])
    asked = claim_months.subset_with_partition_keys(["2024-06"])
    found = graph.get_partition_mapping(*keys).get_upstream_mapped_partitions_result_for_partitions(
        asked, claim_months, claim_months
    )
    assert list(found.partitions_subset.get_partition_keys()) == ["2023-03"]


def test_contract_results_of_a_blocked_write_are_kept_and_say_it_was_not_committed(lake, land, run):
    land(*[(f"X{i}", "2024-01", "broken") for i in range(120)])
    run("2024-01", "2024-01")
    found = DeltaTable(str(lake.path("monitoring", "contract_results"))).to_pyarrow_dataset().to_table().to_pylist()
    (row,) = [r for r in found if r["rule"] == "paid_amount_is_readable"]
    assert (row["claim_month"], row["rows"], row["failed"], row["committed"]) == ("2024-01", 120, 120, False)
