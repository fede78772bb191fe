"""Dagster's own conditions: a re-built month asks for the months that read it, old ones too, and for no others."""

import dagster as dg
import pytest

from claims_assets.definitions import build
from claims_assets.partitions import claim_months, months_between
from claims_assets.settings import settings_from_environment

OLD = "2023-03"


@pytest.fixture(scope="module")
def definitions():
    return build(settings_from_environment({"CLAIMS_HOME": "/nowhere"}))


@pytest.fixture
def built(definitions):
    """`asked(key, month)`: what a materialization leads to, when every month of every asset was built before."""
    with dg.DagsterInstance.ephemeral() as instance:
        graph = definitions.resolve_asset_graph()
        for key in graph.materializable_asset_keys:
            months = claim_months.get_partition_keys() if graph.get(key).partitions_def else [None]
            for month in months:
                instance.report_runless_asset_event(dg.AssetMaterialization(key, partition=month))
        first = dg.evaluate_automation_conditions(definitions, instance)
        assert first.total_requested == 0

        def asked(key, month):
            instance.report_runless_asset_event(dg.AssetMaterialization(dg.AssetKey(key), partition=month))
            return dg.evaluate_automation_conditions(definitions, instance, cursor=first.cursor)

        yield asked


def test_an_old_bronze_month_asks_for_that_month_of_silver_and_a_year_of_features(built):
    found = built(["bronze", "medical_claims"], OLD)
    assert found.get_requested_partitions(dg.AssetKey(["silver", "claim_versions"])) == {OLD}
    assert found.get_requested_partitions(dg.AssetKey(["silver", "medical_claims"])) == {OLD}
    year = set(months_between(OLD, "2024-02"))
    assert found.get_requested_partitions(dg.AssetKey(["gold", "member_features"])) == year
    assert found.get_requested_partitions(dg.AssetKey(["models", "high_cost_predictor"])) == set()


@pytest.mark.parametrize("key", [["bronze", "claim_links"], ["bronze", "member_eligibility"], ["landing", "providers"]])
def test_an_unpartitioned_parent_asks_for_nothing(built, key):
    assert built(key, None).total_requested == 0


def test_a_model_asks_for_no_new_scores(built):
    assert built(["models", "high_cost_predictor"], OLD).total_requested == 0
