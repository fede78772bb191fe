"""What plays the clusters: starts the process of a task with a clean environment, and stops it.

A cold cluster starts a new interpreter for each task; a warm one forks a process that has imported the libraries
already, as a cluster that is up answers faster than one that starts.
"""

import contextlib
import importlib.metadata
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DRIVER = Path(__file__).with_name("driver.py")
RUNTIME = "17.3"


@dataclass
class Process:
    """A running task."""

    pid: int = 0
    ended: threading.Event = field(default_factory=threading.Event)
    began: threading.Event = field(default_factory=threading.Event)
    exit_code: int | None = None

    def kill(self) -> None:
        """End the task and all its children."""
        self.began.wait()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def end(self, exit_code: int) -> None:
        self.exit_code = exit_code
        self.ended.set()


def environment(folder: Path, extra: dict[str, Any]) -> dict[str, str]:
    """Nothing of the machine that plays the cluster but where its programs are, and what the cluster defines."""
    kept = {k: os.environ[k] for k in ("PATH", "JAVA_HOME") if k in os.environ}
    return {
        **kept,
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "LANG": "C.UTF-8",
        "DATABRICKS_RUNTIME_VERSION": RUNTIME,
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PYTHONUNBUFFERED": "1",
        **{k: str(v) for k, v in extra.items()},
    }


def not_installable(packages: list[str]) -> str | None:
    """The first wanted PyPI library that this machine does not have in just that version; None if it has all."""
    for wanted in packages:
        name, _, version = wanted.partition("==")
        try:
            if importlib.metadata.version(name.split("[")[0]) != version:
                return wanted
        except importlib.metadata.PackageNotFoundError:
            return wanted
    return None


class Cold:
    """A new interpreter for each task."""

    def start(self, task: Path, folder: Path, extra: dict[str, Any]) -> Process:
        process = Process()
        with (folder / "output").open("ab") as output:
            child = subprocess.Popen(
                [sys.executable, str(DRIVER), str(task)],
                env=environment(folder, extra),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        process.pid = child.pid
        process.began.set()
        threading.Thread(target=lambda: process.end(child.wait()), daemon=True).start()
        return process

    def stop(self) -> None:
        """Nothing waits between tasks."""


class Warm:
    """One process that forks itself for each task."""

    def __init__(self, folder: Path):
        folder.mkdir(parents=True, exist_ok=True)
        self._numbers = itertools.count()
        self._processes: dict[int, Process] = {}
        self._lock = threading.Lock()
        self._parent = subprocess.Popen(
            [sys.executable, str(DRIVER), "--warm"],
            env=environment(folder, {}),
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        threading.Thread(target=self._listen, daemon=True).start()

    def start(self, task: Path, folder: Path, extra: dict[str, Any]) -> Process:
        process, number = Process(), next(self._numbers)
        order = {
            "number": number,
            "task": str(task),
            "folder": str(folder),
            "output": str(folder / "output"),
            "environment": environment(folder, extra),
        }
        with self._lock:
            self._processes[number] = process
            assert self._parent.stdin
            self._parent.stdin.write(json.dumps(order) + "\n")
            self._parent.stdin.flush()
        return process

    def _listen(self) -> None:
        assert self._parent.stdout
        for line in self._parent.stdout:
            told = json.loads(line)
            process = self._processes[told["number"]]
            if "started" in told:
                process.pid = told["started"]
                process.began.set()
            else:
                process.end(told["ended"])

    def stop(self) -> None:
        """End the waiting process."""
        assert self._parent.stdin and self._parent.stdout
        self._parent.stdin.close()
        self._parent.wait()
        self._parent.stdout.close()
