"""Cadences: late after one time limit, failed after all attempts; a table may have its own."""

from datetime import timedelta

import dagster as dg
import pytest

from claims_assets.definitions import assets, tables
from claims_assets.freshness import policy
from claims_assets.layers import DAILY, LAYERS, MONTHLY, WEEKLY, Cadence
from claims_assets.outreach.immunization_master_outreach_list import (
    ImmunizationMasterOutreachList,
    immunization_master_outreach_list,
)
from claims_assets.table import table

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("cadence", "warn_after", "fail_after"),
    [
        (DAILY, 26 * HOUR, 30 * HOUR),
        (WEEKLY, 7 * DAY + 3 * HOUR, 7 * DAY + 9 * HOUR),
        (MONTHLY, 31 * DAY + 4 * HOUR, 31 * DAY + 8 * HOUR),
    ],
)
def test_a_build_on_time_never_warns_and_the_ages_are_those_of_limits_and_attempts(cadence, warn_after, fail_after):
    assert (cadence.warn_after, cadence.fail_after) == (warn_after, fail_after)


@pytest.mark.requirement("R16")
def test_the_layers_have_the_cadence_of_their_jobs():
    weekly, monthly = ["features"], ["models"]
    assert {f for f, layer in LAYERS.items() if layer.cadence == WEEKLY} == set(weekly)
    assert {f for f, layer in LAYERS.items() if layer.cadence == MONTHLY} == set(monthly)
    assert all(LAYERS[f].cadence == DAILY for f in LAYERS if f not in weekly + monthly)


def test_every_asset_has_the_policy_of_its_cadence():
    own = {t.asset.key: t.freshness for t in tables()}
    built = [a for a in assets() if isinstance(a, dg.AssetsDefinition)]
    assert len(built) > len(own) > 0
    for asset in built:
        (spec,) = asset.specs
        cadence = own.get(spec.key, LAYERS[spec.group_name or ""].cadence)
        assert spec.freshness_policy == policy(cadence)


def test_one_line_gives_a_table_a_cadence_of_its_own():
    weekly = Cadence(warn_after=8 * DAY, fail_after=9 * DAY)
    declare = table(ImmunizationMasterOutreachList, freshness=weekly)
    found = declare(immunization_master_outreach_list.function)
    assert immunization_master_outreach_list.freshness == DAILY
    (spec,) = found.asset.specs
    assert spec.freshness_policy == dg.FreshnessPolicy.time_window(fail_window=9 * DAY, warn_window=8 * DAY)
