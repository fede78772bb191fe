"""Backfills as a person launches them, undisturbed and cancelled."""

import pytest

from claims_assets_tests.ui.contents import contents, halves
from claims_assets_tests.ui.monthly import monthly
from claims_assets_tests.ui.right import right, right_monthly

pytestmark = [pytest.mark.ui, pytest.mark.timeout(1800)]


def ranges(runs):
    """First and last month of each run."""
    start, end = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")
    return sorted((r["tags"][start], r["tags"][end]) for r in runs if start in r["tags"])


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
    for key in monthly():
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
    backfill = landed.backfill(monthly(), undisturbed.months)
    landed.under_way(backfill)
    landed.cancel(backfill)
    assert landed.ended(backfill) == "CANCELED"
    landed.none_in_progress()
    assert halves(contents(landed.lake), undisturbed.content, undisturbed.months) == []
    landed.completed(landed.resume(backfill))
    landed.succeeded(landed.run(["bronze/claim_links"]))
    right_monthly(landed, undisturbed)
