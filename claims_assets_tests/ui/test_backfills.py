"""Backfills as a person launches them, undisturbed, cancelled, and with processes killed in the middle."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from claims_assets_tests.ui.conftest import Undisturbed
from claims_assets_tests.ui.contents import contents, differences, halves
from claims_assets_tests.ui.live import Live, until

pytestmark = [pytest.mark.ui, pytest.mark.timeout(1800)]

MONTHLY = ("bronze", "silver", "gold")


def ranges(runs):
    """First and last month of each run."""
    start, end = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")
    return sorted((r["tags"][start], r["tags"][end]) for r in runs if start in r["tags"])


def right(live: Live, undisturbed: Undisturbed) -> None:
    """Every month as an undisturbed run built it, every check with a result, and no run left open."""
    live.none_in_progress()
    assert differences(contents(live.lake), undisturbed.content, undisturbed.months) == []
    assert live.open_checks() == []


def test_a_backfill_of_everything_gives_what_the_console_gives(live, undisturbed):
    first, last = undisturbed.months[0], undisturbed.months[-1]
    backfill = live.backfill(live.keys(), undisturbed.months)
    assert live.ended(backfill) in ("COMPLETED", "COMPLETED_SUCCESS"), live.said
    right(live, undisturbed)
    runs = live.runs(backfill=backfill)
    bronze = [r for r in runs if {"path": ["bronze", "medical_claims"]} in r["assetSelection"]]
    assert ranges(bronze) == [(first, last)], "one run for all months of a table"
    held = contents(live.lake)
    counted = held["monitoring.contract_results of silver.medical_claims"]
    assert set(undisturbed.months) <= set(counted), "results by month, also where one run built several"
    for key in live.keys(*MONTHLY, partitioned=True):
        ((start, end),) = live.materialized(key)
        assert start == first
        assert end >= last


def test_months_apart_are_built_in_a_run_each_and_those_between_stay_absent(landed, undisturbed):
    apart = [undisturbed.months[0], undisturbed.months[2]]
    backfill = landed.backfill(["bronze/medical_claims"], apart)
    assert landed.ended(backfill) in ("COMPLETED", "COMPLETED_SUCCESS"), landed.said
    assert ranges(landed.runs(backfill=backfill)) == [(m, m) for m in apart]
    assert sorted(contents(landed.lake)["bronze.medical_claims"]) == apart


def test_a_cancelled_backfill_leaves_no_half_month_and_can_be_resumed(landed, undisturbed):
    backfill = landed.backfill(landed.keys(*MONTHLY, partitioned=True), undisturbed.months)
    landed.under_way(backfill)
    landed.cancel(backfill)
    assert landed.ended(backfill) == "CANCELED"
    landed.none_in_progress()
    assert halves(contents(landed.lake), undisturbed.content, undisturbed.months) == []
    landed.completed(landed.resume(backfill))
    landed.succeeded(landed.run(["bronze/claim_links"]))
    right_monthly(landed, undisturbed)


def right_monthly(live: Live, undisturbed: Undisturbed) -> None:
    """As `right`, of the tables with months."""
    live.none_in_progress()
    wrong = differences(contents(live.lake), undisturbed.content, undisturbed.months)
    assert wrong == []


@pytest.mark.parametrize("killed", ["worker", "dagster._daemon", "dagster_webserver", "everything"])
def test_a_killed_process_loses_no_month_and_leaves_no_run_open(landed, undisturbed, killed):
    backfill = landed.backfill(landed.keys(*MONTHLY, partitioned=True), undisturbed.months)
    run = landed.under_way(backfill)["runId"]
    if killed == "worker":
        landed.kill([landed.worker(run)])
    else:
        landed.kill(landed.processes("" if killed == "everything" else killed))
        # Without one of its processes `claims ui` ends, and says so; a person starts it again.
        until("the end of `claims ui`", lambda: landed.process.poll() is not None)
        landed.start()
    landed.completed(backfill)
    right_monthly(landed, undisturbed)


def test_the_console_and_the_ui_do_not_run_at_once(landed, undisturbed):
    months = ("--from", undisturbed.months[0], "--to", undisturbed.months[-1])
    backfill = landed.backfill(landed.keys(*MONTHLY, partitioned=True), undisturbed.months)
    worker = landed.worker(landed.under_way(backfill)["runId"])
    os.kill(worker, signal.SIGSTOP)
    try:
        refused = landed.command("run", *months)
    finally:
        os.kill(worker, signal.SIGCONT)
    assert refused.returncode == 1
    said = " ".join(refused.stderr.split())
    assert "of the Dagster UI is in progress: wait until it ends, or cancel it there." in said
    landed.completed(backfill)
    landed.none_in_progress()
    assert landed.command("run", *months).returncode == 0
    right(landed, undisturbed)


def test_a_killed_console_run_ends_as_failed_and_holds_nothing_up(landed, undisturbed):
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("CLAIMS_", "DAGSTER_", "MLFLOW_"))}
    environment |= {"CLAIMS_HOME": str(landed.home), "CLAIMS_START_MONTH": landed.start_month}
    script = Path(sys.executable).with_name("claims")
    by_console = {"claims/by": "claims run"}
    with subprocess.Popen([script, "run", "--rebuild"], env=environment, stdout=subprocess.DEVNULL) as console:
        is_ours = lambda r: r["status"] == "STARTED" and r["tags"].items() >= by_console.items()  # noqa: E731
        (run,) = until("a run of the console", lambda: [r["runId"] for r in landed.runs() if is_ours(r)])
        queued = landed.run(["landing/providers"])
        assert landed.runs(queued)[0]["status"] in ("QUEUED", "NOT_STARTED"), "it waits for the console"
        console.send_signal(signal.SIGKILL)
    landed.succeeded(queued)
    assert landed.runs(run)[0]["status"] == "FAILURE"
    assert landed.command("run").returncode == 0
    right_monthly(landed, undisturbed)
