"""The init script for a trial database on a cluster's driver, really run: this machine is the driver.

Not covered: the installation by apt-get, for the tests leave the machine's packages alone.
"""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from claims_assets.sources.provider_csv import COLUMNS, read_csv
from claims_assets.sources.provider_database import ProvidersUnreachable, check_reachable, load_csv, read_table
from claims_assets_tests.sources.provider_rows import GOOD, HEADER, rows

pytestmark = [
    pytest.mark.full,
    pytest.mark.skipif(os.geteuid() != 0, reason="an init script runs as root"),
    pytest.mark.skipif(not shutil.which("runuser"), reason="runuser is of Linux"),
    pytest.mark.skipif(not list(Path("/usr/lib/postgresql").glob("*/bin/initdb")), reason="no installed PostgreSQL"),
]
SCRIPT = Path(__file__).resolve().parents[2] / "deploy" / "init" / "postgres.sh"
LISTENING = "0A"
"""State of a socket in /proc/net (Linux, net/tcp_states.h)."""
PASSWORD = "tr1al-Passw0rd"

Start = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A folder that the server's user may enter; pytest's own are closed. A server in it is stopped at the end."""
    with tempfile.TemporaryDirectory(prefix="claims-driver-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
        data = folder / "postgres" / "data"
        if data.exists():
            [initdb, *_] = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
            stop = [initdb.with_name("pg_ctl"), "--pgdata", data, "--mode", "immediate", "stop"]
            subprocess.run(["runuser", "-u", "postgres", "--", *stop], cwd="/", capture_output=True, check=True)


@pytest.fixture(scope="module")
def url() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"postgresql://claims:{PASSWORD}@127.0.0.1:{free.getsockname()[1]}/plan"


@pytest.fixture
def start(home: Path, url: str, tmp_path: Path) -> Start:
    def run(content: str | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
        given = {"PATH": os.environ["PATH"], "DB_IS_DRIVER": "TRUE", "CLAIMS_POSTGRES_HOME": str(home / "postgres")}
        if content is not None:
            (tmp_path / "providers.csv").write_text(content)
            given["CLAIMS_PROVIDERS_CSV"] = str(tmp_path / "providers.csv")
        environment = given | {"CLAIMS_PROVIDERS_URL": url} | variables
        return subprocess.run(["bash", SCRIPT], env=environment, capture_output=True, text=True, check=False)

    return run


@pytest.mark.requirement("R35")
@pytest.mark.parametrize(
    "url",
    [
        "",
        "postgresql://claims@localhost/plan",
        "postgresql://claims:a'b@localhost/plan",
        "postgresql://c:p@db.org/plan",
    ],
)
def test_without_a_secret_for_this_machine_nothing_is_started(start, home, url):
    done = start(CLAIMS_PROVIDERS_URL=url)
    assert done.returncode == 1
    assert "CLAIMS_PROVIDERS_URL is not set, or not postgresql://" in done.stderr
    assert "a'b" not in done.stdout + done.stderr
    assert not (home / "postgres").exists()


def test_workers_start_nothing(start, home):
    done = start(DB_IS_DRIVER="FALSE", CLAIMS_PROVIDERS_URL="")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not (home / "postgres").exists()


def test_a_file_that_is_not_there_is_one_sentence(start, home):
    done = start(CLAIMS_PROVIDERS_CSV="/nowhere.csv")
    assert "/nowhere.csv can't be read: correct CLAIMS_PROVIDERS_CSV" in done.stderr
    assert not (home / "postgres").exists()


@pytest.mark.requirement("R34")
def test_a_server_with_exactly_the_rows_of_the_file_however_often_it_starts(start, url):
    for _ in range(2):
        done = start(GOOD)
        assert (done.returncode, done.stderr) == (0, "")
        assert "2 providers loaded" in done.stdout
        assert rows(url, "provider_id", "npi") == [("P1", "1234567893"), ("P2", "1234567893")]
    assert start(HEADER + "P3,Cy,,,\n").returncode == 0
    assert rows(url, "provider_id", "npi", "active_from") == [("P3", None, None)]


@pytest.mark.requirement("R19")
def test_the_table_is_the_one_that_claims_loads(start, url, tmp_path):
    values = ["2020-01-31" if "active" in name else f'"{name}, é ""x"""' for name in COLUMNS]
    assert start("\ufeff" + ",".join(COLUMNS) + "\r\n" + ",".join(values)).returncode == 0
    ours = read_table(url)
    assert ours.column_names == list(COLUMNS)
    assert [str(v) for v in ours.to_pylist()[0].values()] == [
        str(v) for v in read_csv(tmp_path / "providers.csv").to_pylist()[0].values()
    ]
    load_csv(url, tmp_path / "providers.csv")
    assert read_table(url).equals(ours)


def test_a_file_that_does_not_fit_leaves_the_rows_as_they_were(start, url):
    assert start(GOOD).returncode == 0
    before = rows(url)
    for broken in (HEADER + "P1,Al,,not a date,\n", HEADER + "P1,Al,,,\nP1,Al,,,\n", "provider_id,shoe_size\nP1,44\n"):
        done = start(broken)
        assert done.returncode == 1
        assert "could not be loaded; the table is as it was" in done.stderr
        assert rows(url) == before


@pytest.mark.requirement("R35")
def test_the_password_opens_the_server_and_is_written_nowhere(start, url, home):
    assert start(GOOD).returncode == 0
    check_reachable(url, "providers")
    with pytest.raises(ProvidersUnreachable, match="password authentication failed"):
        check_reachable(url.replace(PASSWORD, "wrong"))
    done = start(GOOD, CLAIMS_PROVIDERS_URL=url.replace(PASSWORD, "another.one~2"))
    assert done.returncode == 0
    with pytest.raises(ProvidersUnreachable, match="password authentication failed"):
        check_reachable(url)
    assert start(GOOD).returncode == 0
    check_reachable(url)
    kept = {p.name: p.read_bytes() for p in (home / "postgres").rglob("*") if p.is_file()}
    assert "server.log" in kept
    secrets = (PASSWORD.encode(), b"another.one~2")
    assert [name for name, content in kept.items() if any(s in content for s in secrets)] == []
    assert not any(s.decode() in done.stdout + done.stderr for s in secrets)


def test_the_server_listens_to_this_machine_alone(start, url):
    assert start(GOOD).returncode == 0
    port = int(url.rpartition(":")[2].partition("/")[0])
    sockets = [line.split() for kind in ("tcp", "tcp6") for line in Path("/proc/net", kind).read_text().splitlines()]
    here = [place for _, place, _, state, *_ in sockets if state == LISTENING and place.endswith(f":{port:04X}")]
    assert here == [f"0100007F:{port:04X}"], "127.0.0.1, and no other address"
