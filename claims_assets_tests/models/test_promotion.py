"""What a run does with a verdict: the registry and the record after each, and after a run that was stopped."""

import sqlite3

import dagster as dg
import pytest
from mlflow import MlflowClient
from mlflow.artifacts import load_text

from claims_assets.models.promotion import MODELS, promotion
from claims_assets.models.promotion_report import checks
from claims_assets.monitoring.model_decisions import stored
from claims_assets.predictions.holdout_predictions import publish, read_holdout
from claims_assets.runtime.compute import computes_for
from claims_assets_tests.models.governance.world import GOOD, MONTH, NAME, NEXT_MONTH, POOR, World, model_of


@pytest.fixture
def world(lake, tracking) -> World:
    return World(lake, tracking)


def decisions(world: World) -> list[tuple]:
    return [(d.claim_month, d.challenger, d.decision, d.champion_before, d.champion_after) for d in stored(world.lake)]


def test_a_good_model_becomes_champion_and_the_record_says_why(world):
    world.trained(model_of(GOOD))
    told = world.judge()
    assert told.verdict.outcome == "passed"
    assert (world.aliases(), world.gates()) == ({"champion": 1}, ["passed"])
    assert decisions(world) == [(MONTH, 1, "promoted", None, 1)]
    (row,) = stored(world.lake)
    assert row.reasons == ("It passes every criterion, and there is no champion.",)
    assert (row.measure, row.run_id, row.actor, row.is_final) == ("average_precision", "run", "gate", True)
    assert 0 < row.gain_on_rule_low < row.gain_on_rule < row.gain_on_rule_high
    assert row.value_low < row.value < row.value_high


def test_the_model_card_says_what_was_decided_and_asked(world):
    version = world.trained(model_of(GOOD))
    world.judge()
    run = MlflowClient(world.tracking.uri, world.tracking.uri).get_run(version.run_id)
    told = load_text(f"{run.info.artifact_uri}/model_card.md")
    assert "Decision: promoted." in told
    assert "| recall | 0.7" in told


@pytest.mark.requirement("R24")
def test_a_version_whose_run_is_gone_is_refused(world):
    world.trained(model_of(GOOD))
    with sqlite3.connect(world.tracking.uri.removeprefix("sqlite:///")) as registry:
        registry.execute("update model_versions set run_id = 'gone'")
    told = world.judge().decision
    assert (told.decision, told.is_final, world.gates()) == ("refused", False, ["refused"])
    assert told.reasons[0] == "run's measures: could not be read (MlflowException)."


def test_a_version_is_judged_once_and_keeps_its_decision(world):
    world.trained(model_of(GOOD))
    first = world.judge()
    world.leaks = {"age": 3}
    again = world.judge(run_id="another")
    assert (again.decision, again.is_new, again.verdict) == (first.decision, False, None)
    assert len(stored(world.lake)) == 1
    assert world.aliases() == {"champion": 1}


def test_a_better_model_takes_over_and_the_former_champion_keeps_its_months(world):
    world.trained(model_of(POOR))
    world.judge()
    world.trained(model_of(GOOD), NEXT_MONTH, seed=2)
    told = world.judge(NEXT_MONTH)
    assert world.aliases() == {"champion": 2, "previous": 1}
    assert decisions(world)[-1] == (NEXT_MONTH, 2, "promoted", 1, 2)
    assert 0 < told.decision.gain_on_champion_low < told.decision.gain_on_champion
    assert told.decision.reasons[0].endswith(" above the champion's.")
    first, second = world.tracking.versions(NAME)
    assert (first.reigns, second.reigns) == (((MONTH, NEXT_MONTH),), ((NEXT_MONTH, ""),))


def test_a_worse_challenger_passes_and_the_champion_stays(world):
    world.trained(model_of(GOOD))
    world.judge()
    world.trained(model_of(POOR), NEXT_MONTH, seed=2)
    told = world.judge(NEXT_MONTH)
    assert (world.aliases(), world.gates()) == ({"champion": 1, "challenger": 2}, ["passed", "passed"])
    assert decisions(world)[-1] == (NEXT_MONTH, 2, "kept", 1, 1)
    assert told.decision.gain_on_champion_high < 0
    assert "is not better than the champion's beyond chance" in told.decision.reasons[0]


@pytest.mark.requirement("R25")
def test_an_equal_model_is_no_better(world):
    world.trained(model_of(GOOD))
    world.judge()
    world.trained(model_of(GOOD), NEXT_MONTH, seed=2)
    assert world.judge(NEXT_MONTH).decision.decision == "kept"
    assert stored(world.lake)[-1].gain_on_champion == 0


@pytest.mark.requirement("R25")
def test_a_version_is_not_compared_with_itself_and_that_is_recorded_once(world):
    world.trained(model_of(GOOD))
    world.tracking.crown(NAME, 1, MONTH)
    (before,) = world.tracking.versions(NAME)
    assert [world.judge().decision.decision for _ in range(2)] == ["same_version"] * 2
    assert decisions(world) == [(MONTH, 1, "same_version", 1, 1)]
    assert stored(world.lake)[0].gain_on_champion is None
    assert world.gates() == ["passed"]
    (after,) = world.tracking.versions(NAME)
    assert (after.alias, after.reigns) == (before.alias, before.reigns)


def test_a_champion_by_hand_is_judged_like_any_other(world):
    world.trained(model_of(GOOD), test_recall=None)
    world.tracking.crown(NAME, 1, MONTH)
    assert world.judge().decision.decision == "refused"
    assert world.gates() == ["refused"]
    world.trained(model_of(GOOD), NEXT_MONTH, seed=2)
    told = world.judge(NEXT_MONTH).decision
    assert told.reasons == ("It passes every criterion, and there is no champion that did.",)
    assert (told.champion_before, told.champion_after, world.aliases()["champion"]) == (1, 2, 2)


@pytest.mark.requirement("R14", "R24")
def test_a_version_whose_run_lacks_a_measure_is_refused(world):
    world.trained(model_of(GOOD), test_recall=None)
    assert world.judge().decision.decision == "refused"
    assert (world.aliases(), world.gates()) == ({}, ["refused"])
    assert stored(world.lake)[0].reasons == ("The run has no finite test_recall.",)


@pytest.mark.requirement("R24")
def test_a_run_that_states_better_measures_than_its_rows_give_is_refused(world):
    world.trained(model_of(GOOD), test_recall=0.99)
    assert world.judge().decision.reasons[0].startswith("test_recall is 0.990, the held-out rows give 0.")


@pytest.mark.requirement("R21")
def test_a_leak_refuses_and_names_the_feature(world):
    world.trained(model_of(GOOD))
    world.leaks = {"er_visit_count_12mo": 4}
    assert world.judge().decision.reasons == ("Features hold what was not known at their month: er_visit_count_12mo.",)
    assert world.gates() == ["refused"]


def test_a_model_below_a_floor_is_no_champion_and_says_so(world):
    world.trained(model_of(GOOD, threshold=0.6))
    told = world.judge().decision
    assert (told.decision, world.aliases(), world.gates()) == ("below_floor", {}, ["below_floor"])
    assert [r.split(" is ")[0] for r in told.reasons] == ["recall"]


def test_without_held_out_rows_a_version_is_refused_and_nothing_is_named(world):
    world.trained(model_of(GOOD))
    rows = read_holdout(world.lake, NAME, MONTH)
    publish(world.lake, NAME, MONTH, rows.assign(version=7))
    assert "There are no held-out rows of the test part." in world.judge().decision.reasons[0]


def test_a_file_that_is_gone_refuses_until_it_is_back(world):
    world.trained(model_of(GOOD))
    folder = world.tracking.folder(NAME, 1)
    hidden = folder.rename(folder.with_name("hidden"))
    gone = [world.judge() for _ in range(2)]
    (reason,) = gone[0].decision.reasons
    assert reason.startswith("stored model: could not be read (")
    assert [a.is_new for a in gone] == [True, False]
    assert world.gates() == ["refused"]
    hidden.rename(folder)
    assert world.judge().decision.decision == "promoted"
    assert [d.decision for d in stored(world.lake)] == ["refused", "promoted"]
    assert (world.aliases(), world.gates()) == ({"champion": 1}, ["passed"])


def test_a_file_of_another_model_is_refused(world):
    world.trained(model_of(GOOD))
    model_of(POOR).save(world.tracking.folder(NAME, 1) / "data")
    assert "otherwise than the held-out rows say" in world.judge().decision.reasons[0]


def test_a_champion_that_can_not_be_read_stays_and_the_record_says_why(world):
    world.trained(model_of(POOR))
    world.judge()
    folder = world.tracking.folder(NAME, 1)
    folder.rename(folder.with_name("hidden"))
    world.trained(model_of(GOOD), NEXT_MONTH, seed=2)
    told = world.judge(NEXT_MONTH).decision
    assert (told.decision, world.aliases()["champion"]) == ("kept", 1)
    assert told.reasons[0].startswith("The champion, version 1, could not score the test members (")


@pytest.mark.parametrize("stopped_at", ["crown", "tag"])
def test_a_run_that_was_stopped_half_way_is_ended_by_the_next(world, stopped_at, monkeypatch):
    world.trained(model_of(GOOD))

    def stop(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(type(world.tracking), stopped_at, stop)
        with pytest.raises(KeyboardInterrupt):
            world.judge()
    assert world.judge().decision.decision == "promoted"
    assert (world.aliases(), world.gates(), len(stored(world.lake))) == ({"champion": 1}, ["passed"], 1)
    assert world.tracking.versions(NAME)[0].reigns == ((MONTH, ""),)


def test_a_rolled_back_version_is_not_made_champion_again(world):
    world.trained(model_of(POOR))
    world.judge()
    world.trained(model_of(GOOD), NEXT_MONTH, seed=2)
    world.judge(NEXT_MONTH)
    world.tracking.rollback(NAME, NEXT_MONTH)
    world.judge(NEXT_MONTH)
    assert world.aliases()["champion"] == 1


def test_a_month_without_a_version_is_recorded_once_where_models_train(world):
    for month in (MONTH, MONTH, "2025-07"):
        assert world.judge(month).decision.decision == "nothing_to_judge"
    assert decisions(world) == [(MONTH, None, "nothing_to_judge", None, None)]


def test_two_versions_of_a_month_are_judged_in_their_order(world):
    world.trained(model_of(POOR))
    world.judge()
    world.trained(model_of(GOOD))
    world.judge()
    assert decisions(world) == [(MONTH, 1, "promoted", None, 1), (MONTH, 2, "promoted", 1, 2)]
    assert world.aliases() == {"champion": 2, "previous": 1}


def test_the_check_speaks_of_the_newest_judged_month(world):
    def check():
        found = {c.check_name: c for c in checks(world.lake, MODELS)}
        assert found.keys() == {f"{m.name}_passes_the_gate" for m in MODELS}
        return found[f"{NAME}_passes_the_gate"]

    assert check().passed
    world.trained(model_of(GOOD))
    world.judge()
    assert check().passed
    world.trained(model_of(GOOD), NEXT_MONTH, seed=2, test_recall=None)
    world.judge(NEXT_MONTH)
    failed = check()
    assert (failed.passed, failed.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert failed.metadata["reasons"].value == "- The run has no finite test_recall."


def test_the_asset_judges_months_in_their_order_and_a_part_that_is_missing_refuses(world, spark_resource):
    """The lake has no claims, so the features can't be built again."""
    world.trained(model_of(GOOD))
    world.trained(model_of(GOOD), NEXT_MONTH, seed=2)
    resources = {"lake": world.lake, "tracking": world.tracking, "spark": spark_resource, **computes_for(None)}
    job = dg.Definitions(
        assets=[promotion], resources=resources, executor=dg.in_process_executor
    ).resolve_implicit_global_asset_job_def()
    asked = {"dagster/asset_partition_range_start": MONTH, "dagster/asset_partition_range_end": NEXT_MONTH}
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(instance=instance, tags=asked)
    assert result.success
    told = {e.partition: e.metadata for e in result.asset_materializations_for_node(promotion.op.name)}
    assert sorted(told) == [MONTH, "2025-07", "2025-08", NEXT_MONTH]
    assert told[MONTH][f"{NAME}_decision"].value == "refused"
    assert "- time travel: could not be read (" in told[MONTH]["decisions"].value
    assert "| auc | 0." in told[MONTH]["decisions"].value
    assert told["2025-07"][f"{NAME}_decision"].value == "nothing_to_judge"
    (check,) = [e for e in result.get_asset_check_evaluations() if e.check_name == f"{NAME}_passes_the_gate"]
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert world.gates() == ["refused", "refused"]
