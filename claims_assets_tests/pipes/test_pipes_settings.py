"""CLAIMS_COMPUTE=pipes: what it needs, what it sends, and that the graph does not change with it."""

import pytest

from claims_assets.definitions import build
from claims_assets.runtime.pipes import PipesCompute
from claims_assets.runtime.pipes_entry import environment
from claims_assets.runtime.pipes_workspace import compute
from claims_assets.settings import SettingError, Settings, settings_from_environment

PIPES = {
    "CLAIMS_COMPUTE": "pipes",
    "CLAIMS_PIPES_VOLUME": "/Volumes/main/claims/runs",
    "CLAIMS_PIPES_CODE": "/Workspace/claims/files",
    "CLAIMS_CLUSTER_HOME": "/Volumes/main/claims/home",
}


def settings(tmp_path, **more: str) -> Settings:
    return settings_from_environment({"CLAIMS_HOME": str(tmp_path)} | more)


def shape(definitions):
    graph = definitions.resolve_asset_graph()
    return {
        key: (
            graph.get(key).parent_keys,
            graph.get(key).group_name,
            definitions.resolve_assets_def(key).required_resource_keys,
        )
        for key in graph.materializable_asset_keys
    }


def test_the_graph_is_the_same_wherever_its_steps_run(tmp_path):
    here, there = build(settings(tmp_path)), build(settings(tmp_path, **PIPES))
    assert shape(here) == shape(there)
    assert all(
        isinstance(there.resources[s], PipesCompute) for s in ("small_compute", "medium_compute", "large_compute")
    )


@pytest.mark.parametrize("name", ["CLAIMS_PIPES_VOLUME", "CLAIMS_PIPES_CODE", "CLAIMS_CLUSTER_HOME"])
def test_a_missing_setting_is_named(tmp_path, name):
    with pytest.raises(SettingError, match=f"CLAIMS_COMPUTE=pipes needs {name}: set it to"):
        settings(tmp_path, **(PIPES | {name: ""}))


def test_secrets_go_by_name_and_get_their_values_where_the_step_runs(tmp_path):
    given = settings(
        tmp_path,
        **PIPES,
        CLAIMS_SECRET_SCOPE="claims",
        CLAIMS_SECRETS="CLAIMS_PROVIDERS_URL, MLFLOW_TRACKING_URI",
        MLFLOW_TRACKING_URI="https://user:s3cret@mlflow.example.org",
    )
    assert given.workspace is not None
    made = compute(given.workspace)
    assert "s3cret" not in repr((made.environment, made.secrets, given.workspace))
    sent = {"environment": dict(made.environment), "secrets": dict(made.secrets)}
    found = environment(sent, secret=lambda scope, key: f"value of {scope} {key}")
    assert found["CLAIMS_PROVIDERS_URL"] == "value of claims CLAIMS_PROVIDERS_URL"
    assert found["MLFLOW_TRACKING_URI"] == "value of claims MLFLOW_TRACKING_URI"
    assert found["CLAIMS_HOME"] == PIPES["CLAIMS_CLUSTER_HOME"]
    assert "CLAIMS_COMPUTE" not in found


def test_secrets_without_a_scope_are_refused(tmp_path):
    with pytest.raises(SettingError, match="CLAIMS_SECRETS is set without CLAIMS_SECRET_SCOPE"):
        settings(tmp_path, **PIPES, CLAIMS_SECRETS="CLAIMS_PROVIDERS_URL")
