"""The jobs of `claims job` as a scheduler runs them: real processes on the demo's lake and registry."""

import json
import os

import pytest
from deltalake import DeltaTable
from mlflow import MlflowClient

from claims_assets_tests.console import claims
from claims_assets_tests.end_to_end.conftest import END

MONTH = "2025-06"
HOOKS = """
import json, os

def pre_job(job):
    _write({"when": "before", "job": job.name, "environment": job.environment, "flags": dict(job.flags)})

def post_job(job, outcome):
    _write({"when": "after", "job": job.name, "succeeded": outcome.succeeded, "metrics": dict(outcome.metrics),
            "error": outcome.error})
    raise RuntimeError("the ticket system is down")

def _write(line):
    with open(os.environ["TOLD"], "a") as file:
        file.write(json.dumps(line) + "\\n")
"""


@pytest.fixture(scope="module")
def job(demo, tmp_path_factory):
    """`job("score", ...)`: the finished process, and what the hooks were told of it."""
    folder = tmp_path_factory.mktemp("hooks")
    (folder / "plan_hooks.py").write_text(HOOKS)
    told = folder / "told.jsonl"

    def run(*arguments, **more):
        told.write_text("")
        path = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
        hooks = {"CLAIMS_HOOKS": "plan_hooks", "PYTHONPATH": path, "TOLD": str(told)}
        done = claims(demo.home, "job", *arguments, **hooks, **more)
        return done, [json.loads(line) for line in told.read_text().splitlines()]

    return run


def stored(demo, schema, table):
    return DeltaTable(str(demo.lake / schema / table)).to_pyarrow_table()


@pytest.mark.requirement("R32")
def test_ingest_brings_the_claims_up_to_date_and_copies_them(demo, job):
    done, told = job("ingest", "--environment", "dev", "--catalog", "dev_fraud_detection", "--schema", "claims")
    assert done.returncode == 0, done.stderr[-2000:]
    ours, copied = stored(demo, "silver", "medical_claims"), stored(demo, "claims", "medical_claims")
    assert (copied.num_rows, copied.schema.names) == (ours.num_rows, ours.schema.names)
    before, after = told
    assert before["flags"] == {"environment": "local", "catalog": "dev_fraud_detection", "schema": "claims"}
    assert (after["succeeded"], after["metrics"]["rows"], after["metrics"]["newest_month"]) == (
        True,
        ours.num_rows,
        END,
    )
    assert "The hook plan_hooks.post_job failed at job ingest (RuntimeError in plan_hooks.py, line 10)." in done.stderr
    assert "the ticket system is down" not in done.stderr


@pytest.mark.requirement("R32")
def test_train_registers_a_detector_of_the_month_in_the_experiment_that_is_named(demo, job):
    done, told = job(
        "train", "--model-type", "xgboost", "--month", MONTH, "--experiment-name", "/test", "--run-name", "test-local",
        "--schema", "claims",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    client = MlflowClient(f"sqlite:///{demo.home}/mlflow/mlflow.db")
    experiment = client.get_experiment_by_name("/test")
    assert experiment
    (run,) = client.search_runs([experiment.experiment_id])
    assert (run.info.run_name, run.info.status) == ("test-local", "FINISHED")
    metrics = told[-1]["metrics"]
    assert metrics["month"] == MONTH
    for name in ("mean_fraud_score", "p95_fraud_score", "p99_fraud_score"):
        assert metrics[name] == run.data.metrics[name]
    names = {m.name for m in client.search_registered_models() if m.name.startswith("fraud_detector_")}
    assert "fraud_detector_xgboost_claim_amount" in names
    assert (
        stored(demo, "claims", "fraud_scores_xgboost").num_rows == stored(demo, "gold", "fraud_scores_xgboost").num_rows
    )


@pytest.mark.requirement("R31", "R32")
def test_score_then_monitor_then_a_fairness_verdict_that_fails_where_too_few_can_be_judged(demo, job):
    done, told = job("score")
    assert done.returncode == 0, done.stderr[-2000:]
    assert told[-1]["metrics"]["rows"] == stored(demo, "gold", "claim_fraud_scores").num_rows
    done, _ = job("monitor")
    assert done.returncode == 0, done.stderr[-2000:]
    done, told = job(
        "fairness-validate", "--protected-attributes", "race,gender", "--threshold-percentile", "99",
        "--output-table", "dev.claims.fairness",
    )  # fmt: skip
    assert done.returncode == 1
    sentence = f"Fraud flags of {END} are not shown to be fair. race: no two groups are large enough to be compared"
    assert sentence in " ".join(done.stderr.split())
    after = told[-1]
    assert (after["succeeded"], after["metrics"]["race_is_fair"]) == (False, False)
    assert after["error"].startswith(sentence)
    assert stored(demo, "claims", "fairness").num_rows == stored(demo, "monitoring", "fairness_results").num_rows
    assert "Traceback" not in done.stderr


def test_no_hook_is_told_of_a_member(demo, job):
    members = {m for m in stored(demo, "silver", "members")["member_id"].to_pylist() if len(m) > 4}
    _, told = job("score", "--schema", "claims")
    assert len(told) == 2
    assert not [m for m in members if m in json.dumps(told)]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["ingest", "--environment", "prod"],
            "asks for production, and CLAIMS_ENV is local: set CLAIMS_ENV=production",
        ),
        (["score", "--schema", "gold", "--output-table", "members"], "gold is a schema of the project's own tables"),
        (["fairness-validate", "--protected-attributes", "gender,shoe size"], "names 'shoe size': give some"),
        (["train", "--model-type", "xgboost", "--run-name", "it's"], "has a quote or a backslash in it"),
        (["train", "--model-type", "forest"], "'forest' is not one of 'xgboost', 'catboost'"),
        (["train"], "Missing option '--model-type'"),
        (["fairness-validate", "--threshold-percentile", "101"], "101.0 is not in the range"),
        (["fairness-validate", "--month", "2019-01"], "No claim of 2019-01 has a fraud score"),
        (["score", "--month", "June"], "No such option"),
    ],
)
def test_what_can_not_be_done_is_one_sentence_and_no_success(job, arguments, sentence):
    done, _ = job(*arguments)
    said = " ".join(done.stderr.split())
    assert done.returncode != 0
    assert sentence in said, said[-600:]
    assert "Traceback" not in done.stderr


def test_a_hook_that_does_not_exist_stops_the_job_before_it_runs(demo):
    done = claims(demo.home, "job", "score", CLAIMS_HOOKS="no_such_hooks")
    assert done.returncode == 1
    assert "CLAIMS_HOOKS names no_such_hooks, which can't be imported" in " ".join(done.stderr.split())
