"""The Dagster instance under CLAIMS_HOME, used by the console script and by the UI alike.

A CLAIMS_HOME in a Unity Catalog volume is a cluster's: SQLite and locks don't work there, so the instance is in the
cluster's temporary folder and ends with it. What is up to date is told by the lake, not by the instance.
"""

import fcntl
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

import claims_assets
from claims_assets.cli.errors import NotDone
from claims_assets.settings import Settings

PACKAGE = Path(claims_assets.__file__).parent
"""It holds dagster.yaml and workspace.yaml, because a cluster has only it; those in the checkout's root are links."""


def state_of(settings: Settings) -> Path:
    """Folder for files that are written in place: CLAIMS_HOME, or on a cluster a folder of its own disk."""
    return Path(tempfile.gettempdir()) / "claims_assets" if settings.on_volume else settings.home


def prepared_home(settings: Settings) -> Path:
    """The instance's folder with its dagster.yaml in it; sets DAGSTER_HOME for this process and its own.

    Raises:
        NotDone: the settings name a file that is not there.
    """
    source = settings.dagster_yaml or PACKAGE / "dagster.yaml"
    if not source.exists():
        raise NotDone(f"There is no {source}: set CLAIMS_DAGSTER_YAML to a file of yours, or leave it unset.")
    home = state_of(settings) / settings.dagster_home.name
    home.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, home / "dagster.yaml")
    os.environ["DAGSTER_HOME"] = str(home)
    return home


@contextmanager
def alone(settings: Settings) -> Iterator[None]:
    """Hold CLAIMS_HOME for one run: two at once would stage the same files twice.

    On a volume it holds the cluster alone; there a job's queue keeps runs apart.

    Raises:
        NotDone: another run holds it.
    """
    folder = state_of(settings)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "run.lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise NotDone(
                f"Another run is using {settings.home}: wait until it ends, or set another CLAIMS_HOME."
            ) from error
        yield


def instance_for(settings: Settings) -> dg.DagsterInstance:
    """The persistent instance of these settings.

    Raises:
        NotDone: another process holds its files for longer than SQLite waits.
    """
    from sqlalchemy.exc import OperationalError

    home = prepared_home(settings)
    try:
        return dg.DagsterInstance.get()
    except OperationalError as error:
        if "database is locked" not in str(error.orig):
            raise
        raise NotDone(
            f"Another process holds Dagster's records in {home}, and does not go on: look for a run that hangs, end it "
            "and try again."
        ) from error


def serve(settings: Settings, port: int) -> None:
    """Replace this process by `dagster dev` on the instance of these settings."""
    with instance_for(settings):
        pass  # two processes that open a fresh instance at once would both create its tables
    os.environ["CLAIMS_HOME"] = str(settings.home)
    command = [
        sys.executable,
        "-W",
        "ignore:Function `dev_command` is superseded",  # by `dg dev`, which wants a project folder to stand in
        "-m",
        "dagster",
        "dev",
        "--workspace",
        str(PACKAGE / "workspace.yaml"),
        "--port",
        str(port),
    ]
    os.execv(command[0], command)
