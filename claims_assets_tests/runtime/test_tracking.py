"""The registry: versions carry what they know, champions keep their months, models load anywhere."""

import json
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from mlflow import MlflowClient

from claims_assets.runtime.model_versions import NoWayBack
from claims_assets.runtime.tracking import EXPERIMENT, Tracking
from claims_assets_tests.models.artifacts import artifact, members
from claims_assets_tests.models.registry import empty_registry

TAGS = {"as_of_month": "2025-06", "training_data": "abc", "parameters": "p1", "threshold": "0.25"}
ROWS = members(50, seed=2)


@pytest.fixture
def tracking(tmp_path: Path, tmp_path_factory) -> Tracking:
    return empty_registry(tmp_path / "new" / "folder", tmp_path_factory)


@pytest.fixture(scope="module")
def fitted():
    return artifact()


def client(tracking):
    return MlflowClient(tracking.uri, tracking.uri)


def register(tracking, model, name="m", **tags):
    with tracking.run(f"{name} run", {"dagster_run_id": "d1"}) as run:
        return tracking.register(run, name, model, TAGS | tags)


def three(tracking, model):
    for month in ("2025-03", "2025-06", "2025-09"):
        register(tracking, model, as_of_month=month)


def champions(tracking, *months):
    """Version that was champion in each of these months; None: nobody."""
    versions = tracking.versions("m")
    found = [[v.version for v in versions if v.champion_at(m)] for m in months]
    assert all(len(f) <= 1 for f in found)
    return [f[0] if f else None for f in found]


def aliases(tracking):
    return {a: int(v) for a, v in client(tracking).get_registered_model("m").aliases.items()}


def test_looking_into_a_registry_that_is_not_there_makes_none(tmp_path):
    tracking = Tracking(uri=f"sqlite:///{tmp_path}/new/mlflow.db")
    assert tracking.versions("m") == []
    assert tracking.champion("m") is None
    assert list(tmp_path.iterdir()) == []


def test_a_run_holds_what_was_logged(tracking, tmp_path):
    with tracking.run("one", {"dagster_run_id": "d1"}) as run:
        run.log({"seed": 42}, {"test_auc": 0.8}, {"absent.rule_auc": "one class"})
        run.log_json("importance.json", {"age": 0.7})
        run.log_text("card.md", "# Card\n")
        assert client(tracking).get_run(run.run_id).info.status == "RUNNING"
    stored = client(tracking).get_run(run.run_id)
    assert (stored.data.params, stored.data.metrics) == ({"seed": "42"}, {"test_auc": 0.8})
    assert stored.data.tags["absent.rule_auc"] == "one class"
    artifacts = tmp_path / "new" / "folder" / "artifacts" / run.run_id / "artifacts"
    assert json.loads((artifacts / "importance.json").read_text()) == {"age": 0.7}
    assert (artifacts / "card.md").read_text() == "# Card\n"
    assert client(tracking).get_experiment_by_name(EXPERIMENT).experiment_id == stored.info.experiment_id


def test_versions_carry_what_they_know(tracking, fitted):
    register(tracking, fitted)
    register(tracking, fitted, as_of_month="2025-09", threshold="")
    tracking.tag("m", 2, gate="below_floor", note="of ours")
    one, two = tracking.versions("m")
    assert (one.version, one.as_of_month, one.training_data, one.parameters, one.threshold, one.alias, one.gate) == (
        1, "2025-06", "abc", "p1", 0.25, None, "",
    )  # fmt: skip
    assert (two.version, two.as_of_month, two.threshold, two.gate) == (2, "2025-09", None, "below_floor")
    assert two.tags["note"] == "of ours"
    assert (one.reigns, one.champion_from, one.champion_until) == ((), "", "")
    assert tracking.versions("another") == []


def test_a_verdict_that_the_gate_does_not_know_counts_as_none(tracking, fitted):
    register(tracking, fitted)
    tracking.tag("m", 1, gate="surely fine")
    assert tracking.versions("m")[0].gate == ""


def test_a_champion_reigns_from_its_month_until_the_next_one(tracking, fitted):
    three(tracking, fitted)
    tracking.crown("m", 1, "2025-03")
    assert (tracking.champion("m").version, aliases(tracking)) == (1, {"champion": 1})
    tracking.challenge("m", 3)
    tracking.crown("m", 3, "2025-09")
    assert aliases(tracking) == {"champion": 3, "previous": 1, "challenger": 3}
    one, two, three_ = tracking.versions("m")
    assert (one.champion_from, one.champion_until, one.alias) == ("2025-03", "2025-09", "previous")
    assert (two.champion_from, two.champion_until, two.alias) == ("", "", None)
    assert (three_.champion_from, three_.champion_until, three_.alias) == ("2025-09", "", "champion")
    assert champions(tracking, "2025-02", "2025-03", "2025-08", "2025-09", "2030-01") == [None, 1, 1, 3, 3]
    assert one.tags["champion_from"] == "2025-03"
    assert one.tags["champion_until"] == "2025-09"
    assert "champion_until" not in three_.tags


def test_crowning_the_champion_again_changes_nothing(tracking, fitted):
    three(tracking, fitted)
    tracking.crown("m", 1, "2025-03")
    tracking.crown("m", 2, "2025-06")
    before = (aliases(tracking), [v.reigns for v in tracking.versions("m")])
    tracking.crown("m", 2, "2025-06")
    tracking.crown("m", 2, "2025-09")
    assert (aliases(tracking), [v.reigns for v in tracking.versions("m")]) == before


def test_a_champion_of_the_past_leaves_the_reigning_one_alone(tracking, fitted):
    three(tracking, fitted)
    tracking.crown("m", 2, "2025-06")
    tracking.crown("m", 1, "2025-03")
    assert aliases(tracking) == {"champion": 2}
    assert champions(tracking, "2025-03", "2025-05", "2025-06") == [1, 1, 2]


def test_only_a_version_that_is_there_can_be_crowned(tracking, fitted):
    three(tracking, fitted)
    tracking.crown("m", 1, "2025-03")
    with pytest.raises(ValueError, match="no version 7"):
        tracking.crown("m", 7, "2025-04")
    assert champions(tracking, "2025-05") == [1]


@pytest.mark.requirement("R2")
def test_a_rollback_brings_the_champion_before_back_and_keeps_the_past(tracking, fitted):
    """R2"""
    three(tracking, fitted)
    tracking.crown("m", 1, "2025-03")
    tracking.crown("m", 2, "2025-06")
    back = tracking.rollback("m", "2025-08")
    assert (back.version, back.alias) == (1, "champion")
    assert aliases(tracking) == {"champion": 1}
    assert champions(tracking, "2025-05", "2025-06", "2025-07", "2025-08") == [1, 2, 2, 1]
    with pytest.raises(NoWayBack, match="no champion before version 1"):
        tracking.rollback("m", "2025-09")
    tracking.crown("m", 3, "2025-09")
    assert aliases(tracking) == {"champion": 3, "previous": 1}
    assert tracking.rollback("m", "2025-09").version == 1
    assert champions(tracking, "2025-05", "2025-07", "2025-08", "2025-09") == [1, 2, 1, 1]


def test_two_rollbacks_go_back_twice(tracking, fitted):
    three(tracking, fitted)
    for version, month in ((1, "2025-03"), (2, "2025-06"), (3, "2025-09")):
        tracking.crown("m", version, month)
    assert [tracking.rollback("m", "2025-10").version for _ in range(2)] == [2, 1]
    assert champions(tracking, "2025-05", "2025-08", "2025-09", "2025-10") == [1, 2, 3, 1]


def test_a_rollback_needs_a_champion_and_one_before_it_and_a_month_of_its_time(tracking, fitted):
    with pytest.raises(NoWayBack, match="no champion to take back"):
        tracking.rollback("m", "2025-08")
    three(tracking, fitted)
    tracking.crown("m", 1, "2025-03")
    with pytest.raises(NoWayBack, match="no champion before version 1"):
        tracking.rollback("m", "2025-08")
    tracking.crown("m", 2, "2025-06")
    with pytest.raises(NoWayBack, match="champion since 2025-06: give --month 2025-06"):
        tracking.rollback("m", "2025-05")
    assert aliases(tracking) == {"champion": 2, "previous": 1}
    assert tracking.rollback("m", "2025-06").version == 1
    assert champions(tracking, "2025-03", "2025-06") == [1, 1]
    assert tracking.versions("m")[1].tags.keys().isdisjoint({"champion_from", "champion_until", "champion_months"})


def test_a_champion_that_somebody_set_by_hand_reigns_from_its_own_month(tracking, fitted):
    three(tracking, fitted)
    client(tracking).set_registered_model_alias("m", "champion", "2")
    assert champions(tracking, "2025-05", "2025-06", "2026-01") == [None, 2, 2]
    tracking.crown("m", 3, "2025-09")
    assert champions(tracking, "2025-06", "2025-09") == [2, 3]
    client(tracking).set_registered_model_alias("m", "champion", "1")
    assert champions(tracking, "2025-03", "2025-06", "2025-09") == [None, 2, 1]


@pytest.mark.requirement("R2")
def test_a_loaded_version_predicts_as_the_fitted_one(tracking, fitted):
    """R2"""
    version = register(tracking, fitted)
    loaded = tracking.load("m", version.version)
    assert loaded.facts == fitted.facts
    assert loaded.predict(ROWS).tobytes() == fitted.predict(ROWS).tobytes()


def test_a_program_that_registers_a_model_prints_nothing(tracking):
    program = "from claims_assets_tests.runtime.test_tracking import *\nregister(Tracking(uri=sys.argv[1]), artifact())"
    done = subprocess.run([sys.executable, "-c", program, tracking.uri], capture_output=True, text=True, check=True)
    assert done.stdout + done.stderr == ""
    assert len(tracking.versions("m")) == 1


def test_results_are_those_of_the_run_that_registered(tracking, fitted):
    with tracking.run("one", {}) as run:
        run.log({}, {"test_auc": 0.75}, {"absent.x": "why"})
        version = tracking.register(run, "m", fitted, TAGS)
    metrics, tags = tracking.results(version)
    assert metrics == {"test_auc": 0.75}
    assert tags["absent.x"] == "why"


def test_a_run_makes_the_registry_and_its_folder(tmp_path):
    tracking = Tracking(uri=f"sqlite:///{tmp_path}/new/mlflow.db")
    with tracking.run("one", {}):
        assert (tmp_path / "new" / "mlflow.db").exists()


def test_artifacts_go_where_they_are_told(tracking, tmp_path, fitted):
    told = Tracking(uri=tracking.uri, artifacts=str(tmp_path / "elsewhere"))
    register(told, fitted)
    assert list((tmp_path / "elsewhere").rglob("model.ubj"))
    assert not (tmp_path / "new" / "folder" / "artifacts").exists()


def test_a_version_that_others_registered_is_read_without_our_tags(tracking, fitted):
    with tracking.run("one", {}) as run:
        tracking.register(run, "m", fitted, {})
    (found,) = tracking.versions("m")
    assert (found.as_of_month, found.threshold, found.gate) == ("", None, "")


def test_in_a_catalog_a_model_has_a_name_of_three_parts_outside_and_its_own_inside(tracking, fitted):
    in_catalog = tracking.model_copy(update={"catalog": "claims_dev"})
    version = register(in_catalog, fitted)
    assert [m.name for m in client(tracking).search_registered_models()] == [f"claims_dev.models.{version.name}"]
    in_catalog.crown(version.name, version.version, "2025-06")
    in_catalog.tag(version.name, version.version, gate="passed")
    assert [(v.name, v.alias, v.gate) for v in in_catalog.versions("m")] == [("m", "champion", "passed")]
    assert tracking.versions(version.name) == []
    assert in_catalog.load("m", version.version).predict(ROWS).tobytes() == fitted.predict(ROWS).tobytes()


def test_versions_registered_at_once_are_all_there(tracking, fitted):
    """The first of them also makes the experiment and the registered model, while the others look for them."""
    together = threading.Barrier(3)

    def one(n):
        together.wait()
        return register(tracking, fitted, as_of_month=f"2025-0{n}").version

    with ThreadPoolExecutor(3) as pool:
        assert sorted(pool.map(one, (1, 2, 3))) == [1, 2, 3]
    assert sorted(v.as_of_month for v in tracking.versions("m")) == ["2025-01", "2025-02", "2025-03"]
