"""The Jobs API as far as one-time runs need it: submit, get, cancel, get-output; and the clusters the runs are on.

A run is one `spark_python_task` in a process of its own. States, messages and termination codes follow the real
service, because a launcher decides by them whether to try again.
"""

import itertools
import json
import re
import shutil
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from claims_assets_tests.workspace.cluster import Cold, Process, Warm, not_installable
from claims_assets_tests.workspace.dbfs import Dbfs
from claims_assets_tests.workspace.errors import ApiError, invalid
from claims_assets_tests.workspace.faults import Faults
from claims_assets_tests.workspace.identity import Identity
from claims_assets_tests.workspace.volumes import Volumes

FIRST_RUN = 1001
MOST_OUTPUT = 5_000
"""Characters of a run's log that are given back."""
PROJECT = ("claims_assets", "claims_assets_tests")
"""Packages that a task must bring along."""


@dataclass
class Run:
    """One submitted run."""

    run_id: int
    cluster_id: str
    asked: dict[str, Any]
    """The body of the submission."""
    folder: Path
    state: str = "PENDING"
    result: str | None = None
    message: str = "Waiting for cluster"
    code: str = ""
    """Why it ended; a termination code of the real service."""
    started: float = field(default_factory=time.time)
    ended: float = 0.0
    cancelled: threading.Event = field(default_factory=threading.Event)
    done: threading.Event = field(default_factory=threading.Event)
    process: Process | None = None

    @property
    def task(self) -> dict[str, Any]:
        return self.asked["tasks"][0]

    @property
    def packages(self) -> list[str]:
        """Wanted packages, of a cluster's libraries or of a serverless environment."""
        libraries = [x.get("pypi", {}).get("package", "") for x in self.task.get("libraries") or []]
        environments = self.asked.get("environments") or []
        return libraries + [p for e in environments for p in e["spec"].get("dependencies") or []]

    def finish(self, result: str, message: str, code: str, state: str = "TERMINATED") -> None:
        self.state, self.result, self.message, self.code, self.ended = state, result, message, code, time.time()
        self.done.set()

    def shown(self, url: str) -> dict[str, Any]:
        """As `jobs/runs/get` answers."""
        state: dict[str, Any] = {"life_cycle_state": self.state, "state_message": self.message}
        status: dict[str, Any] = {"state": self.state if self.state != "INTERNAL_ERROR" else "TERMINATED"}
        if self.result:
            state["result_state"] = self.result
            status["termination_details"] = {"code": self.code, "message": self.message}
        cluster = {"cluster_id": self.cluster_id}
        job = 500_000 + self.run_id
        return {
            "job_id": job,
            "run_id": self.run_id,
            "run_name": self.asked.get("run_name", "Untitled"),
            "run_type": "SUBMIT_RUN",
            "run_page_url": f"{url}/?o=0#job/{job}/run/{self.run_id}",
            "state": state,
            "status": status,
            "start_time": int(self.started * 1000),
            "end_time": int(self.ended * 1000),
            "cluster_instance": cluster,
            "tasks": [
                {"run_id": self.run_id, "task_key": self.task["task_key"], "state": state, "cluster_instance": cluster}
            ],
        }


class Runs:
    """All runs of a workspace."""

    def __init__(
        self,
        root: Path,
        dbfs: Dbfs,
        volumes: Volumes,
        identity: Identity,
        faults: Faults,
        starter: Cold | Warm,
        *,
        spark_conf: Mapping[str, str] | None = None,
    ):
        self.url = ""
        self.start_seconds = 0.0
        """How long a new cluster takes to start."""
        self.clusters = {"0101-120000-existing": {"state": "RUNNING"}}
        self.all: dict[int, Run] = {}
        self._root, self._dbfs, self._volumes = root, dbfs, volumes
        self._identity, self._faults = identity, faults
        self._starter, self._spark_conf = starter, spark_conf
        self._numbers = itertools.count(FIRST_RUN)
        self._tokens: dict[str, int] = {}
        self._lock = threading.Lock()

    def submit(self, body: dict[str, Any]) -> dict[str, Any]:
        tasks = body.get("tasks") or []
        if len(tasks) != 1 or "spark_python_task" not in tasks[0]:
            raise invalid("This workspace runs exactly one spark_python_task a run.")
        token = body.get("idempotency_token")
        if token and len(token) > 64:
            raise invalid("The idempotency token must have at most 64 characters.")
        with self._lock:
            if token in self._tokens:
                return {"run_id": self._tokens[token]}
            number = next(self._numbers)
            cluster = self._cluster_of(body, number)
            run = Run(number, cluster, body, self._root / "runs" / str(number))
            self.all[number] = run
            if token:
                self._tokens[token] = number
        threading.Thread(target=self._execute, args=(run,), daemon=True).start()
        return {"run_id": number}

    def _cluster_of(self, body: dict[str, Any], number: int) -> str:
        task = body["tasks"][0]
        if "environment_key" in task:
            if task["environment_key"] not in {e["environment_key"] for e in body.get("environments") or []}:
                raise invalid(f"Environment {task['environment_key']} is not defined.")
            return "serverless"
        existing = task.get("existing_cluster_id")
        if existing:
            if existing not in self.clusters:
                raise invalid(f"Cluster {existing} does not exist")
            return existing
        if not task.get("new_cluster"):
            raise invalid("One of job_cluster_key, new_cluster, or existing_cluster_id must be specified.")
        self.clusters[f"1121-{number:06d}-job"] = {"state": "PENDING", **task["new_cluster"]}
        return f"1121-{number:06d}-job"

    def get(self, body: dict[str, Any]) -> dict[str, Any]:
        return self._named(body).shown(self.url)

    def output(self, body: dict[str, Any]) -> dict[str, Any]:
        run = self._named(body)
        told = run.folder / "output"
        return {"metadata": run.shown(self.url), "logs": told.read_text(errors="replace")[-MOST_OUTPUT:]}

    def cancel(self, body: dict[str, Any]) -> dict[str, Any]:
        run = self._named(body)
        run.cancelled.set()
        if run.process:
            run.process.kill()
        return {}

    def cluster(self, body: dict[str, Any]) -> dict[str, Any]:
        found = self.clusters.get(body["cluster_id"])
        if found is None:
            raise invalid(f"Cluster {body['cluster_id']} does not exist")
        return {"cluster_id": body["cluster_id"], **found}

    def kill_clusters(self) -> None:
        """Every running task loses its cluster."""
        for run in list(self.all.values()):
            if run.process and not run.done.is_set():
                self._lose(run)

    def _named(self, body: dict[str, Any]) -> Run:
        run = self.all.get(int(body["run_id"]))
        if run is None:
            raise invalid(f"Run {body['run_id']} does not exist.")
        return run

    def _execute(self, run: Run) -> None:
        if run.cancelled.wait(self.start_seconds if "new_cluster" in run.task else 0):
            return run.finish("CANCELED", "Run cancelled.", "USER_CANCELED")
        lacking = not_installable(run.packages)
        if lacking:
            message = f'Library installation failed for library due to user error for pypi {{ package: "{lacking}" }}'
            return run.finish("FAILED", message, "LIBRARY_INSTALLATION_ERROR", "INTERNAL_ERROR")
        try:
            task = self._prepared(run)
        except ApiError as error:
            return run.finish("FAILED", error.message, "RESOURCE_NOT_FOUND", "INTERNAL_ERROR")
        cluster = run.task.get("new_cluster") or {}
        run.state, run.message = "RUNNING", "In run"
        run.process = self._starter.start(task, run.folder, cluster.get("spark_env_vars") or {})
        if run.cancelled.is_set():
            run.process.kill()
        self._watch(run, run.process)

    def _prepared(self, run: Run) -> Path:
        """The file that tells the process what to do; for its owner only, it holds the token of the run."""
        program = run.task["spark_python_task"]
        run.folder.mkdir(parents=True)
        rewritten = [re.sub(r"^/dbfs/+", f"{self._dbfs.root}/", p) for p in program.get("parameters") or []]
        task = {
            "script": str(self._program(program["python_file"])),
            "parameters": rewritten,
            "folder": str(run.folder),
            "dbfs": str(self._dbfs.root),
            "url": self.url,
            "token": self._identity.issue(run.asked.get("timeout_seconds") or 86_400),
            "spark_conf": {**(self._spark_conf or {}), **((run.task.get("new_cluster") or {}).get("spark_conf") or {})},
            "spark_first": self._spark_conf is not None,
            "uploaded_packages": PROJECT,
            "code": [str(run.folder), str(self._volumes.root)],
        }
        path = run.folder / "task.json"
        path.touch(mode=0o600)
        path.write_text(json.dumps(task))
        return path

    def _program(self, path: str) -> Path:
        """A program lies on DBFS, or is a workspace file."""
        return self._dbfs.existing(path) if path.startswith("dbfs:") else self._volumes.local(path)

    def _watch(self, run: Run, process: Process) -> None:
        death = self._faults.of_run("death")
        if death and not process.ended.wait(death.seconds):
            return self._lose(run)
        limit = run.asked.get("timeout_seconds") or None
        in_time = process.ended.wait(limit)
        if not in_time:
            process.kill()
            process.ended.wait()
        if run.done.is_set():
            return None
        if run.cancelled.is_set():
            return run.finish("CANCELED", "Run cancelled.", "USER_CANCELED")
        if not in_time:
            return run.finish("TIMEDOUT", f"Run timed out after {limit} seconds.", "CANCELED")
        if self._faults.of_run("no_events"):
            for path in self._step_folder(run).glob("*events.pkl"):
                path.unlink()
        if process.exit_code:
            message = "Workload failed, see run output for details"
            return run.finish("FAILED", message, "RUN_EXECUTION_ERROR", "INTERNAL_ERROR")
        return run.finish("SUCCESS", "", "SUCCESS")

    def _lose(self, run: Run) -> None:
        message = f"Cluster {run.cluster_id} was terminated during the run: the spot instance of the driver was lost."
        run.finish("FAILED", message, "CLUSTER_ERROR", "INTERNAL_ERROR")
        if run.process:
            run.process.kill()

    def _step_folder(self, run: Run) -> Path:
        return self._dbfs.existing(run.task["spark_python_task"]["python_file"]).parent

    def stop(self) -> None:
        """End every task and remove what they left."""
        for run in list(self.all.values()):
            run.cancelled.set()
            if run.process and not run.done.is_set():
                run.process.kill()
            run.done.wait(5)
        self._starter.stop()
        shutil.rmtree(self._root / "runs", ignore_errors=True)
