"""Answers of a registry in an SQLite file, kept beside the file until it changes: `answers.of(question, ask)`.

MLflow takes two seconds to be imported and opened, and a month in which nothing is trained asks it only what it was
asked before. Here: when a kept answer still holds. Elsewhere: the questions (`tracking.py`).
"""

import contextlib
import hashlib
import json
import os
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = "answers"
FORMAT = 1
"""Of an answer; answers of another one are asked for again."""
COUNTER = slice(24, 28)
"""Place of the change counter in the header of an SQLite file (www.sqlite.org/fileformat.html, 1.3.7)."""
JOURNALS = ("-journal", "-wal")
"""Suffixes of files that hold changes which the database itself may not show yet."""


@dataclass(frozen=True)
class Answers:
    """What was answered from a database file."""

    database: Path

    def of(self, question: Sequence[str], ask: Callable[[], Any]) -> Any:
        """The kept answer if the file is what it was then, else that of `ask`: plain values, as JSON holds them."""
        before, path = self._state(), self._path(question)
        kept = _read(path) if before else None
        if kept and kept["question"] == list(question) and kept["state"] == before:
            return kept["answer"]
        answer = json.loads(json.dumps(ask()))
        if before and self._state() == before:
            _write(path, {"question": list(question), "state": before, "answer": answer})
        return answer

    def _path(self, question: Sequence[str]) -> Path:
        name = hashlib.sha256(json.dumps(list(question)).encode()).hexdigest()[:16]
        return self.database.parent / FOLDER / f"{name}.json"

    def _state(self) -> list[int] | None:
        """What changes with every commit; None where a commit may be under way, or there is no such file."""
        if any(Path(f"{self.database}{suffix}").exists() for suffix in JOURNALS):
            return None
        try:
            with self.database.open("rb") as file:
                header, about = file.read(COUNTER.stop), os.fstat(file.fileno())
        except OSError:
            return None
        return [FORMAT, about.st_mtime_ns, about.st_size, int.from_bytes(header[COUNTER])]


def _read(path: Path) -> dict[str, Any] | None:
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None


def _write(path: Path, content: dict[str, Any]) -> None:
    """All or nothing; where the folder can't be written, the next one asks again."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(exist_ok=True)
        part = path.with_suffix(f".{uuid.uuid4().hex}")
        part.write_text(json.dumps(content))
        part.replace(path)
