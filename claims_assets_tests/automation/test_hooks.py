"""Plug-ins are told of a job, and can neither change nor break it."""

import sys

import pytest

from claims_assets.automation.hooks import Hooks, Job, Outcome, hooks_for
from claims_assets.setting_values import SettingError
from claims_assets.settings import settings_from_environment

JOB = Job("train", "local", {"model_type": "xgboost"})
CALLED = """
told = []
def pre_job(job):
    told.append(("pre", job.name, dict(job.flags)))
def post_job(job, outcome):
    told.append(("post", job.name, outcome.succeeded, dict(outcome.metrics), outcome.error))
"""


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """Write a module of this name that can be imported for the length of the test."""

    def write(name, text):
        (tmp_path / f"{name}.py").write_text(text)
        return name

    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    yield write
    for name in set(sys.modules) - before:
        del sys.modules[name]


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A distribution whose entry points are in the group of the hooks."""

    def install(*lines):
        folder = tmp_path / "plan_hooks-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: plan-hooks\nVersion: 1.0\n")
        (folder / "entry_points.txt").write_text("[claims_assets.hooks]\n" + "\n".join(lines) + "\n")

    monkeypatch.syspath_prepend(str(tmp_path))
    return install


def test_a_module_is_told_before_and_after_with_metrics(plugin):
    said = []
    hooks = hooks_for([plugin("plan_hooks_a", CALLED)], said.append)
    hooks.before(JOB)
    hooks.after(JOB, Outcome(True, {"p95_fraud_score": 3.5}))
    hooks.after(JOB, Outcome(False, error="No month can be trained."))
    assert sys.modules["plan_hooks_a"].told == [
        ("pre", "train", {"model_type": "xgboost"}),
        ("post", "train", True, {"p95_fraud_score": 3.5}, ""),
        ("post", "train", False, {}, "No month can be trained."),
    ]
    assert said == []


def test_installed_plugins_are_found_and_one_that_does_not_load_is_told_and_left_out(plugin, installed):
    plugin("plan_hooks_b", CALLED)
    installed("broken = plan_hooks_b:no_such_thing", "plan = plan_hooks_b")
    said = []
    hooks = hooks_for([], said.append)
    hooks.before(JOB)
    assert sys.modules["plan_hooks_b"].told == [("pre", "train", {"model_type": "xgboost"})]
    (sentence,) = said
    assert sentence.startswith("The installed hook broken can't be loaded (AttributeError")


@pytest.mark.parametrize("error", ["ValueError('member M123')", "SystemExit(3)"])
def test_an_error_in_a_hook_is_told_by_kind_and_place_and_the_next_one_is_called(plugin, error):
    bad = plugin("plan_hooks_c", f"def pre_job(job):\n    raise {error}\n")
    said = []
    hooks_for([bad, plugin("plan_hooks_d", CALLED)], said.append).before(JOB)
    assert len(sys.modules["plan_hooks_d"].told) == 1
    kind = error.split("(")[0]
    assert said == [
        f"The hook plan_hooks_c.pre_job failed at job train ({kind} in plan_hooks_c.py, line 2). The job goes on."
    ]


def test_a_hook_can_not_change_what_the_next_one_sees(plugin):
    changing = plugin("plan_hooks_e", "def post_job(job, outcome):\n    outcome.metrics['rows'] = 0\n")
    said = []
    hooks = hooks_for([changing, plugin("plan_hooks_f", CALLED)], said.append)
    hooks.after(JOB, Outcome(True, {"rows": 5}))
    assert sys.modules["plan_hooks_f"].told == [("post", "train", True, {"rows": 5}, "")]
    assert "TypeError" in said[0]


def test_an_interrupt_by_the_user_is_no_error_of_a_hook():
    class Plugin:
        @staticmethod
        def pre_job(job):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Hooks((("plan", Plugin),)).before(JOB)


def test_a_module_that_can_not_be_used_is_refused_before_anything_runs(plugin):
    with pytest.raises(SettingError, match=r"CLAIMS_HOOKS names no_such_hooks, which can't be imported \(ModuleNotFou"):
        hooks_for(["no_such_hooks"], print)
    with pytest.raises(SettingError, match="has no function pre_job or post_job"):
        hooks_for([plugin("plan_hooks_g", "x = 1\n")], print)


def test_the_setting_names_modules_with_commas(tmp_path):
    found = settings_from_environment({"CLAIMS_HOME": str(tmp_path), "CLAIMS_HOOKS": "plan.hooks, other"})
    assert found.hooks == ("plan.hooks", "other")
