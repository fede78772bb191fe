"""What the workspace answers, as one sentence that names the setting and the remedy; never with a credential."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import dagster as dg
import requests
from databricks.sdk import errors  # noqa: TID253  # this module is loaded only where Databricks is used
from databricks.sdk.errors.base import DatabricksError  # noqa: TID253

from claims_assets.workspaces import SIGN_INS, Databricks

PATIENCE = 10
"""Seconds to wait for a first answer. Databricks' library tries a wrong address again for five minutes."""


@contextmanager
def explained(workspace: Databricks) -> Iterator[None]:
    """Turn errors of the service into a `dg.Failure` with one sentence.

    Raises:
        dg.Failure: the service refused; trying again would change nothing.
    """
    try:
        yield
    except DatabricksError as error:
        raise dg.Failure(_sentence(error, workspace), allow_retries=False) from error
    except ValueError as error:
        if not _is_refused_client(error):
            raise
        raise dg.Failure(_refused(workspace, "the client id or the secret is wrong"), allow_retries=False) from error


def check_host(workspace: Databricks) -> None:
    """Raise `dg.Failure` when nothing answers at the address."""
    try:
        requests.get(workspace.host, timeout=PATIENCE, allow_redirects=False)
    except requests.RequestException as error:
        raise dg.Failure(
            f"No workspace answers at {workspace.host}: check DATABRICKS_HOST, and the network or proxy to it.",
            allow_retries=False,
        ) from error


def check_secrets(workspace: Databricks, keys_of: Callable[[str], set[str]]) -> None:
    """Raise `dg.Failure` when the cluster would not find a secret: before a cluster is paid for."""
    scope = workspace.secret_scope
    if not scope or not workspace.secrets:
        return
    try:
        found = keys_of(scope)
    except errors.NotFound as error:
        raise dg.Failure(
            f"The workspace has no secret scope {scope!r}: create it (`databricks secrets create-scope {scope}`) or"
            " correct CLAIMS_SECRET_SCOPE.",
            allow_retries=False,
        ) from error
    except errors.PermissionDenied as error:
        if "scope" not in str(error).lower() and "secret" not in str(error).lower():
            raise
        raise dg.Failure(
            f"The signed-in user may not read the secret scope {scope!r}: grant READ on it, or correct"
            " CLAIMS_SECRET_SCOPE.",
            allow_retries=False,
        ) from error
    for name in workspace.secrets:
        if name not in found:
            raise dg.Failure(
                f"The secret scope {scope!r} has no key {name}: add it (`databricks secrets put-secret {scope} {name}`)"
                " or take it out of CLAIMS_SECRETS.",
                allow_retries=False,
            )


def _sentence(error: DatabricksError, workspace: Databricks) -> str:
    told = str(error).strip().rstrip(".")
    lower = told.lower()
    if "expired" in lower or "expiring" in lower:
        return _refused(workspace, "the token has expired")
    if isinstance(error, errors.Unauthenticated) or "invalid access token" in lower:
        return _refused(workspace, "the token is wrong, expired or revoked")
    if "dbfs root is disabled" in lower:
        return (
            f"{workspace.host} has no DBFS root, where the step launcher puts the code ({told}): have an administrator"
            " enable it, or use a workspace that has one."
        )
    if isinstance(error, errors.PermissionDenied):
        return (
            f"{workspace.host} does not permit this to the user signed in by {_variables(workspace)} ({told}): have an"
            " administrator grant the permission."
        )
    if workspace.existing_cluster and workspace.existing_cluster in told:
        return f"{workspace.host} refused CLAIMS_CLUSTER_ID={workspace.existing_cluster} ({told}): correct or unset it."
    return f"{workspace.host} answered: {told}. If it says nothing about a setting, try again later."


def _refused(workspace: Databricks, why: str) -> str:
    return f"{workspace.host} refused to sign in: {why}; renew {_variables(workspace)} and start the run again."


def _variables(workspace: Databricks) -> str:
    return " and ".join(n for n in SIGN_INS[workspace.sign_in] if n.endswith(("TOKEN", "CLIENT_ID", "SECRET")))


def _is_refused_client(error: ValueError) -> bool:
    """Databricks' library raises a plain ValueError when the token endpoint refuses a client."""
    trace = error.__traceback__
    while trace:
        if trace.tb_frame.f_globals.get("__name__", "").startswith("databricks.sdk"):
            return True
        trace = trace.tb_next
    return False
