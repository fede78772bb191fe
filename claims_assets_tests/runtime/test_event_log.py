"""Events by connections that stay open: the files are Dagster's own, and nothing stored is lost."""

import subprocess
import sys
import threading
import uuid
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.event_log import SqliteEventLogStorage

from claims_assets.runtime.event_log import FOLDER, MOST_OPEN, OpenSqliteEventLogStorage

OPEN = """
event_log_storage:
  module: claims_assets.runtime.event_log
  class: OpenSqliteEventLogStorage
"""
MONTHS = ["2024-01", "2024-02"]


@dg.asset(
    partitions_def=dg.StaticPartitionsDefinition(MONTHS),
    check_specs=[dg.AssetCheckSpec("ok", asset="counted")],
)
def counted():
    """A smallest asset with months and a check."""
    return dg.MaterializeResult(metadata={"rows": 1}, check_results=[dg.AssetCheckResult(check_name="ok", passed=True)])


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


def plain(home: Path) -> dg.DagsterInstance:
    """An instance as Dagster itself keeps it."""
    home.mkdir(exist_ok=True)
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    return dg.DagsterInstance.from_config(str(home))


def kept_open(home: Path) -> dg.DagsterInstance:
    home.mkdir(exist_ok=True)
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n" + OPEN)
    return dg.DagsterInstance.from_config(str(home))


@pytest.mark.parametrize("order", [(kept_open, plain), (plain, kept_open)])
def test_each_reads_and_goes_on_with_what_the_other_wrote(home, order):
    events = []
    for make, month in zip(order, MONTHS, strict=True):
        with make(home) as instance:
            run = dg.materialize([counted], partition_key=month, instance=instance)
            events.append(len(instance.all_logs(run.run_id)))
            assert instance.get_materialized_partitions(counted.key) == set(MONTHS[: len(events)])
    assert events[0] == events[1] > 0


def test_the_configuration_gives_the_open_one_where_dagster_keeps_its_own(home):
    with plain(home) as instance:
        assert type(instance.event_log_storage) is SqliteEventLogStorage
        folder = Path(instance.event_log_storage.path_for_shard("index")).parent
    with kept_open(home) as instance:
        storage = instance.event_log_storage
        assert isinstance(storage, OpenSqliteEventLogStorage)
        assert Path(storage.path_for_shard("index")).parent == folder == home / FOLDER


def test_many_runs_leave_few_files_open_and_all_of_them_readable(home):
    with kept_open(home) as instance:
        runs = [
            dg.materialize([counted], partition_key=MONTHS[0], instance=instance).run_id for _ in range(MOST_OPEN + 2)
        ]
        assert len({len(instance.all_logs(run)) for run in runs}) == 1
        assert len(instance.event_log_storage._engines) == MOST_OPEN


def test_writers_at_once_lose_nothing(home):
    kept_open(home).dispose()
    each, writers = 20, 4

    def write() -> None:
        with dg.DagsterInstance.from_config(str(home)) as instance:
            for _ in range(each):
                instance.report_runless_asset_event(dg.AssetMaterialization("counted", partition=str(uuid.uuid4())))

    threads = [threading.Thread(target=write) for _ in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with plain(home) as instance:
        assert len(instance.get_materialized_partitions(dg.AssetKey("counted"))) == each * writers


def test_what_a_killed_process_stored_is_there(home):
    kept_open(home).dispose()
    code = (
        "import dagster as dg, os, signal\n"
        f"instance = dg.DagsterInstance.from_config({str(home)!r})\n"
        "instance.report_runless_asset_event(dg.AssetMaterialization('counted', partition='2024-01'))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    with plain(home) as instance:
        assert instance.get_materialized_partitions(dg.AssetKey("counted")) == {"2024-01"}
