"""Launchers are a matter of settings: the graph is the same everywhere, and no asset knows where it runs."""

import dagster as dg
import pytest
from dagster._core.remote_representation.external_data import RepositorySnap

from claims_assets.definitions import assets, build
from claims_assets.layers import LAYERS
from claims_assets.settings import settings_from_environment
from claims_assets_tests.test_workspaces import WORKSPACE

OAUTH = {"DATABRICKS_TOKEN": "", "DATABRICKS_CLIENT_ID": "client-s3cret", "DATABRICKS_CLIENT_SECRET": "s3cret"}
LAUNCHERS = {"small_compute", "medium_compute", "large_compute"}


def snapshot(**environ):
    definitions = build(settings_from_environment({"CLAIMS_HOME": "/data/claims", **environ}))
    return RepositorySnap.from_def(definitions.get_repository_def())


def test_the_graph_is_the_same_in_every_environment():
    here, there = snapshot(), snapshot(**WORKSPACE)
    for part in ("asset_nodes", "asset_check_nodes", "partition_sets", "sensors", "schedules"):
        assert dg.serialize_value(getattr(here, part)) == dg.serialize_value(getattr(there, part)), part


def test_every_asset_needs_the_one_launcher_of_its_layer():
    for asset in assets():
        if isinstance(asset, dg.AssetsDefinition) and asset.is_executable:
            group = next(iter(asset.group_names_by_key.values()))
            assert asset.required_resource_keys & LAUNCHERS == {LAYERS[group].launcher}, asset.key


def test_locally_a_launcher_is_nothing():
    definitions = build(settings_from_environment({"CLAIMS_HOME": "/data/claims"}))
    with dg.build_resources({k: definitions.resources[k] for k in LAUNCHERS}) as resources:
        assert {getattr(resources, key) for key in LAUNCHERS} == {None}


@pytest.mark.requirement("R35")
@pytest.mark.parametrize("credentials", [{"DATABRICKS_TOKEN": "dapi-s3cret"}, OAUTH])
def test_no_credential_reaches_the_ui(credentials):
    assert "s3cret" not in dg.serialize_value(snapshot(**{**WORKSPACE, **credentials}))
