"""Faults on demand: an API that answers with an error or late, a cluster that dies, an events file that is lost."""

import threading
import time
from dataclasses import dataclass, field
from typing import Any

from claims_assets_tests.workspace.errors import ApiError


@dataclass
class ApiFault:
    """The next `times` calls of an API go wrong."""

    path: str
    """The call, without `/api/2.x/`: `jobs/runs/get`."""
    times: int = 1
    status: int = 200
    """200: only late."""
    code: str = "INTERNAL_ERROR"
    message: str = "An internal error occurred."
    seconds: float = 0.0
    """Wait before the answer."""
    after: bool = False
    """The call is carried out, and then its answer is lost."""


@dataclass
class RunFault:
    """The next `times` runs go wrong."""

    kind: str
    """`death`: the cluster dies `seconds` after the task began; `no_events`: the events file is lost at the end."""
    times: int = 1
    seconds: float = 0.0


@dataclass
class Faults:
    """What is to go wrong next."""

    api: list[ApiFault] = field(default_factory=list)
    runs: list[RunFault] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, body: dict[str, Any]) -> dict[str, Any]:
        """Add one fault; with `path` for a call, with `kind` for a run."""
        if "path" in body:
            self.api.append(ApiFault(**body))
        else:
            self.runs.append(RunFault(**body))
        return {}

    def of_call(self, path: str, *, after: bool) -> None:
        """Wait or raise, if a call of this path is to go wrong."""
        with self._lock:
            found = next((f for f in self.api if f.path == path and f.after is after and f.times > 0), None)
            if found is None:
                return
            found.times -= 1
        time.sleep(found.seconds)
        if found.status != 200:
            raise ApiError(found.status, found.code, found.message)

    def of_run(self, kind: str) -> RunFault | None:
        """The fault of this kind that the next run takes, if any."""
        with self._lock:
            found = next((f for f in self.runs if f.kind == kind and f.times > 0), None)
            if found is not None:
                found.times -= 1
            return found
