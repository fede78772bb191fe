"""Providers from a real PostgreSQL that refuses plain text, with certificates made here."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest

from claims_assets.definitions import build
from claims_assets.runtime.postgres import EmbeddedPostgres
from claims_assets.runtime.postgres_programs import system_folders
from claims_assets.settings import settings_from_environment
from claims_assets.sources.provider_database import ProvidersUnreachable, load_csv
from claims_assets.synthetic import generate
from claims_assets_tests.sources.provider_rows import GOOD, password, rows

pytestmark = [
    pytest.mark.full,
    pytest.mark.skipif(not system_folders(), reason="no PostgreSQL with TLS is installed here"),
]
ONLY_ENCRYPTED = "hostssl all all 127.0.0.1/32 scram-sha-256\n"
SETTINGS = "ssl = on\nssl_cert_file = 'server.crt'\nssl_key_file = 'server.key'\n"


@dataclass(frozen=True)
class Encrypted:
    """A running server, and the certificate authorities of this test."""

    url: str
    """Without any TLS parameter."""
    authority: Path
    stranger: Path
    """Of an authority that signed nothing here."""

    def verified(self, authority: Path | None = None) -> str:
        return f"{self.url}?sslmode=verify-full&sslrootcert={authority or self.authority}"


def openssl(*arguments: object) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


def authority(folder: Path, name: str) -> Path:
    """A self-signed certificate authority; its certificate."""
    made = ["-keyout", folder / f"{name}.key", "-out", folder / f"{name}.crt", "-days", "2", "-subj", f"/CN={name}"]
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", *made)
    return folder / f"{name}.crt"


def certify(folder: Path, by: Path) -> None:
    """server.key and server.crt of 127.0.0.1, signed by that authority."""
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    request = ["-keyout", folder / "server.key", "-out", folder / "server.csr", "-subj", "/CN=127.0.0.1"]
    openssl("req", "-newkey", "rsa:2048", "-nodes", *request)
    signed = [
        "-CA",
        by,
        "-CAkey",
        by.with_suffix(".key"),
        "-CAcreateserial",
        "-extfile",
        folder / "names",
        "-days",
        "2",
    ]
    openssl("x509", "-req", "-in", folder / "server.csr", "-out", folder / "server.crt", *signed)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, open_home: Path) -> Iterator[Encrypted]:
    folder = tmp_path_factory.mktemp("certificates")
    ours, stranger = authority(folder, "ours"), authority(folder, "stranger")
    certify(folder, ours)
    server = EmbeddedPostgres(open_home / "postgres", binaries="system")
    load_csv(server.start(), _providers(folder))
    server.stop()
    cluster = open_home / "postgres" / "cluster"
    owner = cluster.stat()
    for name in ("server.key", "server.crt"):
        _place(cluster / name, (folder / name).read_bytes(), owner)
    with (cluster / "postgresql.conf").open("a") as file:
        file.write(SETTINGS)
    (cluster / "pg_hba.conf").write_text(ONLY_ENCRYPTED)
    url = server.start()
    yield Encrypted(url, ours, stranger)
    server.stop()


def _providers(folder: Path) -> Path:
    path = folder / "providers.csv"
    path.write_text(GOOD)
    return path


def _place(path: Path, content: bytes, owner) -> None:
    import os

    path.write_bytes(content)
    path.chmod(0o600)
    os.chown(path, owner.st_uid, owner.st_gid)


@pytest.mark.requirement("R35")
def test_a_verified_connection_reads_the_providers(server):
    assert rows(server.verified(), "provider_id", "provider_name") == [("P1", "Al"), ("P2", "Bo")]


@pytest.mark.requirement("R35")
def test_the_server_refuses_plain_text(server):
    with pytest.raises(ProvidersUnreachable, match="no encryption") as refused:
        rows(f"{server.url}?sslmode=disable")
    assert password(server.url) not in str(refused.value)


@pytest.mark.requirement("R35")
def test_a_server_of_another_authority_is_refused(server):
    with pytest.raises(ProvidersUnreachable, match="certificate verify failed") as refused:
        rows(server.verified(server.stranger))
    assert password(server.url) not in str(refused.value)


def everything_kept(folder: Path) -> bytes:
    return b"".join(p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file())


@pytest.mark.requirement("R35")
@pytest.mark.parametrize("is_right", [True, False])
def test_no_part_of_what_dagster_keeps_of_a_run_holds_the_password(server, is_right, tmp_path, monkeypatch, capfd):
    landing = tmp_path / "landing"
    generate(landing, members=10, months=1, end="2024-03", seed=7)
    url = server.verified(None if is_right else server.stranger)
    for name, value in {
        "CLAIMS_ENV": "production",
        "CLAIMS_HOME": str(tmp_path / "home"),
        "CLAIMS_LANDING": str(landing),
        "CLAIMS_PROVIDERS_URL": url,
    }.items():
        monkeypatch.setenv(name, value)
    kept = tmp_path / "dagster"
    kept.mkdir()
    with dg.instance_for_test(temp_dir=str(kept)) as instance:
        job = build(settings_from_environment()).resolve_implicit_global_asset_job_def()
        keys = [dg.AssetKey(["landing", "providers"])]
        result = job.execute_in_process(instance=instance, asset_selection=keys, raise_on_error=False)
        events = "".join(map(str, instance.all_logs(result.run_id)))
        stored = everything_kept(kept)
    assert result.success == is_right
    assert b"landing" in stored
    printed = capfd.readouterr()
    secret = password(server.url)
    assert secret not in events + printed.out + printed.err
    assert secret.encode() not in stored
