"""The jobs against the real graph: what they build, in which order, when, on which cluster."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from click.testing import CliRunner
from dagster._utils.schedules import cron_string_iterator, is_valid_cron_string

from claims_assets.cli.main import claims
from claims_assets.definitions import defs
from claims_assets.layers import LAYERS
from claims_assets_tests.deployment.bundle import TARGETS, raw, resolved

IN_SEQUENCE = ("bronze_ingestion", "silver_cleaning", "feature_engineering", "model_training", "scoring_and_outreach")
VALIDATION = "fairness_validation"
SIZES = ("small", "medium", "large")
WHEN = {
    # Next start after Saturday, 2026-08-01 12:00 in New York; timeout and retries as in docs/operations.md.
    "bronze_ingestion": ("2026-08-02 01:00", 7_200, 2),
    "silver_cleaning": ("2026-08-02 02:00", 7_200, 2),
    "feature_engineering": ("2026-08-02 03:00", 10_800, 2),
    "model_training": ("2026-09-01 00:00", 14_400, 1),
    "scoring_and_outreach": ("2026-08-02 04:00", 7_200, 2),
}


@pytest.fixture(scope="module")
def graph():
    return defs.resolve_asset_graph()


def job(name, target="prod"):
    return resolved(target)["resources"]["jobs"][name]


def task(name, key="run"):
    return next(t for t in job(name)["tasks"] if t["task_key"] == key)


def selected(name, graph):
    parameters = task(name)["python_wheel_task"]["parameters"]
    command, option, selection = parameters
    assert (command, option) == ("run", "--select")
    return dg.AssetSelection.from_string(selection).resolve(graph) & graph.materializable_asset_keys


def standard(quartz):
    """Quartz to plain cron: no seconds, and `*` for `?`."""
    seconds, *rest = quartz.replace("?", "*").split()
    assert seconds == "0"
    return " ".join(rest)


def test_the_jobs_are_those_of_the_requirements():
    assert set(resolved("prod")["resources"]["jobs"]) == {*IN_SEQUENCE, "end_to_end", VALIDATION}


def test_each_asset_is_built_by_exactly_one_job(graph):
    built = [key for name in IN_SEQUENCE for key in selected(name, graph)]
    assert len(built) == len(set(built))
    assert set(built) == graph.materializable_asset_keys


def test_no_job_waits_for_a_later_one(graph):
    done = set()
    for name in IN_SEQUENCE:
        mine = selected(name, graph)
        needed = {parent for key in mine for parent in graph.get(key).parent_keys} & graph.materializable_asset_keys
        assert needed <= done | mine, name
        done |= mine


def test_end_to_end_runs_the_five_in_sequence():
    tasks = job("end_to_end")["tasks"]
    assert [t["run_job_task"]["job_id"] for t in tasks] == [f"${{resources.jobs.{n}.id}}" for n in IN_SEQUENCE]
    before = [[d["task_key"] for d in t.get("depends_on", [])] for t in tasks]
    assert before == [[], *[[t["task_key"]] for t in tasks[:-1]]]
    assert "schedule" not in job("end_to_end")


@pytest.mark.parametrize("name", IN_SEQUENCE)
def test_jobs_start_end_and_repeat_as_the_requirements_say(name):
    schedule = job(name)["schedule"]
    cron = standard(schedule["quartz_cron_expression"])
    assert is_valid_cron_string(cron)
    new_york = ZoneInfo(schedule["timezone_id"])
    assert new_york.key == "America/New_York"
    start = datetime(2026, 8, 1, 12, tzinfo=new_york).astimezone(UTC).timestamp()
    first = next(cron_string_iterator(start, cron, new_york.key))
    expected, timeout, retries = WHEN[name]
    assert first.strftime("%Y-%m-%d %H:%M") == expected
    assert (task(name)["timeout_seconds"], task(name)["max_retries"]) == (timeout, retries)


@pytest.mark.parametrize("target", TARGETS)
def test_schedules_are_paused_in_dev_alone(target):
    resources = resolved(target)["resources"]
    found = {
        r["schedule"]["pause_status"] for k in ("jobs", "alerts") for r in resources[k].values() if "schedule" in r
    }
    assert found == {"PAUSED" if target.startswith("dev") else "UNPAUSED"}


@pytest.mark.parametrize("name", IN_SEQUENCE)
def test_a_job_s_cluster_is_that_of_its_largest_layer(name, graph):
    layers = {graph.get(key).group_name for key in selected(name, graph)}
    largest = max((LAYERS[layer].compute for layer in layers), key=SIZES.index)
    assert [c["job_cluster_key"] for c in job(name)["job_clusters"]] == [largest]
    assert {t["job_cluster_key"] for t in job(name)["tasks"]} == {largest}


@pytest.mark.parametrize("name", IN_SEQUENCE)
def test_tasks_are_commands_of_the_package(name):
    for one in job(name)["tasks"]:
        entry = one["python_wheel_task"]
        assert (entry["package_name"], entry["entry_point"]) == ("claims_assets", "claims_job")
        command, *options = entry["parameters"]
        known = {o for parameter in claims.commands[command].params for o in parameter.opts}
        assert {o for o in options if o.startswith("--")} <= known
        assert CliRunner().invoke(claims, [command, "--help"]).exit_code == 0
        assert one["libraries"] == [{"whl": "../../dist/cluster/*.whl"}]


@pytest.mark.requirement("R31", "R32")
@pytest.mark.parametrize("target", TARGETS)
def test_the_verdict_on_flags_follows_scoring_is_a_command_of_the_package_and_is_given_once(target):
    scoring, validate = job(VALIDATION, target)["tasks"]
    assert scoring["run_job_task"]["job_id"] == "${resources.jobs.scoring_and_outreach.id}"
    assert validate["depends_on"] == [{"task_key": scoring["task_key"]}]
    assert validate["max_retries"] == 0
    entry = validate["python_wheel_task"]
    assert (entry["package_name"], entry["entry_point"]) == ("claims_assets", "claims_job")
    group, command, *options = entry["parameters"]
    parsed = claims.commands[group].commands[command].make_context(command, list(options)).params
    assert parsed["output_table"] == "monitoring.fairness_results"
    assert parsed["catalog"] == raw()["targets"][target]["variables"]["catalog"]


def test_what_a_job_builds_it_publishes(graph):
    for name in IN_SEQUENCE:
        layers = {graph.get(key).group_name for key in selected(name, graph)} - {"sources", "models"}
        schemas = {LAYERS[layer].schema for layer in layers}
        published = {
            p for t in job(name)["tasks"] if t["task_key"] == "publish" for p in t["python_wheel_task"]["parameters"]
        } - {"publish", "--schema", "--tidy"}
        assert published == (schemas | {"quarantine", "monitoring"} if schemas else set())


def test_two_runs_of_a_job_never_overlap():
    for name in (*IN_SEQUENCE, "end_to_end", VALIDATION):
        assert job(name)["max_concurrent_runs"] == 1
        assert job(name)["queue"] == {"enabled": True}
