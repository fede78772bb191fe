"""A step that runs in another process through Pipes leaves the tables, checks and metadata of a local one."""

import shutil

import dagster as dg
import pytest
from deltalake import DeltaTable

from claims_assets.automation.completeness import CHECK
from claims_assets.runtime.pipes import PipesCompute
from claims_assets_tests.pipes.conftest import FIRST, LAST, SIZES, home

CHAIN = ("landing/medical_claims", "landing/pharmacy_claims", "bronze/medical_claims", "bronze/claim_links")
NOT_COMPARED = {"dagster/data_version"}


@pytest.fixture(scope="module")
def both(landing, tmp_path_factory):
    """The same assets run in this process and elsewhere: (home, result) each."""
    folder = tmp_path_factory.mktemp("both")
    with dg.DagsterInstance.ephemeral() as one, dg.DagsterInstance.ephemeral() as other:
        here, there = home(folder / "here", landing, one), home(folder / "there", landing, other)
        yield (here, here.run(*CHAIN)), (there, there.run(*CHAIN, **there.elsewhere()))


def rows(home, table):
    read = DeltaTable(str(home.folder / "lake" / table)).to_pyarrow_dataset().to_table().to_pylist()
    return sorted(map(repr, read))


@pytest.mark.parametrize("table", CHAIN)
def test_a_table_is_that_of_a_local_run(both, table):
    (here, local), (there, remote) = both
    assert local.success and remote.success
    assert rows(there, table) == rows(here, table) != []


def recorded(home, table):
    records = home.instance.fetch_materializations(dg.AssetKey(table.split("/")), limit=100).records
    return {r.partition_key: {k: m.value for k, m in r.asset_materialization.metadata.items()} for r in records}


@pytest.mark.parametrize("table", CHAIN)
def test_each_month_records_what_a_local_run_records(both, table):
    (here, _), (there, _) = both
    assert recorded(there, table) == recorded(here, table) != {}


def test_the_check_results_are_those_of_a_local_run(both):
    found = [
        {
            (c.asset_key, c.check_name): (c.passed, c.severity, {k: m.value for k, m in c.metadata.items()})
            for c in result.get_asset_check_evaluations()
        }
        for _, result in both
    ]
    assert found[0] == found[1]
    of_steps = {"rows_keep_contract", "grain_is_unique", "nothing_is_lost"}
    assert {name for _, name in found[0]} == of_steps | {CHECK}  # claim months are looked at here, after both


def test_a_month_remembers_which_contents_it_was_built_from(both):
    (_, _), (there, _) = both
    record = there.instance.get_latest_data_version_record(dg.AssetKey(["bronze", "claim_links"]))
    tags = record.asset_materialization.tags
    assert "INITIAL" not in [v for k, v in tags.items() if k.startswith("dagster/input_data_version")]


def test_lines_of_the_step_arrive(both):
    _, (there, result) = both
    told = [e.user_message for e in there.instance.all_logs(result.run_id) if e.dagster_event is None]
    assert any("rows in," in line for line in told)


@pytest.mark.requirement("R16")
def test_a_blocked_write_fails_the_step_here_with_its_checks_and_keeps_the_old_rows(landing, instance, tmp_path):
    folder = shutil.copytree(landing, tmp_path / "landing") / "medical_claims"
    for file in folder.iterdir():
        file.unlink()
    header, day = "claim_id,member_id,claim_date,service_from_date,paid_amount\n", f"{FIRST}-05"
    (folder / "received-2024-03.csv").write_text(header + f"A,M1,{day},{day},1.00\n")
    there = home(tmp_path / "home", folder.parent, instance)
    assert there.run("landing/medical_claims", "bronze/medical_claims").success
    before = rows(there, "bronze/medical_claims")
    (folder / "received-2024-03.csv").write_text(header + "".join(f"X{i},M1,{day},{day},broken\n" for i in range(120)))
    assert there.run("landing/medical_claims").success
    result = there.run("bronze/medical_claims", months=(FIRST, FIRST), **there.elsewhere())
    assert not result.success
    (failure,) = [e for e in result.all_events if e.is_step_failure]
    said = failure.step_failure_data.user_failure_data.description
    assert said.startswith("bronze.medical_claims: 120 of 120 rows break the contract, more than 50%.")
    checks = {c.check_name: c for c in result.get_asset_check_evaluations()}
    assert not checks["rows_keep_contract"].passed
    assert checks["rows_keep_contract"].severity == dg.AssetCheckSeverity.ERROR
    assert rows(there, "bronze/medical_claims") == before
    assert not [e for e in result.all_events if e.is_step_materialization]


@pytest.mark.parametrize("asset", ["landing/medical_claims", "bronze/medical_claims", "models/high_cost_predictor"])
def test_a_process_that_ends_without_a_word_is_a_failure_and_no_month(landing, instance, tmp_path, asset):
    there = home(tmp_path / "home", landing, instance)
    client = dg.PipesSubprocessClient()
    silent = PipesCompute(lambda context, extras: client.run(context=context, extras=extras, command=["true"]))
    result = there.run(asset, **dict.fromkeys(SIZES, silent))
    (failure,) = [e for e in result.all_events if e.is_step_failure]
    assert "ended without saying how" in failure.step_failure_data.user_failure_data.description
    assert not [e for e in result.all_events if e.is_step_materialization]


def test_an_error_of_the_step_is_one_sentence_here(landing, instance, tmp_path):
    there = home(tmp_path / "home", landing, instance)
    result = there.run("bronze/claim_links", months=(FIRST, LAST), **there.elsewhere())
    (failure,) = [e for e in result.all_events if e.is_step_failure]
    assert "has never been written: materialize it first" in failure.step_failure_data.user_failure_data.description
