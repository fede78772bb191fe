"""Tables without data: their logs say what was planned, and readers of the log read no more than they must."""

import pytest
from deltalake import DeltaTable

from bench.scale_sizes import FILE_BYTES, StateTable, measured, state
from bench.scale_tables import member, simulate
from claims_assets.contracts import compiled
from claims_assets.runtime.delta import rows_by_month
from claims_assets.silver.claim_versions import ClaimVersions

MONTHS = ["2025-10", "2025-11", "2025-12"]
TABLE = StateTable("silver.claim_versions", rows=1_000_001, bytes_per_row=2_000, months=3)


@pytest.fixture
def folder(tmp_path):
    return simulate(tmp_path, TABLE, compiled(ClaimVersions).spark_schema(), MONTHS)


def test_the_log_holds_every_row_and_every_byte_of_the_plan(folder):
    assert rows_by_month(folder) == dict.fromkeys(MONTHS, TABLE.rows)
    actions = DeltaTable(str(folder)).get_add_actions(flatten=True)
    assert len(actions) == 3 * TABLE.files and TABLE.files == 4
    assert sum(actions.column("size_bytes").to_pylist()) == pytest.approx(3 * TABLE.bytes, rel=1e-6)


def test_readers_open_it_by_its_checkpoint_alone(folder):
    for commit in (folder / "_delta_log").glob("*.json"):
        commit.unlink()
    assert rows_by_month(folder) == dict.fromkeys(MONTHS, TABLE.rows)


def test_a_month_and_a_member_are_found_in_few_files(folder):
    table = DeltaTable(str(folder))
    month = [("claim_month", "=", "2025-12")]
    assert len(table.file_uris(file_pruning_predicate=month)) == TABLE.files
    assert len(table.file_uris(file_pruning_predicate=[*month, ("member_id", "=", member(1_234_567))])) == 1


def test_a_state_has_as_many_lines_and_members_as_was_asked_for():
    planned = {t.name: t for t in state(measured(), members=1_000, lines_a_year=1_200_000, months=24)}
    claims = [planned[f"landing.{feed}_claims"].rows for feed in ("medical", "pharmacy")]
    assert sum(claims) == pytest.approx(100_000, abs=2)
    assert planned["silver.member_months"].rows == pytest.approx(1_000, abs=1)
    assert planned["bronze.claim_links"].rows == pytest.approx(measured()["bronze.claim_links"].rows * 2_400_000, abs=1)
    assert all(t.files == 1 or t.bytes / t.files < 1.5 * FILE_BYTES for t in planned.values())
