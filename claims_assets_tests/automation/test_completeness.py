"""Claim months that should be there: the rule over any months, and the check that runs no table."""

from datetime import UTC, date, datetime

import dagster as dg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claims_assets.automation.completeness import CHECK, GRACE_DAYS, completeness, expected_month, in_words
from claims_assets.definitions import build, tables
from claims_assets.layers import LAYERS
from claims_assets.partitions import add_months, months_between
from claims_assets.settings import settings_from_environment
from claims_assets_tests.automation import made

PARTITIONED = [t for t in tables() if t.partitioned]


@pytest.mark.parametrize(
    ("as_of", "grace", "month"),
    [
        (date(2024, 3, 5), 5, "2024-01"),  # February ended on the 1st of March at midnight: four days ago
        (date(2024, 3, 6), 5, "2024-02"),
        (date(2024, 3, 1), 0, "2024-02"),
        (date(2024, 1, 6), 5, "2023-12"),
        (date(2024, 3, 13), 13, "2024-01"),
        (date(2024, 3, 14), 13, "2024-02"),
    ],
)
def test_a_month_is_due_when_its_days_of_grace_are_over(as_of, grace, month):
    assert expected_month(as_of, grace) == month


def test_every_layer_with_partitioned_tables_has_its_days_of_grace_and_they_grow_along_the_flow():
    folders = {t.layer.folder for t in PARTITIONED}
    assert folders <= GRACE_DAYS.keys()
    days = [GRACE_DAYS[f] for f in LAYERS if f in folders]
    assert days == sorted(days)


@pytest.mark.parametrize(
    ("held", "state", "missing", "late"),
    [
        ([], "never built", (), ()),
        (["2024-01", "2024-02", "2024-03"], "complete", (), ()),
        (["2024-01", "2024-02", "2024-03", "2024-04"], "complete", (), ()),
        (["2024-01", "2024-03"], "gap", ("2024-02",), ()),
        (["2023-12", "2024-01"], "late", (), ("2024-02", "2024-03")),
        (["2023-11", "2024-01"], "gap", ("2023-12",), ("2024-02", "2024-03")),
    ],
)
def test_states_by_hand(held, state, missing, late):
    found = completeness(held, "2024-03")
    assert (found.state, found.missing, found.late) == (state, missing, late)


@settings(max_examples=300)
@given(st.sets(st.integers(0, 40), min_size=1), st.integers(0, 40))
def test_building_what_is_said_to_be_lacking_makes_a_table_complete(offsets, expected):
    held, due = {add_months("2022-01", n) for n in offsets}, add_months("2022-01", expected)
    found = completeness(held, due)
    lacking = {*found.missing, *found.late}
    assert not lacking & held
    assert completeness(held | lacking, due).state == "complete"
    assert all(completeness(held | (lacking - {m}), due).state != "complete" for m in lacking)


def test_long_lists_of_months_are_shortened():
    months = months_between("2022-01", "2023-12")
    assert in_words(months[:2]) == "2022-01, 2022-02"
    assert in_words(months) == "2022-01, 2022-02, 2022-03 ... 2023-12 (24 months)"


@pytest.fixture
def evaluated(lake, tmp_path):
    """Runs the job of the checks on the lake; asset -> its evaluation."""
    definitions = build(settings_from_environment({"CLAIMS_HOME": str(tmp_path)}), lake=lake)

    def run():
        with dg.instance_for_test() as instance:
            job = definitions.get_repository_def().get_job("check_claim_months")
            result = job.execute_in_process(instance=instance)
            assert result.success
            assert result.get_asset_materialization_events() == []
            return {e.asset_key.to_user_string(): e for e in result.get_asset_check_evaluations()}

    return run


def test_one_run_evaluates_every_partitioned_table_and_builds_none(evaluated, lake):
    newest = expected_month(datetime.now(UTC).date(), 0)
    whole = months_between(add_months(newest, -5), newest)
    made.built(lake, "bronze.medical_claims", whole)
    made.built(lake, "silver.medical_claims", [whole[0], *whole[2:]])
    made.built(lake, "gold.member_features", whole[:2])
    found = evaluated()
    assert found.keys() == {t.asset.key.to_user_string() for t in PARTITIONED}
    states = {name: e.metadata["state"].value for name, e in found.items()}
    assert states.pop("bronze/medical_claims") == "complete"
    assert states.pop("silver/medical_claims") == "gap"
    assert states.pop("gold/member_features") == "late"
    assert set(states.values()) == {"never built"}
    assert [name for name, e in found.items() if e.passed] == ["bronze/medical_claims"]
    assert found["silver/medical_claims"].metadata["missing months"].value == whole[1]
    assert all(e.severity == dg.AssetCheckSeverity.WARN for e in found.values())


def test_a_month_built_twice_does_not_hide_that_the_newest_is_lacking(evaluated, lake):
    made.built(lake, "bronze.medical_claims", ["2022-01", "2022-02"])
    made.built(lake, "bronze.medical_claims", ["2022-01", "2022-02"])
    assert evaluated()["bronze/medical_claims"].metadata["state"].value == "late"


@pytest.mark.parametrize(("environment", "status"), [("production", "RUNNING"), ("local", "STOPPED")])
def test_the_schedule_is_switched_on_from_the_start_in_production_only(tmp_path, environment, status):
    definitions = build(settings_from_environment({"CLAIMS_ENV": environment, "CLAIMS_HOME": str(tmp_path)}))
    schedule = definitions.get_repository_def().get_schedule_def("daily_claim_month_check")
    assert (schedule.default_status.value, schedule.job_name) == (status, "check_claim_months")


def test_there_is_one_such_check_for_each_partitioned_table():
    keys = [k for k in build().resolve_asset_graph().asset_check_keys if k.name == CHECK]
    assert {k.asset_key for k in keys} == {t.asset.key for t in PARTITIONED}
