"""The instance's folder: under CLAIMS_HOME, or on a cluster's own disk where that lies on a volume."""

import os
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import pytest

from claims_assets.cli.errors import NotDone
from claims_assets.cli.instance import PACKAGE, alone, instance_for, prepared_home, state_of
from claims_assets.settings import settings_from_environment

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def settings(tmp_path):
    return settings_from_environment({"CLAIMS_HOME": str(tmp_path / "home")})


def test_the_instance_has_the_settings_of_the_package(settings, monkeypatch):
    monkeypatch.setenv("DAGSTER_HOME", "")
    home = prepared_home(settings)
    assert home == settings.home / "dagster" == Path(os.environ["DAGSTER_HOME"])
    assert (home / "dagster.yaml").read_text() == (PACKAGE / "dagster.yaml").read_text()


@pytest.mark.parametrize("name", ["dagster.yaml", "workspace.yaml"])
def test_the_checkout_has_no_settings_of_its_own(name):
    assert (ROOT / name).resolve() == PACKAGE / name


def test_a_volume_holds_no_file_that_is_written_in_place():
    on_volume = settings_from_environment({"CLAIMS_HOME": "/Volumes/claims_dev/lake/home"})
    assert state_of(on_volume).is_relative_to(tempfile.gettempdir())
    assert on_volume.lake == Path("/Volumes/claims_dev/lake/home/lake")


def test_a_second_run_is_told_to_wait(settings):
    with (
        alone(settings),
        pytest.raises(NotDone, match=r"Another run is using .*: wait until it ends, or set another CLAIMS_HOME\."),
        alone(settings),
    ):
        pytest.fail("two runs at once")
    with alone(settings):
        pass


def test_records_held_by_a_process_that_hangs_are_one_sentence(settings, monkeypatch):
    monkeypatch.setenv("DAGSTER_HOME", "")
    with instance_for(settings):
        pass
    with closing(sqlite3.connect(settings.home / "dagster/history/runs.db", isolation_level=None)) as hanging:
        hanging.execute("pragma locking_mode=exclusive")
        hanging.execute("begin immediate")
        with pytest.raises(NotDone, match=r"Another process holds Dagster's records in .*: look for a run that hangs"):
            instance_for(settings)
    with instance_for(settings):
        pass
