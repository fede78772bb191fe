"""Late months by Dagster's own automation conditions: the months that a re-built month reaches, by event.

Off by default. It looks at what ran, not at what changed: a rebuild that changed nothing goes on down the flow, and
what an unpartitioned table changes (a void through its chain, a corrected span) goes nowhere, because such a table
would drive every month there is. `late_months.py` has neither limit and is the default; never run both.
"""

from collections.abc import Sequence
from typing import Any

import dagster as dg

NAME = "automation_sensor"


def late_months(ignored: dg.AssetSelection) -> dg.AutomationCondition:
    """A month is asked for when a month that it reads was re-built; all of them, not only the newest one.

    Dagster's `eager()` looks at the newest month alone and asks for months that were never built.
    """
    updated = dg.AutomationCondition.any_deps_updated().ignore(ignored)
    under_way = dg.AutomationCondition.in_progress() | dg.AutomationCondition.any_deps_in_progress().ignore(ignored)
    return updated.since_last_handled() & ~under_way


def with_conditions(assets: Sequence[Any]) -> list[Any]:
    """The same assets; the tables with claim months of them ask by `late_months`.

    Models ask for nothing and drive nothing: which of them scores a month is a matter of the month (`predictions`).
    Neither do extracts: only the newest month of one is of use.
    """
    steps = [a for a in assets if isinstance(a, dg.AssetsDefinition)]
    unpartitioned = [a.key for a in steps if a.partitions_def is None]
    no_tables = [a.key for a in steps if a.key.path[0] in ("models", "outreach")]
    condition = late_months(dg.AssetSelection.assets(*unpartitioned, *no_tables))
    chosen = {a.key for a in steps} - set(unpartitioned) - set(no_tables)
    return [
        a.map_asset_specs(lambda s: s.replace_attributes(automation_condition=condition))
        if isinstance(a, dg.AssetsDefinition) and a.key in chosen
        else a
        for a in assets
    ]


def automation_sensor() -> dg.AutomationConditionSensorDefinition:
    """Evaluates the conditions once somebody turns it on; many months of one table are one run."""
    return dg.AutomationConditionSensorDefinition(
        NAME, target=dg.AssetSelection.all(), default_status=dg.DefaultSensorStatus.STOPPED
    )
