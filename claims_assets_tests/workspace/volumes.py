"""Volumes and workspace files over a folder: the Files API, as far as Dagster Pipes needs it.

A path is the same for the API and for a task, as on Databricks; so it is the path of this machine, below `root`.
"""

import shutil
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from claims_assets_tests.workspace.errors import ApiError, invalid


class Volumes:
    """The files below `root`; a volume is any folder of it."""

    def __init__(self, root: Path):
        self.root = root.resolve()
        self.root.mkdir(parents=True, exist_ok=True)

    def answer(self, method: str, what: str, content: bytes) -> dict[str, Any] | bytes:
        """The answer to `METHOD /api/2.0/fs/<what>`."""
        kind, _, name = what.partition("/")
        path = self.local("/" + unquote(name))
        match method, kind:
            case "PUT", "files":
                path.write_bytes(content)
            case "GET", "files":
                return self._existing(path).read_bytes()
            case "DELETE", "files":
                self._existing(path).unlink()
            case "PUT", "directories":
                path.mkdir(parents=True, exist_ok=True)
            case "GET", "directories":
                found = sorted(self._existing(path).iterdir())
                return {"contents": [{"name": p.name, "path": str(p), "is_directory": p.is_dir()} for p in found]}
            case "DELETE", "directories":
                if any(self._existing(path).iterdir()):
                    raise invalid("The directory is not empty.")
                shutil.rmtree(path)
            case _:
                raise ApiError(404, "ENDPOINT_NOT_FOUND", f"No API found for '{method} /fs/{kind}'")
        return {}

    def local(self, path: str) -> Path:
        """The file of a path, which must lie below `root`."""
        found = Path(path).resolve()
        if not found.is_relative_to(self.root):
            raise ApiError(403, "PERMISSION_DENIED", f"No volume holds {path}.")
        return found

    def _existing(self, path: Path) -> Path:
        if not path.exists():
            raise ApiError(404, "NOT_FOUND", f"The file or directory {path} does not exist.")
        return path
