"""Build the wheel for a cluster: the package, requiring what a workspace must install for it and nothing else.

Databricks Runtime brings its own Spark and Delta, fitted to each other; the embedded engine, the embedded database and
the UI are for a laptop. So the wheel that pip installs there may not ask for them. Writes dist/cluster/*.whl.
"""

import argparse
import base64
import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from claims_assets.runtime.libraries import requirements

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Build into the folder of `--into`; a wheel of an earlier version there is removed."""
    parser = argparse.ArgumentParser(description="Build the wheel for a cluster.")
    parser.add_argument("--into", type=Path, default=ROOT / "dist" / "cluster")
    into: Path = parser.parse_args().into
    into.mkdir(parents=True, exist_ok=True)
    for old in into.glob("*.whl"):
        old.unlink()
    with tempfile.TemporaryDirectory() as folder:
        plain = built(Path(folder))
        for_a_cluster(plain, into / plain.name, requirements())
    sys.stdout.write(f"{into / plain.name}\n")


def built(folder: Path) -> Path:
    """The wheel as setuptools builds it from a copy, for in the checkout it would take over files of earlier builds."""
    source = folder / "source"
    shutil.copytree(ROOT / "claims_assets", source / "claims_assets", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(source)]
    subprocess.run(command, check=True)
    return next(folder.glob("*.whl"))


def for_a_cluster(plain: Path, into: Path, required: Sequence[str]) -> None:
    """Copy a wheel so that it requires these, and make its record of contents fit."""
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as target:
        record = next(n for n in source.namelist() if n.endswith(".dist-info/RECORD"))
        metadata = record.removesuffix("RECORD") + "METADATA"
        changed = requiring(required, source.read(metadata).decode()).encode()
        for item in source.infolist():
            if item.filename not in (record, metadata):
                target.writestr(item, source.read(item.filename))
        target.writestr(metadata, changed)
        lines = source.read(record).decode().splitlines()
        target.writestr(record, "\n".join(_entry(line, metadata, changed) for line in lines) + "\n")


def requiring(required: Sequence[str], metadata: str) -> str:
    """The metadata with these requirements in place of all others, extras too."""
    headers, blank, body = metadata.partition("\n\n")
    kept = [line for line in headers.splitlines() if not line.startswith(("Requires-Dist:", "Provides-Extra:"))]
    return "\n".join([*kept, *(f"Requires-Dist: {line}" for line in required)]) + blank + body


def _entry(line: str, metadata: str, content: bytes) -> str:
    """The line of the record; for the metadata with their new hash and size (PEP 427)."""
    if not line.startswith(f"{metadata},"):
        return line
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return f"{metadata},sha256={digest},{len(content)}"


if __name__ == "__main__":
    main()
