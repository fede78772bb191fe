"""What a tick asks for: the stale tables and claim months of some layers, one run at a time.

Here: the decision, as plain functions of the lake and the instance. Elsewhere: who asks (`schedules.py`,
`late_months.py`), what is stale (`staleness.py`), which of it runs together (`cli/plan.py`). One run at a time, because
what the next table needs is known only once the one before it is built.
"""

import hashlib
from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime

import dagster as dg

from claims_assets.automation.breaker import Standstill
from claims_assets.automation.completeness import FEED_DAYS, expected_month
from claims_assets.automation.left_alone import left_alone
from claims_assets.cli import plan
from claims_assets.layers import LAYERS
from claims_assets.monitoring.contract_results import WHOLE
from claims_assets.outreach.extracts import EXTRACTS, is_extract
from claims_assets.partitions import add_months, claim_months, months_between, ranges, spoken
from claims_assets.runtime.lake import Lake
from claims_assets.sources.feeds import FEEDS, LANDING
from claims_assets.staleness import Contents
from claims_assets.table import Table

BY = "claims/by"
"""Run tag: who asked for the run."""
RANGE = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")
ONLY_TRAINING_MONTHS = "claims/only_training_months"
RUN_OUT_MONTHS = 3
"""Months after which most claims of a month are known: the least run-out in the public project tuva-health/tuva (its
guide to incurred and paid dates)."""
NOT_FINISHED = [
    status
    for status in dg.DagsterRunStatus
    if status not in (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)
]
LANDING_KEYS = [dg.AssetKey([LANDING, feed]) for feed in FEEDS]


def unfinished(instance: dg.DagsterInstance) -> str | None:
    """Why nothing may be asked for now: a run is waiting or running, and what it leaves is not known yet."""
    runs = instance.get_runs(dg.RunsFilter(statuses=NOT_FINISHED), limit=1)
    return f"Run {runs[0].run_id} has not finished yet." if runs else None


def held_months(lake: Lake) -> list[str]:
    """The claim months that the lake is about: from the first to the last that claims were staged for."""
    possible = set(claim_months.get_partition_keys())
    feeds = [f.name for f in FEEDS.values() if f.date_column]
    held = [m for schema in (LANDING, "bronze") for f in feeds for m in lake.rows_by_month(schema, f) if m in possible]
    return months_between(min(held), max(held)) if held else []


def landing_run(by: str, content: str) -> dg.RunRequest:
    """A refresh of all landing tables."""
    return dg.RunRequest(run_key=content, asset_selection=LANDING_KEYS, tags={BY: by})


def next_run(
    layers: Collection[str],
    lake: Lake,
    instance: dg.DagsterInstance,
    by: str,
    *,
    job_name: str | None = None,
    occasion: str = "",
    today: date | None = None,
) -> dg.RunRequest | None:
    """The next run that brings these layers up to date; None when nothing of them is stale.

    The run key is the content from which the run would build, so that the same run is not asked for twice, also when
    it failed; `occasion` (a day) allows it once more. Models are asked for when the feed of their month has had its
    time as of `today` (None: by the clock): a version as of a month is to know all that was known at its end.
    """
    universe = held_months(lake)
    graph = _graph(layers, lake, instance, universe, today or datetime.now(UTC).date())
    batch = plan.next_batch(graph, (), lake, universe) if universe else None
    if batch is None:
        return None
    tags = {BY: by}
    if batch.months:
        first, last = ranges(batch.months)[0]
        tags |= dict(zip(RANGE, (first, last), strict=True)) | {ONLY_TRAINING_MONTHS: "true"}
        months = months_between(first, last)
    else:
        months = []
    content = _content(graph, batch, lake, months)
    return dg.RunRequest(
        run_key=f"{content} {occasion}".strip(),
        job_name=job_name,
        asset_selection=batch.keys,
        tags=tags,
    )


def recent_run(today: str, by: str, occasion: str) -> dg.RunRequest:
    """All of a job for the last months, up to date or not: for a host that can't look into the lake.

    Args:
        today: the open claim month.
    """
    first = max(add_months(today, -RUN_OUT_MONTHS), claim_months.get_partition_keys()[0])
    tags = dict(zip(RANGE, (first, today), strict=True)) | {BY: by, ONLY_TRAINING_MONTHS: "true"}
    return dg.RunRequest(run_key=occasion, tags=tags)


def stale_before(layers: Collection[str], lake: Lake) -> str | None:
    """What the layers before these still lack, as a sentence; None when all that these read is up to date."""
    first = min(list(LAYERS).index(layer) for layer in layers)
    earlier = [layer for layer in list(LAYERS)[:first] if layer not in ("sources", "models")]
    universe, contents, found = held_months(lake), Contents(lake), []
    left_of = left_alone(lake, _tables(), universe)
    for table in (t for t in _tables() if t.layer.folder in earlier):
        left = left_of(table)
        asked = [m for m in universe if m not in left] if table.partitioned else None
        stale = contents.stale(table.schema, table.name, table.inputs, asked, table.code_version)
        stale = [m for m in stale if m not in left]
        if stale:
            found.append(table.full_name if stale == [WHOLE] else f"{table.full_name} of {spoken(stale)}")
    return f"not up to date: {', '.join(found)}." if found else None


def standing_still(layers: Collection[str], lake: Lake) -> str | None:
    """Why tables of these layers stand still, and how to go on; None when none does."""
    names = {t.full_name for t in _tables() if t.layer.folder in layers}
    return Standstill(lake, _tables(), held_months(lake)).sentence(names) or None


def _tables() -> list[Table]:
    from claims_assets.definitions import tables  # it imports this module

    return tables()


def _graph(
    layers: Collection[str], lake: Lake, instance: dg.DagsterInstance, universe: Sequence[str], today: date
) -> plan.Graph:
    from claims_assets.definitions import defs  # the graph is the same whatever the settings

    every = defs.resolve_asset_graph()
    wanted = set(layers) - {"sources"}
    keys = [k for k in every.toposorted_asset_keys if every.get(k).group_name in wanted]
    return plan.Graph(
        [k for k in keys if k in every.materializable_asset_keys],
        {t.asset.key: t for t in _tables()},
        plan.untabled_months(instance, lake, universe, newest_model=expected_month(today, FEED_DAYS)),
        lambda: left_alone(lake, _tables(), universe),
    )


def _content(graph: plan.Graph, batch: plan.Batch, lake: Lake, months: Sequence[str]) -> str:
    """Hash of the assets, the months, and the contents that the run would read if it started now."""
    contents, lines = Contents(lake), [*months]
    for key in batch.keys:
        lines.append(key.to_user_string())
        if table := graph.tables.get(key):
            asked = None if key in batch.unpartitioned else months
            lines += sorted(contents.read_for(table.inputs, asked, table.code_version).values())
        elif is_extract(key):
            lines += EXTRACTS[key].read_now(lake, months).values()
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
