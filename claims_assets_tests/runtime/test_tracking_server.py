"""The registry over HTTP, as a team has it: a real MLflow server answers as the SQLite file does."""

import os
import signal
import socket
import subprocess
import sys

import mlflow
import pytest
import requests
from mlflow import MlflowClient
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from claims_assets.runtime.tracking import Tracking
from claims_assets_tests.models.artifacts import artifact, members

ROWS = members(20, seed=3)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Address of an MLflow server with a store of its own; its workers end with it."""
    folder = tmp_path_factory.mktemp("server")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    stores = ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--artifacts-destination", str(folder / "files")]
    command = [sys.executable, "-m", "mlflow", "server", *stores, "--port", str(port), "--workers", "1"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, cwd=folder, start_new_session=True, **quiet) as process:
        found = f"http://127.0.0.1:{port}"
        with requests.Session() as session:
            session.trust_env = False
            session.mount("http://", HTTPAdapter(max_retries=Retry(connect=14, backoff_factor=0.2)))
            assert session.get(f"{found}/health", timeout=60).status_code == 200
        yield found
        os.killpg(process.pid, signal.SIGTERM)


@pytest.mark.full
def test_runs_versions_champions_and_models_go_through_a_server(server, capfd):
    tracking, fitted = Tracking(uri=server), artifact()
    for month in ("2025-03", "2025-06"):
        with tracking.run(f"er {month}", {"dagster_run_id": "d"}, {"gold.risk_training_rows": 1}) as run:
            run.log({f"p{i}": i for i in range(120)}, {"test_auc": 0.8}, {})
            version = tracking.register(run, "er", fitted, {"as_of_month": month})
            assert mlflow.active_run() is None
        tracking.crown("er", version.version, month)
    tracking.tag("er", 2, gate="passed")
    assert tracking.rollback("er", "2025-08").version == 1
    assert [(v.alias, v.gate, v.reigns) for v in tracking.versions("er")] == [
        ("champion", "", (("2025-03", "2025-06"), ("2025-08", ""))),
        (None, "passed", (("2025-06", "2025-08"),)),
    ]
    assert tracking.load("er", 1).predict(ROWS).tobytes() == fitted.predict(ROWS).tobytes()
    client = MlflowClient(server, server)
    runs = client.search_runs([client.get_experiment_by_name(tracking.experiment).experiment_id])
    assert [(r.info.status, len(r.data.params), r.data.metrics) for r in runs] == [
        ("FINISHED", 120, {"test_auc": 0.8}),
        ("FINISHED", 120, {"test_auc": 0.8}),
    ]
    assert tracking.results(version)[1]["delta_version.gold.risk_training_rows"] == "1"
    assert "".join(capfd.readouterr()) == ""
