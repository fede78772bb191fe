"""Backfills whose processes are killed in the middle."""

import pytest

from claims_assets_tests.ui.live import until
from claims_assets_tests.ui.monthly import monthly
from claims_assets_tests.ui.right import right_monthly

pytestmark = [pytest.mark.ui, pytest.mark.timeout(1800)]


@pytest.mark.parametrize("killed", ["worker", "dagster._daemon", "dagster_webserver", "everything"])
def test_a_killed_process_loses_no_month_and_leaves_no_run_open(landed, undisturbed, killed):
    backfill = landed.backfill(monthly(), undisturbed.months)
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
