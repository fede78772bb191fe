"""What is sent to a cluster is the package, and nothing that lies beside or in it by accident."""

import shutil
import tempfile
import tomllib
from pathlib import Path

import pytest

import claims_assets
from claims_assets.runtime.databricks import code
from claims_assets.settings import SettingError

PACKAGE = Path(claims_assets.__file__).parent


@pytest.fixture
def folder():
    with tempfile.TemporaryDirectory(prefix="claims-code-") as name:
        yield Path(name)


def test_modules_and_code_sets_are_sent(folder):
    assert code.staged_in(folder) == folder
    sent = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    packed = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    for pattern in ("**/*.py", *packed["claims_assets"]):
        found = {p.relative_to(PACKAGE.parent).as_posix() for p in PACKAGE.glob(pattern)}
        assert found and found <= sent


@pytest.mark.requirement("R35")
def test_secrets_data_and_bytecode_stay_behind(folder, monkeypatch):
    package = folder / "source" / "claims_assets"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    for name in (".env", "claims.parquet", "notes.ipynb", ".git/config", "__pycache__/table.py"):
        (package / name).parent.mkdir(exist_ok=True)
        (package / name).write_text("secret")
    monkeypatch.setattr(claims_assets, "__file__", str(package / "__init__.py"))
    code.staged_in(folder / "copy")
    sent = [p for p in (folder / "copy").rglob("*") if p.is_file()]
    assert sent and all(p.suffix in code.SENT and "__pycache__" not in p.parts for p in sent)
    assert not any(p.read_bytes() == b"secret" for p in sent)


def test_a_folder_whose_name_would_empty_the_archive_is_refused(tmp_path):
    with pytest.raises(SettingError, match=r"archives nothing under .*: set TMPDIR to a path without 'pytest'"):
        code.staged_in(tmp_path)
