"""`claims models report` and `rollback`, on real registries."""

import json
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner
from mlflow import MlflowClient

from claims_assets.cli import main
from claims_assets.monitoring import model_decisions
from claims_assets.monitoring.model_decisions import Decision
from claims_assets.runtime.lake import Lake
from claims_assets_tests.console import claims
from claims_assets_tests.models.artifacts import artifact
from claims_assets_tests.models.registry import empty_registry

ER = "er_utilization_predictor"
METRICS = {
    "test_auc": 0.7512, "test_auc_low": 0.71, "test_auc_high": 0.79, "rule_auc": 0.7, "baseline_auc": 0.72,
    "test_rows": 3846.0, "test_positives": 7.0, "test_unseen_auc": 0.7, "score_psi": 0.01,
}  # fmt: skip


@pytest.fixture
def home(tmp_path, tmp_path_factory):
    """A CLAIMS_HOME with an empty registry."""
    empty_registry(tmp_path / "mlflow", tmp_path_factory)
    return tmp_path


@pytest.fixture
def tracking(home):
    from claims_assets.runtime.tracking import Tracking

    return Tracking(uri=f"sqlite:///{home}/mlflow/mlflow.db")


@pytest.fixture
def run(home):
    return lambda *arguments, **environ: CliRunner().invoke(
        main.claims, ["models", *arguments], env={"CLAIMS_HOME": str(home), **environ}
    )


def trained(tracking, month, gate="passed", name=ER):
    """The number of a new version."""
    with tracking.run(f"{name} {month}", {"dagster_run_id": "d"}) as run:
        run.log({"test_index": "2024-03", "train_indexes": "2022-12"}, METRICS, {"absent.test_recall": "no positives"})
        tags = {"as_of_month": month, "training_data": "x", "parameters": "p", "gate": gate}
        return tracking.register(run, name, artifact(), tags).version


def decided(home, month, version, decision, *reasons):
    row = Decision(
        model_decisions.decision_id(ER, month, version), ER, month, decision,
        datetime(2025, 7, 1, tzinfo=UTC), "gate", reasons, challenger=version,
    )  # fmt: skip
    model_decisions.record(Lake(root=str(home / "lake")), [row])


def words(result):
    return " ".join(result.output.split())


def test_where_nothing_is_registered_one_sentence_says_what_to_do(tmp_path, run, home):
    (home / "mlflow" / "mlflow.db").unlink()
    result = run("report")
    assert result.exit_code == 0
    assert words(result).startswith(f"No model is registered under {home} yet: `claims run` trains")
    assert run("report", "--json").output == "[]\n"
    assert not (home / "mlflow" / "mlflow.db").exists()


def test_the_report_shows_the_champion_its_measures_beside_simpler_ways_and_the_decision(run, home, tracking):
    tracking.crown(ER, trained(tracking, "2025-06"), "2025-06")
    trained(tracking, "2025-09", gate="refused")
    decided(home, "2025-06", 1, "promoted", "It passes every criterion.")
    decided(home, "2025-09", 2, "refused", "It is no better than last year's value.")
    said = words(run("report"))
    assert f"{ER} champion version 1, trained as of 2025-06, champion since 2025-06; tested on 3,846 members" in said
    assert "index month 2024-03" in said
    assert "auc 0.751 (0.710 to 0.790) 0.700 0.720" in said
    assert "recall absent: no positives" in said
    assert "decision: refused version 2 (gate, 2025-09) - It is no better than last year's value." in said
    assert "high_cost_predictor not registered" in said
    assert "unseen" not in said
    assert "positives 7" not in said


def test_a_past_month_has_the_champion_and_the_decision_of_its_time(run, home, tracking):
    tracking.crown(ER, trained(tracking, "2025-03"), "2025-03")
    tracking.crown(ER, trained(tracking, "2025-06"), "2025-06")
    decided(home, "2025-03", 1, "promoted", "First.")
    decided(home, "2025-06", 2, "promoted", "Second.")
    (known,) = json.loads(run("report", "--json", "--month", "2025-05").output)
    assert (known["version"], known["status"], known["champion_until"]) == (1, "champion", "2025-06")
    assert known["decision"]["reasons"] == ["First."]
    (known,) = json.loads(run("report", "--json").output)
    assert (known["version"], known["decision"]["reasons"]) == (2, ["Second."])
    assert "as of 2024-12" in words(run("report", "--month", "2024-12"))


@pytest.mark.parametrize(("gate", "status"), [("below_floor", "candidate"), ("refused", "refused"), ("", "not judged")])
def test_without_a_champion_the_newest_version_is_shown_as_what_it_is(run, tracking, gate, status):
    trained(tracking, "2025-06", gate)
    (known,) = json.loads(run("report", "--json").output)
    assert (known["version"], known["status"], known["champion_from"]) == (1, status, "")
    measures = {m["name"]: m for m in known["measures"]}
    assert measures["auc"] == {
        "name": "auc", "value": 0.7512, "low": 0.71, "high": 0.79, "rule": 0.7, "source_algorithm": 0.72, "absent": "",
    }  # fmt: skip
    assert measures["recall"]["absent"] == "no positives"
    assert measures.keys() == {"auc", "recall"}


def test_a_registry_that_a_variable_names_is_the_one_that_is_read(run, home, tracking, tmp_path_factory):
    elsewhere = empty_registry(home / "elsewhere", tmp_path_factory)
    trained(elsewhere, "2025-06")
    assert run("report", "--json").output == "[]\n"
    assert len(json.loads(run("report", "--json", MLFLOW_TRACKING_URI=elsewhere.uri).output)) == 1


@pytest.mark.requirement("R2")
def test_a_rollback_brings_the_champion_before_back_and_is_on_record(run, home, tracking):
    tracking.crown(ER, trained(tracking, "2025-03"), "2025-03")
    tracking.crown(ER, trained(tracking, "2025-06"), "2025-06")
    result = run("rollback", ER, "--month", "2025-08", "--reason", "Too many false alarms.", LOGNAME="ana")
    assert result.exit_code == 0, result.output
    assert f"Version 1 of {ER} is champion again from 2025-08 on, in place of version 2." in result.output
    assert tracking.champion(ER).version == 1
    (decision,) = model_decisions.stored(Lake(root=str(home / "lake")))
    assert (decision.decision, decision.champion_before, decision.champion_after) == ("rolled_back", 2, 1)
    assert (decision.claim_month, decision.reasons, decision.actor) == ("2025-08", ("Too many false alarms.",), "ana")
    assert "decision: rolled back (ana, 2025-08) - Too many false alarms." in words(run("report"))


def test_a_rollback_that_can_not_be_is_refused_with_one_sentence_and_leaves_no_trace(home, tracking):
    refusals = [
        (("er", "--month", "2025-08"), "There is no model 'er': give one of er_utilization_predictor,"),
        ((ER, "--month", "2025-08"), "has no champion to take back"),
    ]
    for arguments, sentence in refusals:
        done = claims(home, "models", "rollback", *arguments)
        assert (done.returncode, done.stdout) == (1, "")
        assert sentence in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
    tracking.crown(ER, trained(tracking, "2025-03"), "2025-03")
    done = claims(home, "models", "rollback", ER, "--month", "2025-08")
    assert "has no champion before version 1: keep it until a newer version passes the gate." in done.stderr
    tracking.crown(ER, trained(tracking, "2025-06"), "2025-06")
    done = claims(home, "models", "rollback", ER, "--month", "2025-01")
    assert "is champion since 2025-06: give --month 2025-06" in done.stderr
    assert not (home / "lake").exists()
    aliases = MlflowClient(tracking.uri, tracking.uri).get_registered_model(ER).aliases
    assert {a: int(v) for a, v in aliases.items()} == {"champion": 2, "previous": 1}


def test_a_rollback_wants_a_month_and_a_reason_that_says_something(run, tracking):
    assert "Missing option '--month'" in run("rollback", ER).output
    assert "A reason must say something" in run("rollback", ER, "--month", "2025-08", "--reason", " ").output
