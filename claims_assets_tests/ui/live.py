"""`claims ui` in processes of its own, and what may be asked of it over GraphQL.

Nothing waits for a fixed time: whatever takes time is polled, with a limit that a crowded machine keeps too.
"""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from claims_assets.automation.completeness import CHECK
from claims_assets.runtime.postgres import EmbeddedPostgres
from claims_assets_tests.console import claims

Found = TypeVar("Found")

PATIENCE = 900
"""Seconds: the daemon looks at backfills every thirty, and other programs may want the cores too."""
FINAL_RUN = {"SUCCESS", "FAILURE", "CANCELED"}
FINAL_BACKFILL = {"COMPLETED", "COMPLETED_SUCCESS", "COMPLETED_FAILED", "CANCELED", "FAILED"}
IN_PROGRESS = {"STARTING", "STARTED", "CANCELING"}
SELECTOR = {"repositoryLocationName": "claims_assets", "repositoryName": "__repository__"}
JOB = {**SELECTOR, "pipelineName": "__ASSET_JOB"}

LAUNCH_BACKFILL = """mutation($p: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $p) {
  __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""
RESUME = """mutation($p: ReexecutionParams!) { reexecutePartitionBackfill(reexecutionParams: $p) {
  __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""
CANCEL = "mutation($id: String!) { cancelPartitionBackfill(backfillId: $id) { __typename } }"
LAUNCH_RUN = """mutation($p: ExecutionParams!) { launchRun(executionParams: $p) {
  __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }"""
RUNS = """query($filter: RunsFilter) { runsOrError(filter: $filter) { ... on Runs { results {
  runId status assetSelection { path } tags { key value }
  stats { ... on RunStatsSnapshot { stepsSucceeded } } } } } }"""
BACKFILL = """query($id: String!) { partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill {
  status error { message } } } }"""
BACKFILLS = "{ partitionBackfillsOrError { ... on PartitionBackfills { results { id } } } }"
STALE = "{ assetNodes { assetKey { path } staleStatus } }"
LINEAGE = """query($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) { ... on AssetNode {
  assetMaterializations(limit: 1) { metadataEntries { ... on TableColumnLineageMetadataEntry {
    lineage { columnName columnDeps { assetKey { path } columnName } } } } } } } }"""
ENGINE_EVENTS = """query($id: ID!) { logsForRun(runId: $id) { ... on EventConnection { events {
  ... on EngineEvent { metadataEntries { label ... on TextMetadataEntry { text } } } } } } }"""
CHECKS = """{ assetNodes { assetKey { path } assetChecksOrError { ... on AssetChecks { checks {
  name executionForLatestMaterialization { status } } } } } }"""
NODES = "{ assetNodes { assetKey { path } isMaterializable isPartitioned } }"
MONTHS = """query($key: AssetKeyInput!) { assetOrError(assetKey: $key) { ... on Asset { definition {
  assetPartitionStatuses { ... on TimePartitionStatuses { ranges { startKey endKey status } } } } } } }"""


def until(what: str, look: Callable[[], Found | None], patience: float = PATIENCE) -> Found:
    """The first answer of `look` that is true; fails with `what` was waited for."""
    end = time.monotonic() + patience
    while True:
        if found := look():
            return found
        assert time.monotonic() < end, f"waited {patience:.0f} s in vain: {what}"
        time.sleep(0.3)


@dataclass
class Live:
    """A `claims ui` on a home of its own."""

    home: Path
    start_month: str
    port: int = 0
    process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    def __post_init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def lake(self) -> Path:
        return self.home / "lake"

    @property
    def said(self) -> str:
        """The last lines of what it printed."""
        return (self.home / "ui.log").read_text(errors="replace")[-3000:]

    def command(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """The console script on the same home."""
        return claims(self.home, *arguments, CLAIMS_START_MONTH=self.start_month)

    def start(self) -> "Live":
        """Start it, and wait until the graph is loaded and the daemon reports."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("CLAIMS_", "DAGSTER_", "MLFLOW_"))}
        settings = {"CLAIMS_HOME": str(self.home), "CLAIMS_START_MONTH": self.start_month}
        script = Path(sys.executable).with_name("claims")
        with (self.home / "ui.log").open("ab") as log:
            self.process = subprocess.Popen(
                [script, "ui", "--port", str(self.port)],
                env=kept | settings | {"MLFLOW_DISABLE_TELEMETRY": "true"},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        until("the graph in the UI", self._is_up)
        return self

    def _is_up(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.said
        try:
            return bool(self.ask(NODES)["assetNodes"])
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def ready(self) -> None:
        """Running, started again where something was killed, and without a run in progress."""
        if not self.processes("dagster._daemon") or not self.processes("dagster_webserver"):
            self.start()
        self.none_in_progress()

    def stop(self) -> None:
        """End everything that was started, also what outlives `claims ui`."""
        if self.process is not None:
            if self.process.poll() is None:
                self.process.send_signal(signal.SIGINT)
                try:
                    self.process.wait(60)
                except subprocess.TimeoutExpired:
                    self.process.kill()
            self.kill(self.processes())
            until("the end of all processes", lambda: not self.processes(), 60)
            self.process.wait()
        EmbeddedPostgres(self.home / "postgres").stop()

    def processes(self, having: str = "") -> list[int]:
        """Process ids of the session of `claims ui` whose command line has this text."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
                text = (folder / "cmdline").read_text().replace("\0", " ")
            except (FileNotFoundError, NotADirectoryError, ProcessLookupError):
                continue
            if self.process and fields[3] == str(self.process.pid) and fields[0] != "Z" and having in text:
                found.append(int(folder.name))
        return found

    def kill(self, pids: Iterable[int]) -> None:
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """The answer's data; errors of the query fail."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(f"{self.url}/graphql", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            found = json.load(answer)
        assert "errors" not in found, found["errors"]
        return found["data"]

    def keys(self, *groups: str, partitioned: bool | None = None) -> list[str]:
        """`schema/table` of the assets that can be materialized."""
        nodes = [n for n in self.ask(NODES)["assetNodes"] if n["isMaterializable"]]
        chosen = [n["assetKey"]["path"] for n in nodes if partitioned in (None, n["isPartitioned"])]
        return sorted("/".join(path) for path in chosen if not groups or path[0] in groups)

    def backfill(self, keys: Sequence[str], months: Sequence[str]) -> str:
        """Launch a backfill; its id."""
        asked = {"assetSelection": _keys(keys), "partitionNames": list(months)}
        return _launched(self.ask(LAUNCH_BACKFILL, p=asked)["launchPartitionBackfill"])["backfillId"]

    def backfills(self) -> list[str]:
        """Ids of all backfills, the newest first."""
        return [b["id"] for b in self.ask(BACKFILLS)["partitionBackfillsOrError"]["results"]]

    def resume(self, backfill: str) -> str:
        """Launch what a backfill left undone; the id of the new one."""
        asked = {"parentRunId": backfill, "strategy": "FROM_FAILURE"}
        return _launched(self.ask(RESUME, p=asked)["reexecutePartitionBackfill"])["backfillId"]

    def cancel(self, backfill: str) -> None:
        self.ask(CANCEL, id=backfill)

    def status(self, backfill: str) -> str:
        return self.ask(BACKFILL, id=backfill)["partitionBackfillOrError"]["status"]

    def ended(self, backfill: str) -> str:
        """The status with which the backfill ended."""
        return until(f"the end of backfill {backfill}", lambda: self._final(backfill))

    def _final(self, backfill: str) -> str | None:
        status = self.status(backfill)
        return status if status in FINAL_BACKFILL else None

    def completed(self, backfill: str, tries: int = 3) -> None:
        """Wait until a backfill has built all, resumed where it did not; as a person would with the button."""
        for _ in range(tries):
            if self.ended(backfill) in ("COMPLETED", "COMPLETED_SUCCESS"):
                return
            backfill = self.resume(backfill)
        raise AssertionError(f"{tries} tries were not enough. {self.said}")

    def run(self, keys: Sequence[str], tags: dict[str, str] | None = None) -> str:
        """Launch a run of these assets; its id."""
        asked = {
            "selector": {**JOB, "assetSelection": _keys(keys), "assetCheckSelection": None},
            "mode": "default",
            "executionMetadata": {"tags": [{"key": k, "value": v} for k, v in (tags or {}).items()]},
        }
        return _launched(self.ask(LAUNCH_RUN, p=asked)["launchRun"])["run"]["runId"]

    def succeeded(self, run: str) -> None:
        """Wait until a run has succeeded."""
        (found,) = until(f"the end of run {run}", lambda: [r for r in self.runs(run) if r["status"] in FINAL_RUN])
        assert found["status"] == "SUCCESS", self.said

    def runs(self, *ids: str, **tags: str) -> list[dict[str, Any]]:
        """Runs, the newest first, `tags` as a dictionary; those of these ids or tags, or all."""
        chosen: dict[str, Any] = {"runIds": list(ids)} if ids else {}
        if tags:
            chosen["tags"] = [{"key": f"dagster/{k}", "value": v} for k, v in tags.items()]
        found = self.ask(RUNS, filter=chosen)["runsOrError"]["results"]
        return [r | {"tags": {t["key"]: t["value"] for t in r["tags"]}} for r in found]

    def under_way(self, backfill: str) -> dict[str, Any]:
        """Wait for a run of the backfill that has done a step and not all."""

        def going() -> list[dict[str, Any]]:
            assert self.status(backfill) not in FINAL_BACKFILL, self.said
            started = [r for r in self.runs(backfill=backfill) if r["status"] == "STARTED"]
            return [r for r in started if r["stats"]["stepsSucceeded"]]

        return until("a run under way", going)[0]

    def worker(self, run: str) -> int:
        """Process id of a run, as its own events say."""
        events = self.ask(ENGINE_EVENTS, id=run)["logsForRun"]["events"]
        entries = [m for e in events for m in e.get("metadataEntries", [])]
        return int(next(m["text"] for m in entries if m["label"] == "pid"))

    @contextmanager
    def held(self, pid: int) -> Iterator[None]:
        """Keep a process from going on, at a moment when it holds no lock on Dagster's records."""
        until(f"process {pid} between two records", lambda: self._stopped(pid))
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def _stopped(self, pid: int) -> bool:
        os.kill(pid, signal.SIGSTOP)
        if all(map(_is_free, (self.home / "dagster").rglob("*.db"))):
            return True
        os.kill(pid, signal.SIGCONT)
        return False

    def none_in_progress(self) -> None:
        """Wait until no run is in progress."""
        until("that no run is in progress", lambda: not [r for r in self.runs() if r["status"] in IN_PROGRESS])

    def open_checks(self) -> list[str]:
        """Checks of a table's steps without a result of the latest materialization; that of claim months has its own
        schedule, and `claims run` leaves it out.
        """
        found = []
        for node in self.ask(CHECKS)["assetNodes"]:
            for check in node["assetChecksOrError"].get("checks", []):
                latest = check["executionForLatestMaterialization"]
                if check["name"] != CHECK and (latest is None or latest["status"] not in ("SUCCEEDED", "FAILED")):
                    found.append(f"{'/'.join(node['assetKey']['path'])} {check['name']}: {latest}")
        return found

    def lineage(self, key: str) -> dict[str, list[str]]:
        """Column -> `schema/table.column` of what it is made of, by the latest materialization of an asset."""
        (latest,) = self.ask(LINEAGE, key={"path": key.split("/")})["assetNodeOrError"]["assetMaterializations"]
        (found,) = [m["lineage"] for m in latest["metadataEntries"] if "lineage" in m]
        return {
            column["columnName"]: [
                "/".join(d["assetKey"]["path"]) + f".{d['columnName']}" for d in column["columnDeps"]
            ]
            for column in found
        }

    def stale(self) -> list[str]:
        """Assets that the UI shows as behind their inputs."""
        nodes = self.ask(STALE)["assetNodes"]
        return sorted("/".join(n["assetKey"]["path"]) for n in nodes if n["staleStatus"] == "STALE")

    def materialized(self, key: str) -> list[tuple[str, str]]:
        """Ranges of materialized months of an asset, as the partitions page shows them."""
        found = self.ask(MONTHS, key={"path": key.split("/")})["assetOrError"]["definition"]
        ranges = found["assetPartitionStatuses"]["ranges"]
        return [(r["startKey"], r["endKey"]) for r in ranges if r["status"] == "MATERIALIZED"]


def _is_free(file: Path) -> bool:
    """Whether another process may write to an SQLite file; the daemon's own short writes pass while it waits."""
    with closing(sqlite3.connect(file, timeout=2, isolation_level=None)) as connection:
        try:
            connection.execute("begin immediate")
        except sqlite3.OperationalError:
            return False
        connection.execute("rollback")
        return True


def _keys(keys: Sequence[str]) -> list[dict[str, list[str]]]:
    return [{"path": key.split("/")} for key in keys]


def _launched(answer: dict[str, Any]) -> dict[str, Any]:
    assert answer["__typename"].endswith("Success"), answer
    return answer
