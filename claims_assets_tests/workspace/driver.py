"""The Python process of one task: the globals that a Databricks driver gives, then the task's file as the main program.

Started as a script, by the interpreter of the cluster, with an environment of its own and a file that says what to do.
With `--warm` it imports what every task needs and forks itself for each line it reads: a cluster that is already up.
"""

import base64
import importlib
import importlib.abc
import importlib.machinery
import json
import os
import runpy
import select
import shutil
import sys
import traceback
import types
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

PRELOADED = (
    "dagster",
    "dagster_databricks",
    "dagster_pyspark",
    "dagster_databricks.databricks_step_main",
    "pandera.pandas",
    "pyspark.sql.functions",
    "pyspark.sql.connect.session",
    "pyarrow.parquet",
    "pyarrow.dataset",
    "pyarrow.compute",
    "pandas",
    "duckdb",
    "deltalake",
)
TICK = 0.02
"""Seconds between looks at finished children."""


class OnlyFromTheTask(importlib.abc.MetaPathFinder):
    """Packages of the project come out of the uploaded archive: never from the machine that plays the cluster."""

    def __init__(self, names: Sequence[str], folders: Sequence[str]):
        self.names, self.folders = names, folders

    def find_spec(self, fullname, path, target=None):
        if path is not None or fullname not in self.names:
            return None
        unpacked = [p for p in sys.path if any(Path(p).is_relative_to(f) for f in self.folders)]
        spec = importlib.machinery.PathFinder.find_spec(fullname, unpacked)
        if spec is None:
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)
        return spec


class Lazy:
    """Makes the object when it is first used: a task that needs no Spark does not wait for it."""

    def __init__(self, make: Callable[[], Any]):
        self.__dict__["_make"] = make

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_make"](), name)


class Secrets:
    """`dbutils.secrets`, asked from the workspace with the token of this run."""

    def __init__(self, url: str, token: str):
        self._url, self._token = url, token

    def get(self, scope: str, key: str) -> str:
        request = urllib.request.Request(
            f"{self._url}/api/2.0/secrets/get?scope={scope}&key={key}",
            headers={"Authorization": f"Bearer {self._token}"},
        )
        try:
            with urllib.request.urlopen(request) as answer:
                return base64.b64decode(json.load(answer)["value"]).decode()
        except urllib.error.HTTPError as error:
            told = json.load(error)["message"]
            raise ValueError(f"IllegalArgumentException: {told}") from None


class FileSystem:
    """`dbutils.fs` on the folder of DBFS: what small tasks use of it."""

    def __init__(self, root: Path):
        self._root = root

    def _local(self, path: str) -> Path:
        return self._root / path.removeprefix("dbfs:").lstrip("/")

    def ls(self, path: str) -> list[str]:
        return sorted(p.name for p in self._local(path).iterdir())

    def head(self, path: str, max_bytes: int = 65536) -> str:
        return self._local(path).read_bytes()[:max_bytes].decode()

    def put(self, path: str, contents: str, overwrite: bool = False) -> bool:
        mode = "w" if overwrite else "x"
        with self._local(path).open(mode) as file:
            file.write(contents)
        return True

    def mkdirs(self, path: str) -> bool:
        self._local(path).mkdir(parents=True, exist_ok=True)
        return True

    def rm(self, path: str, recurse: bool = False) -> bool:
        found = self._local(path)
        if found.is_dir() and recurse:
            shutil.rmtree(found)
        elif found.exists():
            found.unlink()
        return True


class DBUtils:
    """The two parts of `dbutils` that a step uses."""

    def __init__(self, task: dict[str, Any]):
        self.secrets = Secrets(task["url"], task["token"])
        self.fs = FileSystem(Path(task["dbfs"]))


def session(conf: dict[str, str]) -> Any:
    """The cluster's Spark session: classic, on this machine."""
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    for key, value in conf.items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


def runtime_of(given: dict[str, Any]) -> types.ModuleType:
    """The module of the runtime from which `databricks.sdk.runtime` takes `dbutils` and `spark`."""

    class UserNamespaceInitializer:
        @staticmethod
        def getOrCreate() -> "UserNamespaceInitializer":  # the runtime's own name
            return UserNamespaceInitializer()

        def get_namespace_globals(self) -> dict[str, Any]:
            return given

    module = types.ModuleType("dbruntime")
    module.UserNamespaceInitializer = UserNamespaceInitializer  # pyright: ignore[reportAttributeAccessIssue]
    return module


def run(task: dict[str, Any]) -> None:
    """Run the task's file in this process."""
    sys.meta_path.insert(0, OnlyFromTheTask(task["uploaded_packages"], task["code"]))
    given: dict[str, Any] = {
        "dbutils": DBUtils(task),
        "spark": Lazy(lambda: session(task["spark_conf"])),
        "sc": Lazy(lambda: session(task["spark_conf"]).sparkContext),
    }
    sys.modules["dbruntime"] = runtime_of(given)
    if task["spark_first"]:
        session(task["spark_conf"])
    sys.argv = [task["script"], *task["parameters"]]
    sys.path[0] = str(Path(task["script"]).parent)
    runpy.run_path(task["script"], init_globals=given, run_name="__main__")


def forked(order: dict[str, Any]) -> int:
    """Start a child that runs one task; its process id."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        os.setsid()
        output = os.open(order["output"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.environ.clear()
        os.environ.update(order["environment"])
        os.chdir(order["folder"])
        run(json.loads(Path(order["task"]).read_text()))
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 1
    except BaseException:  # noqa: BLE001  # the child reports whatever ended it by its exit code, as a new process would
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def serve() -> None:
    """Read orders from standard input, one JSON object a line; tell of starts and ends on standard output."""
    for name in PRELOADED:
        importlib.import_module(name)
    numbers: dict[int, int] = {}
    pending = b""
    while True:
        if select.select([0], [], [], TICK)[0]:
            read = os.read(0, 65536)
            if not read:
                return
            *lines, pending = (pending + read).split(b"\n")
            for line in lines:
                order = json.loads(line)
                child = forked(order)
                numbers[child] = order["number"]
                _tell({"number": order["number"], "started": child})
        while numbers:
            child, status = os.waitpid(-1, os.WNOHANG)
            if not child:
                break
            _tell({"number": numbers.pop(child), "ended": os.waitstatus_to_exitcode(status)})


def _tell(what: dict[str, Any]) -> None:
    os.write(1, json.dumps(what).encode() + b"\n")


if __name__ == "__main__":
    sys.path.pop(0)  # this folder: its modules must not hide those that a task means
    if sys.argv[1] == "--warm":
        sys.path.insert(0, "")
        serve()
    else:
        sys.path.insert(0, "")
        run(json.loads(Path(sys.argv[1]).read_text()))
