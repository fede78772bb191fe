"""The local workspace answers Databricks' own library as the real service does, and really runs what is submitted."""

import io
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import (
    InternalError,
    InvalidParameterValue,
    NotFound,
    PermissionDenied,
    ResourceAlreadyExists,
    ResourceDoesNotExist,
)
from databricks.sdk.service.compute import ClusterSpec, Library, PythonPyPiLibrary
from databricks.sdk.service.jobs import RunResultState, SparkPythonTask, SubmitTask

from claims_assets_tests.workspace.server import Workspace, serving

TOKEN = "dapi-local"
MINUTE = timedelta(minutes=1)
NEW = ClusterSpec(spark_version="17.3.x-scala2.13", num_workers=1, spark_env_vars={"GIVEN": "yes"})


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    root = tmp_path_factory.mktemp("workspace")
    with serving(root, tokens=[TOKEN], clients={"me": "s"}, secrets={"claims": {"KEY": "value"}}) as workspace:
        yield workspace


@pytest.fixture(autouse=True)
def no_sign_in_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Databricks' library refuses two ways to sign in, and other tests of this process set theirs for long."""
    for name in ("DATABRICKS_HOST", "DATABRICKS_TOKEN"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def client(workspace) -> WorkspaceClient:
    return WorkspaceClient(host=workspace.url, token=TOKEN)


def submit(client: WorkspaceClient, program: str, *, parameters=(), task=None, **options):
    """Upload a program and submit it as a run."""
    client.dbfs.upload("/programs/main.py", io.BytesIO(program.encode()), overwrite=True)
    python = SparkPythonTask(python_file="dbfs:/programs/main.py", parameters=list(parameters))
    given = {"task_key": "only", "spark_python_task": python, "new_cluster": NEW} | (task or {})
    return client.jobs.submit(run_name="test", tasks=[SubmitTask(**given)], **options)


def finished(client: WorkspaceClient, number: int):
    """The run, once it has ended."""
    while True:
        run = client.jobs.get_run(number)
        if run.state and run.state.result_state:
            return run
        time.sleep(0.05)


def test_a_program_runs_in_a_process_of_its_own_with_the_clusters_globals(client, workspace):
    program = """
import os, sys
assert "PYTEST_CURRENT_TEST" not in os.environ
assert os.environ["GIVEN"] == "yes" and os.environ["DATABRICKS_RUNTIME_VERSION"]
dbutils.fs.put("/told.txt", " ".join([dbutils.secrets.get(scope="claims", key="KEY"), *sys.argv[1:]]), True)
print("pid", os.getpid())
"""
    run = finished(client, submit(client, program, parameters=["/dbfs/programs/main.py"]).run_id)
    assert run.state.result_state is RunResultState.SUCCESS, client.jobs.get_run_output(run.run_id).logs
    assert "pid" in (client.jobs.get_run_output(run.run_id).logs or "")
    told = (workspace.dbfs.root / "told.txt").read_text()
    assert told == f"value {workspace.dbfs.root}/programs/main.py"


def test_a_program_that_fails_is_a_failed_run_with_its_output(client):
    run = finished(client, submit(client, "raise SystemExit('no such file')").run_id)
    assert run.state.result_state is RunResultState.FAILED
    assert run.status.termination_details.code.value == "RUN_EXECUTION_ERROR"
    assert "no such file" in (client.jobs.get_run_output(run.run_id).logs or "")


def test_the_project_is_not_importable_unless_it_was_uploaded(client):
    run = finished(client, submit(client, "import claims_assets").run_id)
    assert "No module named 'claims_assets'" in (client.jobs.get_run_output(run.run_id).logs or "")


def test_a_missing_secret_is_told_as_databricks_does(client):
    run = finished(client, submit(client, "dbutils.secrets.get(scope='claims', key='NONE')").run_id)
    logs = client.jobs.get_run_output(run.run_id).logs or ""
    assert "Secret does not exist with scope: claims and key: NONE" in logs


def test_a_run_is_ended_after_its_timeout(client):
    run = finished(client, submit(client, "import time; time.sleep(60)", timeout_seconds=1).run_id)
    assert run.state.result_state is RunResultState.TIMEDOUT


def test_a_cancelled_run_is_ended(client):
    number = submit(client, "import time; time.sleep(60)").run_id
    client.jobs.cancel_run(number)
    assert finished(client, number).state.result_state is RunResultState.CANCELED


def test_a_killed_cluster_ends_its_runs(client, workspace):
    number = submit(client, "import time; time.sleep(60)").run_id
    while workspace.runs.all[number].process is None:
        time.sleep(0.02)
    client.api_client.do("POST", "/admin/kill-clusters")
    run = finished(client, number)
    assert run.status.termination_details.code.value == "CLUSTER_ERROR"
    assert "was terminated during the run" in (run.state.state_message or "")


def test_the_same_token_gives_the_same_run(client):
    first = submit(client, "pass", idempotency_token="once").run_id
    assert submit(client, "pass", idempotency_token="once").run_id == first
    finished(client, first)


def test_a_library_that_is_not_there_fails_the_run(client):
    library = Library(pypi=PythonPyPiLibrary(package="no-such-library==1.0"))
    run = finished(client, submit(client, "pass", task={"libraries": [library]}).run_id)
    assert run.status.termination_details.code.value == "LIBRARY_INSTALLATION_ERROR"


def test_an_unknown_cluster_is_refused(client):
    with pytest.raises(InvalidParameterValue, match="Cluster 0101-none does not exist"):
        submit(client, "pass", task={"existing_cluster_id": "0101-none", "new_cluster": None})


def test_files_are_kept_in_blocks_of_a_megabyte(client, workspace):
    content = bytes(range(256)) * 10_000
    client.dbfs.upload("/big/file", io.BytesIO(content))
    assert client.dbfs.download("/big/file").read() == content
    with pytest.raises(ResourceAlreadyExists):
        client.dbfs.create("/big/file")
    with pytest.raises(ResourceDoesNotExist, match="No file or directory exists on path /none"):
        client.dbfs.read("/none")
    client.dbfs.delete("/big", recursive=True)
    assert not (workspace.dbfs.root / "big").exists()


def test_no_path_leaves_the_folder(client):
    with pytest.raises(InvalidParameterValue):
        client.dbfs.read("/../../etc/passwd")


def test_wrong_and_expired_tokens_are_refused_as_by_databricks(workspace):
    with pytest.raises(PermissionDenied, match="Invalid access token"):
        WorkspaceClient(host=workspace.url, token="wrong").current_user.me()
    expired = workspace.identity.issue(-1)
    with pytest.raises(PermissionDenied, match="JWT has expired"):
        WorkspaceClient(host=workspace.url, token=expired).current_user.me()


def test_a_service_principal_signs_in(workspace):
    client = WorkspaceClient(host=workspace.url, client_id="me", client_secret="s")
    assert client.current_user.me().user_name == "local@example.org"


def test_scopes_are_listed_without_values(client):
    assert [s.name for s in client.secrets.list_scopes()] == ["claims"]
    assert [s.key for s in client.secrets.list_secrets("claims")] == ["KEY"]
    with pytest.raises(NotFound, match="Scope none does not exist!"):
        list(client.secrets.list_secrets("none"))


def test_a_fault_is_told_as_often_as_asked(client):
    client.api_client.do("POST", "/admin/faults", body={"path": "secrets/scopes/list", "status": 500, "times": 1})
    with pytest.raises(InternalError):
        list(client.secrets.list_scopes())
    assert list(client.secrets.list_scopes())


def test_an_unknown_call_is_told(client):
    with pytest.raises(NotFound, match="No API found for 'GET /sql/warehouses'"):
        client.api_client.do("GET", "/api/2.0/sql/warehouses")


def test_permissions_are_kept(client, workspace):
    client.api_client.do(
        "PATCH",
        "/api/2.0/permissions/jobs/7",
        body={"access_control_list": [{"group_name": "team", "permission_level": "CAN_VIEW"}]},
    )
    assert workspace.permissions.granted["jobs", "7"] == [{"group_name": "team", "permission_level": "CAN_VIEW"}]
