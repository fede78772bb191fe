"""Steps through Pipes on a local Databricks workspace: what is submitted, what comes back, where no secret is kept."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import dagster as dg
import pytest

from claims_assets.sources.provider_database import load_csv
from claims_assets_tests.console import claims
from claims_assets_tests.databricks.conftest import until, without_settings
from claims_assets_tests.databricks.one_month import provider_server
from claims_assets_tests.sources.provider_rows import GOOD
from claims_assets_tests.workspace.runs import Run
from claims_assets_tests.workspace.server import Workspace, serving

pytestmark = [pytest.mark.full, pytest.mark.timeout(300)]
CHECKOUT = Path(__file__).resolve().parents[2]
TOKEN, SCOPE = "dapi-local-pipes", "claims"
CLUSTER = "0101-120000-existing"
STEP = ("run", "--select", 'key:"landing/providers"')
"""A step that needs the secret and no engine."""


@dataclass
class Host:
    """A machine whose steps go to the workspace, and what it was told."""

    workspace: Workspace
    home: Path
    environment: dict[str, str]
    password: str

    def run(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        return claims(self.home, *arguments, **self.environment, **more)

    def events(self, kind: dg.DagsterEventType) -> list[dg.DagsterEvent]:
        """Events of this kind of all runs, newest first."""
        with dg.DagsterInstance.from_config(str(self.home / "dagster")) as instance:
            entries = [e for run in instance.get_runs() for e in instance.all_logs(run.run_id, of_type=kind)]
        return [e.dagster_event for e in entries if e.dagster_event]


@pytest.fixture(scope="module")
def providers_url() -> Iterator[str]:
    with (
        tempfile.TemporaryDirectory(prefix="claims-database-") as folder,
        provider_server(Path(folder)) as url,
    ):
        (Path(folder) / "providers.csv").write_text(GOOD)
        load_csv(url, Path(folder) / "providers.csv")
        yield url


@pytest.fixture(scope="module")
def workspace(providers_url, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """With the project deployed as workspace files."""
    secrets = {SCOPE: {"CLAIMS_PROVIDERS_URL": providers_url}}
    with serving(tmp_path_factory.mktemp("workspace"), tokens=[TOKEN], secrets=secrets, warm=True) as workspace:
        code = workspace.volumes.root / "code"
        unwanted = shutil.ignore_patterns("__pycache__")
        for package in ("claims_assets", "deploy"):
            shutil.copytree(CHECKOUT / package, code / package, ignore=unwanted)
        yield workspace


@pytest.fixture
def host(workspace: Workspace, providers_url: str, tmp_path: Path) -> Host:
    return host_in(tmp_path, workspace, providers_url)


def host_in(folder: Path, workspace: Workspace, providers_url: str) -> Host:
    """A host, and a lake on the workspace with two claims to land."""
    landing = folder / "cluster" / "landing"
    (landing / "medical_claims").mkdir(parents=True)
    (landing / "member_eligibility").mkdir()
    header, (early, late) = "claim_id,member_id,claim_date,service_from_date", ("2025-01-05", "2025-03-05")
    lines = [header, f"A,M1,{early},{early}", f"B,M1,{late},{late}", ""]
    (landing / "medical_claims/a.csv").write_text("\n".join(lines))
    (landing / "member_eligibility/m.csv").write_text("member_id,effective_date\nM1,2023-01-01\n")
    environment = {
        "CLAIMS_COMPUTE": "pipes",
        "DATABRICKS_HOST": workspace.url,
        "DATABRICKS_TOKEN": TOKEN,
        "CLAIMS_PIPES_VOLUME": str(workspace.volumes.root / "messages"),
        "CLAIMS_PIPES_CODE": str(workspace.volumes.root / "code"),
        "CLAIMS_CLUSTER_HOME": str(folder / "cluster"),
        "CLAIMS_CLUSTER_ENGINE": "sail",
        "CLAIMS_SECRET_SCOPE": SCOPE,
        "CLAIMS_SECRETS": "CLAIMS_PROVIDERS_URL",
        "CLAIMS_POLL_SECONDS": "0.1",
    }
    return Host(workspace, folder / "host", environment, urlsplit(providers_url).password or "")


@pytest.fixture
def since(workspace: Workspace) -> Callable[[], list[Run]]:
    """The runs that were submitted since the test began."""
    known = set(workspace.runs.all)
    return lambda: [run for number, run in sorted(workspace.runs.all.items()) if number not in known]


@dataclass
class Finished:
    """One step that succeeded on serverless compute, with everything that was written or sent."""

    host: Host
    run: Run
    output: subprocess.CompletedProcess[str]
    sent: bytes
    """To the volume."""


@pytest.fixture(scope="module")
def finished(workspace: Workspace, providers_url: str, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    host = host_in(tmp_path_factory.mktemp("finished"), workspace, providers_url)
    sent, answer = [], workspace.volumes.answer

    def keep(method: str, what: str, content: bytes):
        sent.append(content)
        return answer(method, what, content)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workspace.volumes, "answer", keep)
        done = host.run(*STEP)
    assert done.returncode == 0, done.stdout + done.stderr
    [run] = workspace.runs.all.values()
    return Finished(host, run, done, b"".join(sent))


def test_a_step_is_one_run_and_reports_what_it_found(finished):
    run, host = finished.run, finished.host
    assert (run.result, run.cluster_id) == ("SUCCESS", "serverless")
    assert run.asked["run_name"].startswith("claims_assets landing/providers (")
    assert run.asked["timeout_seconds"] == 14_400
    assert any(p.startswith("dagster-databricks==") for p in run.packages)
    [made] = host.events(dg.DagsterEventType.ASSET_MATERIALIZATION)
    assert made.materialization.metadata["dagster/row_count"].value == 2
    assert made.materialization.metadata["Databricks Job Run ID"].value == str(run.run_id)
    assert f"run/{run.run_id}" in str(made.materialization.metadata["Databricks Job Run URL"].value)
    [check] = host.events(dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    assert check.asset_check_evaluation_data.passed
    assert not list((host.workspace.volumes.root / "messages" / "tmp").iterdir()), "nothing stays on the volume"


@pytest.mark.requirement("R35")
def test_no_secret_is_kept_by_dagster_printed_or_sent(finished):
    host, done = finished.host, finished.output
    kept = {str(p): p.read_bytes() for p in host.home.rglob("*") if p.is_file()}
    assert any(p.endswith(".db") and b"ASSET_MATERIALIZATION" in content for p, content in kept.items())
    kept |= {"printed": (done.stdout + done.stderr).encode(), "sent": finished.sent}
    kept |= {"asked": repr(finished.run.asked).encode(), "output": (finished.run.folder / "output").read_bytes()}
    assert b"CLAIMS_PROVIDERS_URL" in finished.sent, "by its name alone"
    secrets = [TOKEN.encode(), host.password.encode()]
    assert all(secrets)
    assert [name for name, content in kept.items() if any(s in content for s in secrets)] == []


def test_each_month_brings_its_own_metadata_from_a_cluster(host, since):
    months = ("--from", "2025-01", "--to", "2025-03")
    chosen = 'key:"landing/medical_claims" or key:"bronze/medical_claims"'
    done = host.run("run", "--select", chosen, *months, CLAIMS_CLUSTER_ID=CLUSTER)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [(run.result, run.cluster_id) for run in since()] == [("SUCCESS", CLUSTER)] * 2
    made = [e.materialization for e in host.events(dg.DagsterEventType.ASSET_MATERIALIZATION)]
    rows = {m.partition: m.metadata["dagster/partition_row_count"].value for m in made if m.partition}
    assert rows == {"2025-01": 1, "2025-02": 0, "2025-03": 1}


@pytest.mark.requirement("R35")
def test_a_step_that_fails_says_one_sentence_without_the_secret(host, workspace, monkeypatch):
    wrong = f"postgresql://reader:{host.password}@127.0.0.1:1/none"
    monkeypatch.setitem(workspace.scopes._scopes[SCOPE], "CLAIMS_PROVIDERS_URL", wrong)
    done = host.run(*STEP)
    assert done.returncode != 0
    said = failure_of(host)
    assert said.startswith("The provider database on 127.0.0.1:1 failed (")
    assert said.endswith(": check CLAIMS_PROVIDERS_URL.") and "\n" not in said
    kept = b"".join(p.read_bytes() for p in host.home.rglob("*") if p.is_file())
    assert host.password.encode() not in kept + (done.stdout + done.stderr).encode()


def test_a_process_that_dies_is_one_sentence(host, workspace):
    workspace.faults.add({"kind": "death", "seconds": 0.1})
    done = host.run(*STEP)
    assert done.returncode != 0
    said = failure_of(host)
    assert said.startswith("landing/providers could not be run there (") and "the spot instance" in said
    assert not host.events(dg.DagsterEventType.ASSET_MATERIALIZATION)


@pytest.mark.parametrize("changes", [{"DATABRICKS_TOKEN": "wrong"}, {"CLAIMS_PIPES_VOLUME": "/Volumes/not/mine"}])
def test_a_workspace_that_refuses_is_one_sentence(host, since, changes):
    host.environment |= changes
    assert host.run(*STEP).returncode != 0
    assert failure_of(host).startswith("The Databricks workspace answered: ")
    assert not since()


def failure_of(host: Host) -> str:
    """The sentence of the one step that failed."""
    [failed] = host.events(dg.DagsterEventType.STEP_FAILURE)
    data = failed.step_failure_data.user_failure_data
    return (data.description or "") if data else ""


@pytest.mark.parametrize("cluster", ["", CLUSTER])
def test_ending_the_dagster_run_ends_the_process_there(host, since, cluster):
    two = ("run", "--select", 'key:"landing/providers" or key:"landing/member_contacts"')
    command = [Path(sys.executable).with_name("claims"), *two]
    environment = without_settings() | host.environment | {"CLAIMS_HOME": str(host.home), "CLAIMS_CLUSTER_ID": cluster}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as ours:
        until(lambda: since() and since()[0].process and since()[0].process.began.is_set())
        ours.send_signal(signal.SIGINT)
        ours.communicate(timeout=60)
    [run] = since()  # and not the other step after it
    until(run.done.is_set)
    assert (run.result, ours.returncode != 0) == ("CANCELED", True)
    with pytest.raises(ProcessLookupError):
        os.killpg(run.process.pid, 0)
    assert not host.events(dg.DagsterEventType.ASSET_MATERIALIZATION)
