"""Clusters: each size is what the requirements state, and dagster-databricks accepts the whole configuration."""

import pytest
from dagster._config import validate_config
from dagster_databricks import databricks_pyspark_step_launcher
from dagster_databricks.configs import _define_azure_attributes_conf
from databricks.sdk.service.compute import AzureAttributes, AzureAvailability

from claims_assets.runtime.databricks.clusters import RUNTIME_VERSION, SIZES, cluster
from claims_assets.runtime.databricks.launchers import permissions, run_config
from claims_assets.settings import SettingError
from claims_assets_tests.test_workspaces import read


def new(size="small", **changes):
    return cluster(read(**changes).workspace, size)["new"]


@pytest.mark.parametrize(
    ("size", "workers", "worker", "driver"),
    [
        ("small", (2, 4), "i3.xlarge", "i3.xlarge"),
        ("medium", (4, 8), "i3.xlarge", "i3.2xlarge"),
        ("large", (4, 8), "i3.2xlarge", "i3.2xlarge"),
    ],
)
def test_a_size_is_the_requirements_cluster(size, workers, worker, driver):
    made = new(size)
    assert made["size"]["autoscale"] == {"min_workers": workers[0], "max_workers": workers[1]}
    assert made["nodes"]["node_types"] == {"node_type_id": worker, "driver_node_type_id": driver}
    assert made["aws_attributes"]["availability"] == "SPOT_WITH_FALLBACK"
    assert made["aws_attributes"]["first_on_demand"] == 1, "the driver is never a spot machine"
    assert made["spark_conf"]["spark.databricks.io.cache.enabled"] == "true"
    assert made["spark_version"] == RUNTIME_VERSION


def test_azure_has_machines_of_its_own():
    made = new("medium", DATABRICKS_HOST="https://adb-1.2.azuredatabricks.net")
    assert made["nodes"]["node_types"] == {"node_type_id": "Standard_L4s", "driver_node_type_id": "Standard_L8s"}
    assert made["azure_attributes"]["availability"] == "SPOT_WITH_FALLBACK_AZURE"
    assert "aws_attributes" not in made


def test_a_pool_states_machines_and_prices_itself():
    made = new(CLAIMS_CLUSTER_POOL="pool-1")
    assert made["nodes"] == {"instance_pool_id": "pool-1"}
    assert "aws_attributes" not in made


def test_tags_of_the_settings_are_added():
    tags = {t["key"]: t["value"] for t in new(CLAIMS_CLUSTER_TAGS="team=claims,cost_center=42")["custom_tags"]}
    assert tags == {"project": "claims_assets", "compute": "small", "team": "claims", "cost_center": "42"}


def test_an_existing_cluster_takes_all_sizes():
    found = read(CLAIMS_CLUSTER_ID="0101-1").workspace
    assert {size: cluster(found, size) for size in SIZES} == {s: {"existing": "0101-1"} for s in SIZES}


def test_google_cloud_is_told_what_is_missing():
    with pytest.raises(SettingError, match="Google Cloud, for which no machine types are stated: give CLAIMS_CLUSTER"):
        new(DATABRICKS_HOST="https://1.2.gcp.databricks.com")


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"CLAIMS_CLUSTER_ID": "0101-1"},
        {"CLAIMS_CLUSTER_POOL": "pool-1"},
        {"CLAIMS_RUN_MANAGERS": "claims-team"},
        {"CLAIMS_RUN_MANAGERS": "claims-team", "CLAIMS_CLUSTER_ID": "0101-1"},
    ],
)
@pytest.mark.parametrize("size", SIZES)
def test_dagster_databricks_accepts_the_configuration(changes, size):
    workspace = read(**changes).workspace
    given = {
        "run_config": run_config(workspace, size),
        "permissions": permissions(workspace),
        "databricks_host": workspace.host,
        "env_variables": workspace.variables(),
        "secrets_to_env_variables": [],
        "local_dagster_job_package_path": "/src",
    }
    checked = validate_config(databricks_pyspark_step_launcher.config_schema.config_type, given)
    assert checked.success, checked.errors


def test_spot_machines_of_azure_are_known_to_the_service_but_not_to_dagster_databricks():
    """Why the launcher is built directly: the schema of its resource has the prices of pools in place of clusters'."""
    made = new(DATABRICKS_HOST="https://adb-1.2.azuredatabricks.net")["azure_attributes"]
    assert AzureAttributes.from_dict(made).availability is AzureAvailability.SPOT_WITH_FALLBACK_AZURE
    field = _define_azure_attributes_conf().config_type.fields["availability"]
    in_schema = {value.config_value for value in field.config_type.enum_values}
    assert "SPOT_WITH_FALLBACK_AZURE" not in in_schema


def test_a_cluster_of_the_workspace_keeps_its_own_permissions():
    granted = permissions(read(CLAIMS_RUN_MANAGERS="team", CLAIMS_CLUSTER_ID="0101-1").workspace)
    assert granted == {"job_permissions": {"CAN_MANAGE_RUN": [{"group_name": "team"}]}}


def test_the_service_ends_a_run_that_nobody_waits_for():
    assert run_config(read(CLAIMS_RUN_TIMEOUT="600").workspace, "small")["timeout_seconds"] == 600


@pytest.mark.requirement("R35")
def test_no_secret_is_among_the_variables_of_the_cluster():
    given = read(CLAIMS_CATALOG="main", CLAIMS_PROVIDERS_URL="postgresql://u:p@h/d").workspace.variables()
    assert given == {
        "CLAIMS_ENV": "local",
        "CLAIMS_HOME": "/Volumes/main/claims/lake",
        "CLAIMS_CATALOG": "main",
        "CLAIMS_START_MONTH": "2022-01",
        "MLFLOW_TRACKING_URI": "databricks",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DAGSTER_DISABLE_TELEMETRY": "true",
        "MOUNT_ALLOW_UNSAFE_RENAME": "true",
    }
    assert "CLAIMS_COMPUTE" not in given, "a step must not launch itself again"
