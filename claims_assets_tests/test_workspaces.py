"""Settings of the workspace: nothing by default, and one clear sentence for each that can't be used."""

import pytest

from claims_assets.settings import SettingError, settings_from_environment

WORKSPACE = {
    "CLAIMS_COMPUTE": "databricks",
    "DATABRICKS_HOST": "https://plan.cloud.databricks.com",
    "DATABRICKS_TOKEN": "dapi-secret",
    "CLAIMS_CLUSTER_HOME": "/Volumes/main/claims/lake",
}


def read(**changes):
    return settings_from_environment({**WORKSPACE, **changes})


def test_steps_run_here_unless_asked_otherwise():
    assert settings_from_environment({}).workspace is None
    assert read(CLAIMS_COMPUTE="").workspace is None, "host and token alone send nothing anywhere"


def test_four_variables_are_enough():
    found = read().workspace
    assert (found.host, found.sign_in, found.home) == (
        "https://plan.cloud.databricks.com",
        "token",
        "/Volumes/main/claims/lake",
    )
    assert found.tracking_uri == "databricks", "a volume can't hold the SQLite file of a laptop's registry"


def test_a_step_registers_its_models_where_this_machine_would():
    in_unity_catalog = {
        "MLFLOW_TRACKING_URI": "databricks",
        "MLFLOW_REGISTRY_URI": "databricks-uc",
        "CLAIMS_CATALOG": "claims_dev",
    }
    assert in_unity_catalog.items() <= read(**in_unity_catalog).workspace.variables().items()


@pytest.mark.parametrize("text", ["plan.cloud.databricks.com", "https://plan.cloud.databricks.com/?o=12#job/list"])
def test_the_address_may_come_from_the_browser(text):
    assert read(DATABRICKS_HOST=text).workspace.host == "https://plan.cloud.databricks.com"


def test_no_credential_is_held():
    assert "dapi-secret" not in repr(read())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"CLAIMS_COMPUTE": "cloud"}, "CLAIMS_COMPUTE='cloud' is not one of local, databricks, pipes"),
        ({"DATABRICKS_HOST": ""}, "needs DATABRICKS_HOST: set it to the workspace's address"),
        ({"DATABRICKS_HOST": "//"}, "is no address: write https://"),
        ({"CLAIMS_CLUSTER_HOME": ""}, "needs CLAIMS_CLUSTER_HOME: set it to the folder of the lake"),
        ({"DATABRICKS_TOKEN": ""}, "needs credentials: set DATABRICKS_TOKEN, or DATABRICKS_CLIENT_ID and"),
        ({"DATABRICKS_CLIENT_ID": "me"}, "DATABRICKS_TOKEN and DATABRICKS_CLIENT_ID are set at once: keep one"),
        ({"DATABRICKS_TOKEN": "", "ARM_CLIENT_ID": "me"}, "ARM_CLIENT_SECRET is not set: to sign in, ARM_CLIENT_ID"),
        ({"CLAIMS_SECRETS": "A"}, "CLAIMS_SECRETS is set without CLAIMS_SECRET_SCOPE: name the Databricks scope"),
        ({"CLAIMS_CLUSTER_TAGS": "team"}, "is no list of tags: write key=value"),
        ({"CLAIMS_RUN_TIMEOUT": "long"}, "CLAIMS_RUN_TIMEOUT='long' is not a number of at least 1"),
        ({"CLAIMS_POLL_SECONDS": "0"}, "CLAIMS_POLL_SECONDS='0' is not a number of at least 0.05"),
        (
            {"MLFLOW_TRACKING_URI": "https://u:p@ml.example.org"},
            "holds a password.*add MLFLOW_TRACKING_URI to CLAIMS_S",
        ),
    ],
)
def test_a_setting_that_cannot_be_used_names_itself_and_the_remedy(changes, message):
    with pytest.raises(SettingError, match=message) as told:
        read(**changes)
    assert "dapi-secret" not in str(told.value)


def test_a_tracking_server_with_a_password_is_taken_from_the_scope():
    found = read(
        MLFLOW_TRACKING_URI="https://u:p@ml.example.org",
        CLAIMS_SECRET_SCOPE="claims",
        CLAIMS_SECRETS="MLFLOW_TRACKING_URI, CLAIMS_PROVIDERS_URL",
    ).workspace
    assert found.secrets == ("MLFLOW_TRACKING_URI", "CLAIMS_PROVIDERS_URL")
    assert found.tracking_uri is None


def test_how_claim_files_are_found_is_told_to_the_cluster_alone():
    given = read(CLAIMS_INGESTION="autoloader")
    assert given.workspace.variables()["CLAIMS_INGESTION"] == "autoloader"
    assert "CLAIMS_INGESTION" not in read().workspace.variables()
    with pytest.raises(SettingError, match="'kafka' is not one of embedded"):
        read(CLAIMS_INGESTION="kafka")
