"""Whom the embedded PostgreSQL runs as, and that nobody else reads or replaces what is private."""

import logging
import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from claims_assets.runtime.postgres import EmbeddedPostgres
from claims_assets.runtime.postgres_user import PostgresError, identity_for, private_folder
from claims_assets_tests.runtime.postgres_servers import (
    NOBODY,
    OPEN,
    PROJECT,
    as_root,
    ask,
    cluster_of,
    modes,
    password_of,
    pid_of,
)


@pytest.mark.requirement("R35")
def test_the_password_is_readable_by_its_owner_alone_and_nowhere_else(server, caplog):
    caplog.set_level(logging.DEBUG)
    server.stop()
    url, password = server.start(), password_of(server)
    assert urlsplit(url).password == password
    assert len(password) >= 40
    assert stat.S_IMODE((server.data_dir / "password").stat().st_mode) == 0o600
    holders = [path for path in server.data_dir.rglob("*") if path.is_file() and password.encode() in path.read_bytes()]
    assert holders == [server.data_dir / "password"]
    assert "PostgreSQL listens" in caplog.text
    assert password not in caplog.text + repr(server)


def test_starting_leaves_the_mode_of_a_parent_folder_alone(server, open_folder):
    server.start()
    assert stat.S_IMODE(open_folder.stat().st_mode) == OPEN


@as_root
def test_root_hands_the_server_to_a_user_without_rights(either):
    assert Path(f"/proc/{pid_of(either)}").stat().st_uid != 0
    assert not (either.data_dir / "moved_to").exists()
    assert stat.S_IMODE(cluster_of(either).stat().st_mode) == 0o700
    assert (either.data_dir / "password").stat().st_uid == 0


@as_root
def test_under_a_closed_folder_root_keeps_the_data_in_a_private_one_and_says_so_once(in_closed_folder, caplog):
    before = modes(in_closed_folder.data_dir.parent)
    url = in_closed_folder.start()
    place = Path((in_closed_folder.data_dir / "moved_to").read_text())
    assert modes(in_closed_folder.data_dir.parent) == before
    assert place.parent == Path(tempfile.gettempdir()).resolve()
    assert stat.S_IMODE(place.stat().st_mode) == 0o711
    assert stat.S_IMODE((place / "cluster").stat().st_mode) == 0o700
    ask(url, "SELECT 'up'")
    in_closed_folder.stop()
    assert in_closed_folder.start() == url
    assert [record.message for record in caplog.records if record.levelname == "WARNING"] == [
        f"User {(place / 'cluster').stat().st_uid} can't enter {in_closed_folder.data_dir}: "
        f"PostgreSQL keeps its data in {place}."
    ]


@as_root
def test_root_refuses_a_private_folder_that_someone_else_made(tmp_path):
    identity = identity_for(tmp_path / "none")
    taken = Path(tempfile.mkdtemp(prefix="claims-test-"))
    try:
        os.chown(taken, NOBODY, NOBODY)
        with pytest.raises(PostgresError, match="was made by someone else"):
            private_folder(taken.name, identity)
    finally:
        taken.rmdir()


@as_root
def test_root_does_not_use_data_that_someone_else_put_in_its_place(tmp_path):
    place = Path(tempfile.mkdtemp(prefix="claims-test-"))
    (tmp_path / "moved_to").write_text(str(place))
    try:
        os.chown(place, NOBODY, NOBODY)
        with pytest.raises(PostgresError, match="was made by someone else"):
            EmbeddedPostgres(tmp_path).start()
    finally:
        place.rmdir()


@as_root
def test_another_users_folder_is_refused_in_one_sentence(server):
    code = "import os, pathlib, sys; from claims_assets.runtime.postgres import EmbeddedPostgres, PostgresError\n"
    code += f"os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})\n"
    code += "try: EmbeddedPostgres(pathlib.Path(sys.argv[1])).start()\n"
    code += "except PostgresError as error: print(error)"
    command = [sys.executable, "-c", code, str(server.data_dir)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)
    assert (done.stdout.count("\n"), done.stderr) == (1, "")
    assert "can't be used (Permission denied): set CLAIMS_HOME to a folder of yours" in done.stdout


@as_root
def test_an_ordinary_user_owns_folder_and_server(open_folder):
    home = open_folder / "ordinary"
    home.mkdir(mode=0o755)
    os.chown(home, NOBODY, NOBODY)
    code = "import os, pathlib, sys; from claims_assets.runtime.postgres import EmbeddedPostgres; "
    code += f"os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY}); "
    code += "server = EmbeddedPostgres(pathlib.Path(sys.argv[1]), binaries='wheel'); server.start(); "
    code += "print(server.is_running())"
    server = EmbeddedPostgres(home / "postgres")
    try:
        done = subprocess.run([sys.executable, "-c", code, str(server.data_dir)], cwd=PROJECT, capture_output=True)
        assert (done.stdout, done.stderr) == (b"True\n", b"")
        assert {path.stat().st_uid for path in [server.data_dir, *server.data_dir.iterdir()]} == {NOBODY}
        assert stat.S_IMODE(server.data_dir.stat().st_mode) == 0o700
        assert Path(f"/proc/{pid_of(server)}").stat().st_uid == NOBODY
        # Root, who comes later, finds the server of that user.
        ask(server.start(), "SELECT 'up'")
    finally:
        server.stop()
