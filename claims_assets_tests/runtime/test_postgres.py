"""The embedded PostgreSQL, tested with real servers: those of the wheel, and the installed one if there is one."""

import os
import socket
import subprocess
import sys
from urllib.parse import urlsplit

import pytest

from claims_assets.runtime.postgres import EmbeddedPostgres
from claims_assets.runtime.postgres_programs import major_version, system_folders, wheel_folders
from claims_assets.runtime.postgres_user import PostgresError
from claims_assets_tests.runtime.postgres_servers import PROJECT, ask, cluster_of, password_of, pid_of


def test_a_started_server_answers_and_comes_from_where_it_was_asked_for(either):
    major = ask(either.start(), "SELECT current_setting('server_version')").split(".")[0]
    folders = system_folders() if either.binaries == "system" else list(wheel_folders({}))
    assert major == major_version(folders[0], {})
    assert either.is_running()


def test_it_listens_on_loopback_only_and_without_a_socket_file(either):
    url = either.start()
    assert ask(url, "SELECT current_setting('listen_addresses')") == "127.0.0.1"
    assert ask(url, "SELECT current_setting('unix_socket_directories')") == ""


def test_a_second_start_finds_the_running_server(server):
    before, url = pid_of(server), server.start()
    assert EmbeddedPostgres(server.data_dir).start() == url
    assert pid_of(server) == before


def test_a_restart_keeps_url_and_rows(either):
    url = either.start()
    ask(url, "CREATE TABLE kept_rows AS SELECT 'kept' AS word")
    either.stop()
    assert not either.is_running()
    with pytest.raises(Exception, match="Connection refused"):
        ask(url, "SELECT 'gone'")
    assert either.start() == url
    assert ask(url, "SELECT word FROM kept_rows") == "kept"
    ask(url, "DROP TABLE kept_rows")


def test_stopping_twice_is_stopping_once(server):
    server.stop()
    server.stop()
    assert not server.is_running()


@pytest.mark.requirement("R35")
def test_a_wrong_password_is_refused(either):
    url = either.start()
    with pytest.raises(Exception, match="password authentication failed"):
        ask(url.replace(password_of(either), "wrong"), "SELECT 1")
    assert ask(url, "SELECT string_agg(DISTINCT auth_method, ' ') FROM pg_hba_file_rules") == "scram-sha-256"


def test_statements_and_values_stay_out_of_the_server_log(either):
    with pytest.raises(Exception, match="invalid input"):
        ask(either.start(), "SELECT word::uuid::text FROM (VALUES ('secret-word')) AS words (word)")
    kept = (cluster_of(either) / "server.log").read_text()
    assert "ready to accept connections" in kept
    assert "secret-word" not in kept


def test_a_stale_note_of_a_dead_server_does_not_stop_a_start(either):
    dead = subprocess.Popen(["true"])
    dead.wait()
    note = (cluster_of(either) / "postmaster.pid").read_text().replace(str(pid_of(either)), str(dead.pid), 1)
    either.stop()
    _write_as_owner(either, note)
    assert not either.is_running()
    ask(either.start(), "SELECT 'up'")


def test_a_stale_note_whose_number_another_program_got_does_not_stop_a_start(either):
    owner = cluster_of(either).stat().st_uid
    # PostgreSQL itself believes such a note if that program runs as the same user.
    with subprocess.Popen(["sleep", "60"], user=owner) as other:
        note = (cluster_of(either) / "postmaster.pid").read_text().replace(str(pid_of(either)), str(other.pid), 1)
        either.stop()
        _write_as_owner(either, note)
        assert not either.is_running()
        ask(either.start(), "SELECT 'up'")
        assert other.poll() is None
        other.kill()


def _write_as_owner(server: EmbeddedPostgres, note: str) -> None:
    path, owner = cluster_of(server) / "postmaster.pid", cluster_of(server).stat()
    path.write_text(note)
    os.chown(path, owner.st_uid, owner.st_gid)


def test_a_server_that_is_not_ready_yet_is_told(server):
    path = cluster_of(server) / "postmaster.pid"
    note = path.read_text()
    path.write_text(note.replace("ready", "starting"))
    try:
        with pytest.raises(PostgresError, match="is still starting or stopping: try again"):
            server.start()
    finally:
        path.write_text(note)
    ask(server.start(), "SELECT 'up'")


def test_two_processes_at_once_get_one_server(fresh):
    code = "import sys, pathlib; from claims_assets.runtime.postgres import EmbeddedPostgres; "
    code += "print(EmbeddedPostgres(pathlib.Path(sys.argv[1]), binaries='wheel').start())"
    command = [sys.executable, "-c", code, str(fresh.data_dir)]
    started = [subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    urls = {process.communicate()[0].strip() for process in started}
    assert [process.returncode for process in started] == [0, 0]
    assert urls == {fresh.start()}


def test_a_half_made_cluster_is_made_anew(fresh):
    half = fresh.data_dir / "cluster.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18")
    fresh.data_dir.chmod(0o755)
    ask(fresh.start(), "SELECT 'up'")
    assert sorted(path.name for path in fresh.data_dir.iterdir()) == ["cluster", "lock", "password", "port"]


def test_a_kept_port_that_was_taken_since_is_replaced(server):
    url = server.start()
    server.stop()
    with socket.create_server(("127.0.0.1", urlsplit(url).port or 0)):
        moved = server.start()
    assert urlsplit(moved).port != urlsplit(url).port
    ask(moved, "SELECT 'up'")


def test_a_port_of_ones_own_that_is_taken_is_named(server):
    server.stop()
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(PostgresError, match=f"Port {port} of 127.0.0.1 is taken.*CLAIMS_PROVIDERS_URL"):
            EmbeddedPostgres(server.data_dir, server.binaries, port=port).start()


def test_a_port_of_ones_own_is_used(server):
    server.stop()
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
    assert urlsplit(EmbeddedPostgres(server.data_dir, server.binaries, port=port).start()).port == port


@pytest.mark.requirement("R35")
def test_a_lost_password_is_named(server):
    kept = server.data_dir / "password"
    password = kept.read_text()
    kept.rename(kept.with_name("hidden"))
    try:
        with pytest.raises(PostgresError, match="password is gone: restore it, or remove"):
            server.start()
    finally:
        kept.with_name("hidden").rename(kept)
    assert server.start().count(password) == 1


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(PostgresError, match=r"file/postgres can't be used .*set CLAIMS_HOME"):
        EmbeddedPostgres(tmp_path / "file" / "postgres").start()


def test_a_folder_without_server_is_not_running(tmp_path):
    assert not EmbeddedPostgres(tmp_path / "nothing").is_running()
    assert not (tmp_path / "nothing").exists()


def test_importing_loads_neither_wheel_nor_driver():
    code = "import sys, claims_assets.runtime.postgres, claims_assets.sources.provider_database; "
    code += "print([name for name in sys.modules if name.startswith(('adbc', 'pixeltable', 'pyarrow'))])"
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True)
    assert done.stdout == "[]\n"
