"""What the workspace refuses is one sentence with the setting and the remedy, before a cluster is started."""

import dagster as dg
import pytest

from claims_assets.runtime.databricks.launcher import ClusterLauncher
from claims_assets.runtime.databricks.launchers import run_config
from claims_assets.settings import settings_from_environment
from claims_assets.workspaces import SIGN_INS
from claims_assets_tests.databricks.conftest import CLIENT, CLIENT_SECRET, KEY, SCOPE
from claims_assets_tests.databricks.one_month import TOKEN

OAUTH = {"DATABRICKS_TOKEN": "", "DATABRICKS_CLIENT_ID": CLIENT, "DATABRICKS_CLIENT_SECRET": CLIENT_SECRET}
FROM_SCOPE = {"CLAIMS_SECRET_SCOPE": SCOPE, "CLAIMS_SECRETS": KEY}


@pytest.fixture
def launcher(workspace):
    """A launcher with these settings changed."""

    def build(**changes):
        environ = {
            "CLAIMS_COMPUTE": "databricks",
            "DATABRICKS_HOST": workspace.url,
            "DATABRICKS_TOKEN": TOKEN,
            "CLAIMS_CLUSTER_HOME": "/data/claims",
            **changes,
        }
        found = settings_from_environment(environ).workspace
        assert found
        names = SIGN_INS[found.sign_in]
        return ClusterLauncher(found, run_config(found, "small"), {n: environ[n] for n in names}, "/src")

    return build


def refused(launcher) -> str:
    with pytest.raises(dg.Failure) as told:
        launcher.connect()
    sentence = told.value.description or ""
    assert CLIENT_SECRET not in sentence
    assert "\n" not in sentence
    assert not told.value.allow_retries
    return sentence


def submissions(workspace) -> int:
    return sum(r.path.endswith("runs/submit") for r in workspace.requests)


@pytest.mark.parametrize("changes", [{}, OAUTH, FROM_SCOPE])
def test_right_settings_connect(launcher, changes):
    launcher(**changes).connect()


def test_an_address_where_nothing_answers(launcher):
    sentence = refused(launcher(DATABRICKS_HOST="http://127.0.0.1:9"))
    assert sentence.startswith("No workspace answers at http://127.0.0.1:9: check DATABRICKS_HOST")


def test_a_wrong_token(launcher, workspace):
    before = submissions(workspace)
    sentence = refused(launcher(DATABRICKS_TOKEN="dapi-wrong"))
    assert "refused to sign in: the token is wrong, expired or revoked; renew DATABRICKS_TOKEN" in sentence
    assert "dapi-wrong" not in sentence
    assert submissions(workspace) == before


def test_a_wrong_client_secret(launcher):
    sentence = refused(launcher(**{**OAUTH, "DATABRICKS_CLIENT_SECRET": "wrong"}))
    assert "refused to sign in: the client id or the secret is wrong" in sentence
    assert "renew DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET" in sentence


def test_an_expired_sign_in(launcher, workspace, monkeypatch):
    monkeypatch.setattr(workspace.identity, "lifetime", -1)
    assert "refused to sign in: the token has expired; renew DATABRICKS_CLIENT_ID" in refused(launcher(**OAUTH))


def test_a_missing_permission(launcher, workspace):
    workspace.denied["preview/scim/v2/Me"] = "User does not have workspace access."
    try:
        sentence = refused(launcher())
    finally:
        workspace.denied.clear()
    assert "does not permit this to the user signed in by DATABRICKS_TOKEN (User does not have workspace" in sentence
    assert sentence.endswith("have an administrator grant the permission.")


def test_a_missing_secret_scope(launcher):
    sentence = refused(launcher(**{**FROM_SCOPE, "CLAIMS_SECRET_SCOPE": "clams"}))
    assert sentence.startswith("The workspace has no secret scope 'clams': create it")
    assert "CLAIMS_SECRET_SCOPE" in sentence


def test_a_missing_secret(launcher):
    sentence = refused(launcher(**{**FROM_SCOPE, "CLAIMS_SECRETS": f"{KEY},OTHER"}))
    assert sentence.startswith("The secret scope 'claims' has no key OTHER: add it")
    assert "CLAIMS_SECRETS" in sentence


def test_a_scope_that_may_not_be_read(launcher, workspace):
    workspace.denied["secrets/list"] = "User does not have permission to read this secret scope."
    try:
        sentence = refused(launcher(**FROM_SCOPE))
    finally:
        workspace.denied.clear()
    assert sentence.startswith("The signed-in user may not read the secret scope 'claims': grant READ on it")


def test_azure_credentials_are_handed_on():
    found = settings_from_environment(
        {
            "CLAIMS_COMPUTE": "databricks",
            "DATABRICKS_HOST": "https://adb-1.2.azuredatabricks.net",
            "CLAIMS_CLUSTER_HOME": "/Volumes/a/b/c",
            "ARM_CLIENT_ID": "client",
            "ARM_CLIENT_SECRET": "secret",
            "ARM_TENANT_ID": "tenant",
        }
    ).workspace
    from claims_assets.runtime.databricks.launcher import credentials_of

    assert found and found.sign_in == "azure"
    given = credentials_of(found, {"ARM_CLIENT_ID": "a", "ARM_CLIENT_SECRET": "b", "ARM_TENANT_ID": "c"})
    assert given == {"azure_credentials": {"azure_client_id": "a", "azure_client_secret": "b", "azure_tenant_id": "c"}}
