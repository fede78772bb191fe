"""A step on Databricks: dagster-databricks' step launcher, and what it lacks.

Beyond the original: errors in one sentence, before a cluster starts where possible; a new attempt when the cluster was
lost; patience with a service that stumbles; one run even if a submission is repeated; staged files are removed; a run
without its events is a failure. What can't be mended from here is in docs/databricks.md.
"""

import contextlib
import functools
import hashlib
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any, ParamSpec, TypeVar

import dagster as dg
from dagster._core.execution.context.system import StepExecutionContext
from dagster_databricks import DatabricksError as RunFailed
from dagster_databricks import DatabricksPySparkStepLauncher
from databricks.sdk import errors  # noqa: TID253  # this module is loaded only where Databricks is used
from databricks.sdk.errors.base import DatabricksError  # noqa: TID253
from databricks.sdk.service.jobs import Run, RunLifeCycleState  # noqa: TID253

from claims_assets.runtime.databricks.failures import check_host, check_secrets, explained
from claims_assets.runtime.databricks.launchers import permissions
from claims_assets.workspaces import Databricks

STAGING = "/dagster_staging"
PAUSES = (0.5, 1, 2, 4, 8)
"""Seconds before a call is repeated that failed on the service's side: in all about what a restart of it takes."""
OURS = {
    "RUN_EXECUTION_ERROR",
    "LIBRARY_INSTALLATION_ERROR",
    "INVALID_RUN_CONFIGURATION",
    "INVALID_CLUSTER_REQUEST",
    "UNAUTHORIZED_ERROR",
    "RESOURCE_NOT_FOUND",
    "FEATURE_DISABLED",
    "CANCELED",
    "USER_CANCELED",
}
"""Termination codes of runs that would end the same way again; with any other one the cluster was lost."""

P = ParamSpec("P")
T = TypeVar("T")

warnings.filterwarnings("ignore", "StepLauncher is superseded", category=dg.SupersessionWarning)


class ClusterLauncher(DatabricksPySparkStepLauncher):
    """Runs each step as one Databricks run; connects when the first step is launched."""

    def __init__(self, workspace: Databricks, run_config: dict[str, Any], credentials: dict[str, str], code: str):
        self.workspace, self.same_for_all = workspace, run_config
        self._credentials, self._code, self._connected = credentials, code, False

    def launch_step(self, step_context: StepExecutionContext) -> Iterator[dg.DagsterEvent]:
        self.connect()
        with explained(self.workspace):
            self.run_config = {**self.same_for_all, **_names(step_context)}
            try:
                yield from super().launch_step(step_context)
            finally:
                self._remove_staged(step_context)

    def connect(self) -> None:
        """Sign in, once, and check what would otherwise be found out on a cluster.

        Raises:
            dg.Failure: wrong host or credentials, or a secret that the cluster would not find.
        """
        if self._connected:
            return
        check_host(self.workspace)
        with explained(self.workspace):
            self._sign_in()
        self._connected = True

    def _sign_in(self) -> None:
        super().__init__(
            run_config=self.same_for_all,
            permissions=permissions(self.workspace),
            databricks_host=self.workspace.host,
            env_variables=self.workspace.variables(),
            secrets_to_env_variables=[
                {"name": name, "key": name, "scope": self.workspace.secret_scope} for name in self.workspace.secrets
            ],
            staging_prefix=STAGING,
            wait_for_logs=False,
            max_completion_wait_time_seconds=self.workspace.timeout,
            poll_interval_sec=self.workspace.poll,  # pyright: ignore[reportArgumentType]  # declared int, used as float
            local_dagster_job_package_path=self._code,
            verbose_logs=False,
            **credentials_of(self.workspace, self._credentials),
        )
        client = self.databricks_runner.client
        client.workspace_client.current_user.me()
        check_secrets(
            self.workspace, lambda scope: {s.key or "" for s in client.workspace_client.secrets.list_secrets(scope)}
        )
        jobs = client.workspace_client.jobs
        jobs.get_run = patient(jobs.get_run)
        client.read_file = patient(client.read_file)
        self.databricks_runner.submit_run = patient(self.databricks_runner.submit_run)

    def _upload_artifacts(self, *args: Any, **kwargs: Any) -> None:
        """Files are overwritten, so that all of it can be repeated."""
        patient(super()._upload_artifacts)(*args, **kwargs)

    def _grant_permissions(self, log: dg.DagsterLogManager, databricks_run_id: int, request_retries: int = 6) -> None:
        """A run whose permissions can't be set must not go on unseen."""
        try:
            super()._grant_permissions(log, databricks_run_id, request_retries)
        except BaseException:
            self.databricks_runner.client.workspace_client.jobs.cancel_run(databricks_run_id)
            raise

    def step_events_iterator(
        self, step_context: StepExecutionContext, step_key: str, databricks_run_id: int
    ) -> Iterator[dg.DagsterEvent]:
        """The events of the step as they come.

        Raises:
            dg.RetryRequested: the cluster was lost, and there are attempts left.
            dg.Failure: the run failed, or ended without telling how the step ended.
        """
        has_ended = False
        try:
            for event in super().step_events_iterator(step_context, step_key, databricks_run_id):
                has_ended = has_ended or event.is_step_success or event.is_step_failure or event.is_step_up_for_retry
                yield event
        except RunFailed as error:
            # A cluster that dies after the step told how it ended has done its work.
            if not has_ended:
                self._retry_or_fail(step_context, databricks_run_id, error)
            return
        if not has_ended:
            raise dg.Failure(
                f"Databricks run {databricks_run_id} of {step_key} succeeded, but its events are not on DBFS under"
                f" {STAGING}: nobody may clean that folder while steps run; materialize the step again, which replaces"
                " the same months.",
                allow_retries=False,
            )

    def _retry_or_fail(self, step_context: StepExecutionContext, databricks_run_id: int, error: RunFailed) -> None:
        run = self.databricks_runner.client.workspace_client.jobs.get_run(databricks_run_id)
        told = (run.state.state_message if run.state else None) or str(error)
        name, attempt = step_context.step.key, step_context.previous_attempt_count + 1
        if not _cluster_was_lost(run):
            raise dg.Failure(
                f"Databricks run {databricks_run_id} of {name} failed: {told} See {run.run_page_url}.",
                allow_retries=False,
            ) from error
        if attempt <= self.workspace.retries:
            step_context.log.warning(f"Databricks run {databricks_run_id} lost its cluster ({told}): trying again.")
            raise dg.RetryRequested(max_retries=self.workspace.retries) from error
        raise dg.Failure(
            f"{name} lost its cluster in {attempt} attempts, the last in Databricks run {databricks_run_id} ({told}):"
            " a commit is all or nothing, so materialize the step again, or raise CLAIMS_CLUSTER_RETRIES.",
            allow_retries=False,
        ) from error

    def log_compute_logs(self, log: dg.DagsterLogManager, run_id: str, step_key: str) -> None:
        """What the step printed; nothing where the cluster died before it could be kept."""
        for stream in ("stdout", "stderr"):
            try:
                printed = self.databricks_runner.client.read_file(self._dbfs_path(run_id, step_key, stream)).decode()
            except (DatabricksError, OSError):
                continue
            if printed.strip():
                log.info(f"{stream} of {step_key}:\n{printed}")

    def _remove_staged(self, step_context: StepExecutionContext) -> None:
        """The archive of the code, the pickled step and its events; the original leaves them for ever."""
        run_folder = f"{STAGING}/{step_context.run_id}"
        try:
            self._delete(f"{run_folder}/{self._sanitize_step_key(step_context.step.key)}", recursive=True)
        except (DatabricksError, OSError) as error:
            step_context.log.warning(f"{run_folder} could not be removed from DBFS ({error}): remove it by hand.")
            return
        with contextlib.suppress(DatabricksError):  # other steps of the run still have files there
            self._delete(run_folder, recursive=False)

    def _delete(self, path: str, *, recursive: bool) -> None:
        """One call; the library's own `delete` makes several and leaves empty folders."""
        api = self.databricks_runner.client.workspace_client.api_client
        api.do("POST", "/api/2.0/dbfs/delete", body={"path": path, "recursive": recursive})


def patient(call: Callable[P, T]) -> Callable[P, T]:
    """Repeat a call that failed on the side of the service; all calls given here may be carried out twice."""

    @functools.wraps(call)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> T:
        for pause in PAUSES:
            try:
                return call(*args, **kwargs)
            except (errors.InternalError, errors.TemporarilyUnavailable, errors.DeadlineExceeded):
                time.sleep(pause)
        return call(*args, **kwargs)

    return wrapped


def _names(step_context: StepExecutionContext) -> dict[str, str]:
    """A name to find the run by, and a token by which a repeated submission gives the run that it made before."""
    key, attempt = step_context.step.key, step_context.previous_attempt_count
    identity = f"{step_context.run_id}/{key}/{attempt}"
    return {
        "run_name": f"claims_assets {key} ({step_context.run_id[:8]}, attempt {attempt + 1})",
        "idempotency_token": hashlib.sha256(identity.encode()).hexdigest(),
    }


def credentials_of(workspace: Databricks, credentials: dict[str, str]) -> dict[str, Any]:
    """The arguments of the original for the one way to sign in that is set."""
    if workspace.sign_in == "token":
        return {"databricks_token": credentials["DATABRICKS_TOKEN"]}
    if workspace.sign_in == "oauth":
        names = {"client_id": "DATABRICKS_CLIENT_ID", "client_secret": "DATABRICKS_CLIENT_SECRET"}
        return {"oauth_credentials": {key: credentials[name] for key, name in names.items()}}
    names = {
        "azure_client_id": "ARM_CLIENT_ID",
        "azure_client_secret": "ARM_CLIENT_SECRET",
        "azure_tenant_id": "ARM_TENANT_ID",
    }
    return {"azure_credentials": {key: credentials[name] for key, name in names.items()}}


def _cluster_was_lost(run: Run) -> bool:
    """Whether the run ended through no fault of the step."""
    details = run.status.termination_details if run.status else None
    code = details.code.value if details and details.code else None
    if code:
        return code not in OURS
    return bool(run.state and run.state.life_cycle_state is RunLifeCycleState.INTERNAL_ERROR)
