"""Runs in progress whose process lives, is gone, or can't be known of here."""

import os
import socket
import subprocess
import sys

import dagster as dg
import pytest
from dagster._core.events import EngineEventData
from dagster._core.launcher.base import WorkerStatus

from claims_assets.runtime.run_launcher import PROCESS, LocalRunLauncher, is_lost, tags_of_this_process

HERE = socket.gethostname()


@dg.op
def nothing():
    """An op."""


@dg.job
def some_job():
    """A smallest job."""
    nothing()


@pytest.fixture
def gone():
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


@pytest.fixture
def started():
    """`started(tags)`: a run in progress."""
    with dg.instance_for_test() as instance:

        def make(tags):
            run = instance.create_run_for_job(some_job, tags=tags)
            return instance, instance.get_run_by_id(run.run_id)

        yield make


def test_a_run_lives_as_long_as_the_process_that_executes_it(started, gone):
    assert not is_lost(*started(tags_of_this_process("test")))
    assert is_lost(*started(tags_of_this_process("test") | {PROCESS: f"{HERE}:{gone}"}))


def test_another_process_that_was_given_the_number_later_is_not_it(started, monkeypatch):
    instance, run = started(tags_of_this_process("test"))
    monkeypatch.setattr("claims_assets.runtime.run_launcher.CLOCKS_DIFFER_BY", -24 * 60 * 60)
    assert is_lost(instance, run), "as if this process had begun a day after the run"


def test_of_a_run_on_another_machine_or_of_no_known_process_nothing_is_said(started, gone):
    assert not is_lost(*started({PROCESS: f"elsewhere:{gone}"}))
    assert not is_lost(*started({PROCESS: HERE}))
    assert not is_lost(*started({}))


def test_the_process_of_a_run_of_the_ui_is_the_one_that_its_events_name(started, gone):
    for pid, lost in ((os.getpid(), False), (gone, True)):
        instance, run = started({PROCESS: HERE})
        instance.report_engine_event("Started process", run, EngineEventData.in_process(pid))
        assert is_lost(instance, run) is lost


def test_the_daemon_is_told(started, gone):
    instance, run = started(tags_of_this_process("test") | {PROCESS: f"{HERE}:{gone}"})
    launcher = LocalRunLauncher()
    launcher.register_instance(instance)
    assert launcher.check_run_worker_health(run).status == WorkerStatus.FAILED
    instance, run = started(tags_of_this_process("test"))
    assert launcher.check_run_worker_health(run).status == WorkerStatus.RUNNING
