"""DBFS over a folder: blocks of at most 1 MB, paths that start with a slash."""

import base64
import itertools
import shutil
import threading
from pathlib import Path
from typing import Any, BinaryIO

from claims_assets_tests.workspace.errors import ApiError, invalid, missing

BLOCK = 2**20
"""Bytes in one block of a read or a write; the real limit."""
Body = dict[str, Any]


class Dbfs:
    """The files of a workspace, under `root`."""

    def __init__(self, root: Path):
        self.root = root.resolve()
        self.root.mkdir(parents=True, exist_ok=True)
        self._open: dict[int, BinaryIO] = {}
        self._handles = itertools.count(1)
        self._lock = threading.Lock()

    def local(self, path: str) -> Path:
        """The file behind a DBFS path."""
        absolute = path.removeprefix("dbfs:")
        if not absolute.startswith("/"):
            raise invalid(f"Path must be absolute: {path}")
        found = (self.root / absolute.lstrip("/")).resolve()
        if not found.is_relative_to(self.root):
            raise invalid(f"Path must be absolute: {path}")
        return found

    def existing(self, path: str) -> Path:
        """The file or folder behind a DBFS path; an error where there is none."""
        found = self.local(path)
        if not found.exists():
            raise missing(f"No file or directory exists on path {path}.")
        return found

    def create(self, body: Body) -> Body:
        path = self._writable(body)
        with self._lock:
            handle = next(self._handles)
            self._open[handle] = path.open("wb")
        return {"handle": handle}

    def add_block(self, body: Body) -> Body:
        data = base64.b64decode(body["data"])
        if len(data) > BLOCK:
            raise ApiError(400, "MAX_BLOCK_SIZE_EXCEEDED", "The block size must be at most 1 MB.")
        self._handle(body).write(data)
        return {}

    def close(self, body: Body) -> Body:
        self._handle(body).close()
        self._open.pop(int(body["handle"]))
        return {}

    def stop(self) -> None:
        """Close what a client that was stopped has left open."""
        for file in self._open.values():
            file.close()

    def put(self, body: Body) -> Body:
        data = base64.b64decode(body.get("contents") or "")
        if len(data) > BLOCK:
            raise ApiError(400, "MAX_BLOCK_SIZE_EXCEEDED", "The contents must be at most 1 MB.")
        self._writable(body).write_bytes(data)
        return {}

    def read(self, body: Body) -> Body:
        path, length = self.existing(body["path"]), int(body.get("length", BLOCK))
        if path.is_dir():
            raise invalid(f"{body['path']} is a directory.")
        if length > BLOCK:
            raise ApiError(400, "MAX_READ_SIZE_EXCEEDED", "The read size must be at most 1 MB.")
        with path.open("rb") as file:
            file.seek(int(body.get("offset", 0)))
            data = file.read(length)
        return {"bytes_read": len(data), "data": base64.b64encode(data).decode()}

    def delete(self, body: Body) -> Body:
        path = self.local(body["path"])
        if path.is_dir():
            if any(path.iterdir()) and body.get("recursive") is not True:
                raise ApiError(400, "IO_ERROR", f"{body['path']} is not empty.")
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        return {}

    def mkdirs(self, body: Body) -> Body:
        self.local(body["path"]).mkdir(parents=True, exist_ok=True)
        return {}

    def get_status(self, body: Body) -> Body:
        return self._about(self.existing(body["path"]))

    def list(self, body: Body) -> Body:
        return {"files": [self._about(p) for p in sorted(self.existing(body["path"]).iterdir())]}

    def _about(self, path: Path) -> Body:
        size = 0 if path.is_dir() else path.stat().st_size
        return {"path": f"/{path.relative_to(self.root)}", "is_dir": path.is_dir(), "file_size": size}

    def _writable(self, body: Body) -> Path:
        path = self.local(body["path"])
        if path.exists() and not body.get("overwrite"):
            raise ApiError(
                400, "RESOURCE_ALREADY_EXISTS", f"A file or directory already exists at the input path {body['path']}."
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _handle(self, body: Body) -> BinaryIO:
        file = self._open.get(int(body["handle"]))
        if file is None:
            raise missing(f"No such handle: {body['handle']}.")
        return file
