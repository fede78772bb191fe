"""Which code runs: `code_version()`, a tag of every MLflow run."""

import functools
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import claims_assets

PACKAGE = Path(claims_assets.__file__).parent
DISTRIBUTION = "claims-assets"
PATIENCE = 10
"""Seconds for git, which may wait for a file system that is far away."""


@functools.cache
def code_version(package: Path = PACKAGE) -> str:
    """Git commit of the checkout, with `-changed` where the package differs from it; else the package's version."""
    return _commit(package) or _version()


def _commit(package: Path) -> str | None:
    """None unless the package lies at the root of a checkout: an environment inside another's checkout is not it."""
    if not (package.parent / ".git").exists():
        return None
    head = _git(package.parent, "rev-parse", "HEAD")
    if not head:
        return None
    changed = _git(package.parent, "status", "--porcelain", "--", package.name)
    return f"{head}-changed" if changed else head


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=PATIENCE, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _version() -> str:
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:
        return "unknown"
