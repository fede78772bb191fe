"""The wheel for a cluster: it builds, requires what a cluster lacks, and works without the checkout."""

import base64
import hashlib
import os
import subprocess
import sys
import zipfile
from email import message_from_string
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from claims_assets.definitions import defs
from claims_assets.runtime.libraries import requirements
from claims_assets_tests.deployment.bundle import ROOT

PROGRAM = ROOT / "deploy" / "build_wheel.py"
BESIDE_THE_CODE = {".py", ".yaml", ".csv", ".gz", ".properties", ".sql"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    (folder / "claims_assets-0.0.1-py3-none-any.whl").touch()
    subprocess.run([sys.executable, str(PROGRAM), "--into", str(folder)], check=True, env=_environment(PYTHONPATH=ROOT))
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """The folder of programs of a fresh environment: the wheel, and pyspark in place of the runtime's."""
    folder = tmp_path_factory.mktemp("fresh") / "venv"
    uv = str(Path(sys.executable).with_name("uv"))
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(folder)], check=True)
    wanted = [str(wheel), f"pyspark[connect]=={version('pyspark')}", "-c", str(ROOT / "constraints.txt")]
    python = str(folder / "bin" / "python")
    subprocess.run([uv, "pip", "install", "--quiet", "--python", python, *wanted], check=True)
    return folder / "bin"


def _environment(**more):
    """This process's, without what would lead to the checkout or to its settings."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "CLAIMS_", "MLFLOW_", "DAGSTER_"))}
    return kept | {name: str(value) for name, value in more.items()} | {"DAGSTER_DISABLE_TELEMETRY": "true"}


def output(installed, folder, *command):
    """What a program of the fresh environment prints, started in `folder`."""
    command = [str(installed / command[0]), *command[1:]]
    done = subprocess.run(command, cwd=folder, env=_environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.mark.full
def test_it_requires_what_a_workspace_installs_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        metadata = message_from_string(archive.read(name).decode())
    assert {str(Requirement(r)) for r in metadata.get_all("Requires-Dist")} == set(requirements())
    assert metadata.get_all("Provides-Extra") is None


@pytest.mark.full
def test_it_holds_the_package_and_what_lies_beside_its_code(wheel):
    package = ROOT / "claims_assets"
    files = (p for p in package.rglob("*") if p.is_file() and "__pycache__" not in p.parts)
    expected = {p.relative_to(ROOT).as_posix() for p in files if p.suffix in BESIDE_THE_CODE}
    with zipfile.ZipFile(wheel) as archive:
        assert {n for n in archive.namelist() if ".dist-info/" not in n} == expected


@pytest.mark.full
def test_its_record_is_that_of_its_contents(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (record,) = (n for n in archive.namelist() if n.endswith("/RECORD"))
        lines = [line.rsplit(",", 2) for line in archive.read(record).decode().splitlines()]
        assert {name for name, _, _ in lines} == set(archive.namelist())
        for name, digest, size in lines:
            content = archive.read(name)
            found = "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            assert name == record or (digest, int(size)) == (found, len(content))


@pytest.mark.full
@pytest.mark.requirement("R32")
def test_installed_alone_it_says_what_it_does(installed, tmp_path):
    printed = output(installed, tmp_path, "claims", "--help")
    assert {"run", "publish", "status"} <= set(printed.split())


@pytest.mark.full
def test_installed_alone_it_loads_the_whole_graph(installed, tmp_path):
    program = (
        "import claims_assets; from claims_assets.definitions import defs; print(claims_assets.__file__);"
        " print(*sorted(k.to_user_string() for k in defs.resolve_asset_graph().get_all_asset_keys()))"
    )
    where, keys = output(installed, tmp_path, "python", "-c", program).splitlines()[-2:]
    assert Path(where).is_relative_to(installed.parent)
    assert keys.split() == sorted(k.to_user_string() for k in defs.resolve_asset_graph().get_all_asset_keys())


@pytest.mark.full
@pytest.mark.requirement("R32")
def test_installed_alone_a_job_s_task_says_in_one_sentence_what_is_wrong(installed, tmp_path):
    command = [str(installed / "claims_job"), "publish"]
    done = subprocess.run(command, cwd=tmp_path, env=_environment(), capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert done.stderr.strip().splitlines()[-1].startswith("RuntimeError: CLAIMS_CATALOG is not set: ")
