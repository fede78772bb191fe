"""The Dagster instance under CLAIMS_HOME, used by the console script and by the UI alike."""

import fcntl
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from claims_assets.cli.errors import NotDone
from claims_assets.settings import Settings

CHECKOUT = Path(__file__).resolve().parents[2]


def prepared_home(settings: Settings) -> Path:
    """CLAIMS_HOME/dagster with the instance's dagster.yaml in it; sets DAGSTER_HOME for this process and its own.

    Raises:
        NotDone: there is no such file.
    """
    home = settings.dagster_home
    source = settings.dagster_yaml or CHECKOUT / "dagster.yaml"
    if not source.exists():
        raise NotDone(f"There is no {source}: run `claims` from a checkout of the project, or set CLAIMS_DAGSTER_YAML.")
    home.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, home / "dagster.yaml")
    os.environ["DAGSTER_HOME"] = str(home)
    return home


@contextmanager
def alone(settings: Settings) -> Iterator[None]:
    """Hold CLAIMS_HOME for one run: two at once would stage the same files twice.

    Raises:
        NotDone: another run holds it.
    """
    settings.home.mkdir(parents=True, exist_ok=True)
    with (settings.home / "run.lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise NotDone(
                f"Another run is using {settings.home}: wait until it ends, or set another CLAIMS_HOME."
            ) from error
        yield


def instance_for(settings: Settings) -> dg.DagsterInstance:
    """The persistent instance of these settings."""
    prepared_home(settings)
    return dg.DagsterInstance.get()


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
        str(CHECKOUT / "workspace.yaml"),
        "--port",
        str(port),
    ]
    os.execv(command[0], command)
