"""What is left to do: the tables and claim months whose inputs changed, in the order of the flow, as few runs.

A plan is made step by step, because what a table's rebuild changes is known only once it is done: a late void may reach
a month, and change nothing in it. Elsewhere: when a month is stale (`staleness.py`), running it (`run.py`).
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

import dagster as dg

from claims_assets.automation.left_alone import LeftAlone
from claims_assets.monitoring.contract_results import WHOLE
from claims_assets.outreach.extracts import folder_beside, is_extract, out_of_date
from claims_assets.partitions import claim_months
from claims_assets.runtime.lake import Lake
from claims_assets.staleness import Contents
from claims_assets.table import Table


@dataclass
class Batch:
    """Assets that run together, for the same months; an unpartitioned one runs along once."""

    keys: list[dg.AssetKey] = field(default_factory=list)
    months: list[str] = field(default_factory=list)
    unpartitioned: set[dg.AssetKey] = field(default_factory=set)


@dataclass(frozen=True)
class Graph:
    """The assets in the order of the flow, and what is known of each."""

    order: Sequence[dg.AssetKey]
    tables: dict[dg.AssetKey, Table]
    untabled_months: Callable[[dg.AssetKey], Collection[str]]
    """Months of an asset that is no table: of a model those never materialized, of an extract those out of date."""
    left_alone: Callable[[], LeftAlone] = lambda: lambda table: ()
    """What is not asked for, however stale it is; looked up anew for each batch."""


def next_batch(graph: Graph, done: Collection[dg.AssetKey], lake: Lake, universe: Sequence[str]) -> Batch | None:
    """The next assets to run together, or None when all is up to date.

    An asset that can't be in the batch, because its months are others or are not known yet, is left for a later one,
    with all that is made of it; what is not made of it goes on, since each run takes its time.

    Args:
        done: assets that have run or were found up to date; those found so here are not in the batch.
        universe: the claim months that the lake is about.
    """
    contents, left_alone, batch = Contents(lake), graph.left_alone(), Batch()
    later: set[dg.AssetKey] = set()
    for key in graph.order:
        if key in done:
            continue
        table = graph.tables.get(key)
        if _is_made_of(table, later):
            later.add(key)
            continue
        left = set(left_alone(table))
        open_months = [m for m in universe if m not in left]
        if table is None:
            months = sorted(set(graph.untabled_months(key)) & set(universe))
        else:
            asked = open_months if table.partitioned else None
            months = contents.stale(table.schema, table.name, table.inputs, asked, table.code_version)
        if table and _waits(table, batch, complete=months in (open_months, [WHOLE])):
            later.add(key)
            continue
        if _carried(table, batch, universe) - left - {*months}:
            later.add(key)
            continue
        months = sorted({*months} - left)
        if not months:
            continue
        if months == [WHOLE]:
            batch.unpartitioned.add(key)
        elif batch.months and months != batch.months:
            later.add(key)
            continue
        else:
            batch.months = months
        batch.keys.append(key)
    return batch if batch.keys else None


def _is_made_of(table: Table | None, later: Collection[dg.AssetKey]) -> bool:
    """Whether an asset may read one of these; what a model reads is not told, so it waits for all before it."""
    if table is None or table.deps:
        return bool(later)
    return any(i.key in later for i in table.inputs)


def _waits(table: Table, batch: Batch, complete: bool) -> bool:
    """The batch must run before it can be told which months of the table are stale (unless all are anyway)."""
    waited_for = batch.unpartitioned if table.partitioned else set(batch.keys) - batch.unpartitioned
    return (not complete or not table.partitioned) and any(i.key in waited_for for i in table.inputs)


def _carried(table: Table | None, batch: Batch, universe: Sequence[str]) -> set[str]:
    """Months of a table that a rebuild of its inputs in this batch may reach: only its content will tell."""
    inputs = [i for i in table.inputs if i.key in batch.keys] if table else []
    if not inputs or table is None:
        return set()
    if not table.partitioned:
        return {WHOLE}
    reached: set[str] = set()
    for source in inputs:
        if source.window.months is None:
            return set(universe)
        reached |= {m for month in batch.months for m in source.window.reached_by(month)}
    return reached & set(universe)


def untabled_months(
    instance: dg.DagsterInstance, lake: Lake, universe: Sequence[str], newest_model: str | None = None
) -> Callable[[dg.AssetKey], Collection[str]]:
    """For `Graph.untabled_months`: of a model the claim months without a materialization in this instance.

    Args:
        newest_model: no model is asked for of a later month.
    """

    def months(key: dg.AssetKey) -> Collection[str]:
        if is_extract(key):
            return out_of_date(key, lake, folder_beside(lake), universe)
        missing = set(claim_months.get_partition_keys()) - instance.get_materialized_partitions(key)
        return {m for m in missing if newest_model is None or m <= newest_model}

    return months
