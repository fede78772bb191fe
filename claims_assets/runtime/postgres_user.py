"""Whom the embedded PostgreSQL runs as, and the folders and files that others must not touch.

Here also: the error that all of the embedded server raises. Elsewhere: PostgreSQL's programs (postgres_programs.py),
the server and its data (postgres.py).
"""

import os
import pwd
import stat
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

Identity = dict[str, Any]
"""Arguments of `subprocess.run` that say whom the server runs as; empty: the user of this process."""

SERVER_USERS = ("postgres", "_postgres", "nobody")
"""Existing accounts that may own the server when this process is root, which PostgreSQL refuses; first found wins."""
ELSEWHERE = "or set CLAIMS_PROVIDERS_URL to a server of yours"
"""The remedy that always helps: the end of most messages."""


class PostgresError(RuntimeError):
    """The embedded server can't be had; the message says why, names the remedy, and holds no secret."""


def identity_for(cluster: Path) -> Identity:
    """Whom the server runs as: the cluster's owner, or for a new one a user without rights if we are root.

    Raises:
        PostgresError: we are root and there is no such user.
    """
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


def asked(command: list[str], identity: Identity) -> str | None:
    """What a command says when that user runs it; None if it fails or may not be run."""
    try:
        done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=True, **identity)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout


def can_enter(folder: Path, identity: Identity) -> bool:
    """Asked of the system, as that user: access lists count too, which modes don't show."""
    return asked(["/bin/sh", "-c", 'test -x "$0"', str(folder)], identity) is not None


def private_folder(name: str, identity: Identity) -> Path:
    """A folder of ours below the system's temporary one, that the server's user can pass through.

    Raises:
        PostgresError: that user can enter no temporary folder, or someone else made ours.
    """
    roots = [Path(root) for root in (tempfile.gettempdir(), "/tmp", "/var/tmp") if can_enter(Path(root), identity)]
    if not roots:
        raise PostgresError(f"User {identity['user']} can't enter /tmp: open it to all users, {ELSEWHERE}.")
    place = roots[0].resolve() / name
    make_folder(place)
    check_private(place)
    return place


def check_private(place: Path) -> None:
    """Raise PostgresError unless it is ours: in a temporary folder anybody may have made what bears our name."""
    facts = place.lstat()
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.geteuid() or facts.st_mode & 0o022:
        raise PostgresError(f"{place} was made by someone else or is open to others: remove it and start again.")


def make_folder(folder: Path) -> None:
    """Make it if missing: ours alone, save that root's server, another user, must pass through."""
    if not os.path.lexists(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(exist_ok=True)
        folder.chmod(0o711 if os.geteuid() == 0 else 0o700)


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    unfinished = path.with_name(path.name + ".unfinished")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    unfinished.replace(path)
