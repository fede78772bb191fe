"""`claims run` beside a live UI on the same CLAIMS_HOME."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from claims_assets_tests.ui.live import until
from claims_assets_tests.ui.monthly import monthly
from claims_assets_tests.ui.right import right, right_monthly

pytestmark = [pytest.mark.ui, pytest.mark.timeout(1800)]


def test_the_console_and_the_ui_do_not_run_at_once(landed, undisturbed):
    months = ("--from", undisturbed.months[0], "--to", undisturbed.months[-1])
    backfill = landed.backfill(monthly(), undisturbed.months)
    with landed.held(landed.worker(landed.under_way(backfill)["runId"])):
        refused = landed.command("run", *months)
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
