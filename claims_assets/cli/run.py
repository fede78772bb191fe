"""Materialize what is stale, or a range of claim months, in one process, with one line of progress per asset."""

import re
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

import dagster as dg
from rich.console import Console

from claims_assets.automation.breaker import ACCEPT, Bad, Standstill, bad_months
from claims_assets.automation.closed_months import REOPEN
from claims_assets.automation.completeness import checks_of_steps
from claims_assets.automation.left_alone import left_alone
from claims_assets.automation.stale_runs import RANGE as RANGE_TAGS
from claims_assets.automation.stale_runs import held_months
from claims_assets.cli import plan
from claims_assets.cli.console import console_for
from claims_assets.cli.errors import NotDone
from claims_assets.cli.instance import alone, instance_for
from claims_assets.cli.remote import execute_launched
from claims_assets.cli.summary import print_summary
from claims_assets.definitions import tables
from claims_assets.models.training import ONLY_TRAINING_MONTHS, QUARTER_ENDS
from claims_assets.outreach.extracts import folder_beside, is_extract, out_of_date
from claims_assets.partitions import MONTH, claim_months, months_between, ranges
from claims_assets.runtime.lake import Lake
from claims_assets.runtime.memory import is_exhaustion, sentence, watched
from claims_assets.runtime.resources import lake_for
from claims_assets.runtime.run_launcher import is_lost, tags_of_this_process
from claims_assets.settings import Settings
from claims_assets.workspaces import Databricks

COMMAND = "claims run"
"""Who asks for a run of this command, which lives and dies with its process."""
CLASS_NAME = re.compile(r"^[\w.]+: ")
CLAIM_FEEDS = ("medical_claims", "pharmacy_claims")
COUNTED = ("rows_in", "rows_quarantined")
"""Metadata of a month, or of a table without months."""
IN_PROGRESS = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
"""Progress speaks instead."""


def run_range(
    settings: Settings,
    first: str | None,
    last: str | None,
    select: str | None,
    *,
    rebuild: bool = False,
    reopen: str | None = None,
    accept_quality: str | None = None,
    definitions: dg.Definitions | None = None,
    summary: bool = True,
) -> None:
    """Stage the landing files, then materialize everything (or `select`) that is not up to date.

    Args:
        first, last: with either of them these claim months are built, up to date or not.
        rebuild: all claim months are.
        reopen: the reason for which closed months are built too.
        accept_quality: the reason for which tables are built from months that trip the breaker.
        definitions: the graph with resources of the caller; None: with those of the settings.
        summary: end with the state of every table.

    Raises:
        NotDone: a step failed, a table stands still, the selection is empty, or there is no month to run.
    """
    from claims_assets.definitions import build

    console = console_for()
    definitions = definitions or build(settings)
    sources, rest = _chosen(definitions, select)
    started, standing_still = time.monotonic(), ""
    with alone(settings), _bounded(settings), instance_for(settings) as instance:
        tags = {REOPEN: reason(reopen), ACCEPT: reason(accept_quality)}
        given = {k: v for k, v in tags.items() if v}
        run = Runner(definitions, instance, console, given, launched=isinstance(settings.workspace, Databricks))
        if sources:
            run.execute(sources)
        if rest and any(definitions.resolve_asset_graph().get(k).partitions_def for k in rest):
            months = months_to_run(settings, first, last)
            if first or last or rebuild:
                run.range_of(rest, months, lake_for(settings))
            else:
                standing_still = run.stale(rest, months, lake_for(settings))
        elif rest:
            run.execute(rest)
    if summary:
        print_summary(settings, console)
    if standing_still:
        raise NotDone(standing_still)
    console.print(f"Done in {time.monotonic() - started:.0f} s.", style="bold green")


@contextmanager
def _bounded(settings: Settings) -> Iterator[None]:
    """A block that may hold the memory that is set.

    Raises:
        NotDone: it held more, between two steps.
    """
    try:
        with watched(settings.memory_limit):
            yield
    except MemoryError:
        raise NotDone(sentence(None)) from None


def reason(given: str | None) -> str | None:
    """A reason as it was given, or None.

    Raises:
        NotDone: it is empty.
    """
    if given is not None and not given.strip():
        raise NotDone("A reason must say something: it is kept in monitoring.waivers.")
    return given


def refuse_beside_others(instance: dg.DagsterInstance) -> None:
    """Mark runs as failed whose process was killed; one that lives would write the same tables at the same time.

    Raises:
        NotDone: such a run is in progress, started in the UI or on another machine.
    """
    for run in instance.get_runs(dg.RunsFilter(statuses=IN_PROGRESS)):
        if not is_lost(instance, run):
            raise NotDone(
                f"Run {run.run_id[:8]} of the Dagster UI is in progress: wait until it ends, or cancel it there."
            )
        instance.report_run_failed(run, "The process of this run was killed: run it again.")


def _chosen(definitions: dg.Definitions, select: str | None) -> tuple[list[dg.AssetKey], list[dg.AssetKey]]:
    """Keys of the landing assets and of the others, in the order of the flow, that the selection names."""
    graph = definitions.resolve_asset_graph()
    keys = [k for k in graph.toposorted_asset_keys if k in graph.materializable_asset_keys]
    if select:
        try:
            chosen = dg.AssetSelection.from_string(select).resolve(graph)
        except dg.DagsterError as error:
            raise NotDone(f"--select {select!r} is no asset selection: write for example 'group:silver'.") from error
        keys = [k for k in keys if k in chosen]
        if not keys:
            raise NotDone(f"--select {select!r} names no asset: see the keys with `dg list defs`.")
    sources = [k for k in keys if graph.get(k).group_name == "sources"]
    return sources, [k for k in keys if k not in sources]


def months_to_run(settings: Settings, first: str | None = None, last: str | None = None) -> list[str]:
    """The asked months, or those that the staged claims hold, held against the partitions that exist."""
    lake = lake_for(settings)
    # A month that lost all its landing rows still stands in bronze, and must be run to become empty.
    held = [
        m for schema in ("landing", "bronze") for feed in CLAIM_FEEDS for m in lake.rows_by_month(schema, feed) if m
    ]
    if not held and not (first and last):
        raise NotDone(
            f"The staged claims hold no {MONTH}: put claim files under {settings.landing}, or give --from and --to."
        )
    first, last = first or min(held), last or max(held)
    keys = claim_months.get_partition_keys()
    if not first <= last:
        raise NotDone(f"--from {first} is later than --to {last}: swap them.")
    if first < keys[0]:
        raise NotDone(f"--from {first} is before CLAIMS_START_MONTH={keys[0]}: set CLAIMS_START_MONTH={first}.")
    if last > keys[-1]:
        raise NotDone(f"--to {last} has not begun: the newest claim month is {keys[-1]}.")
    return months_between(first, last)


@dataclass(frozen=True)
class Runner:
    """Runs assets, with one line as each ends."""

    definitions: dg.Definitions
    instance: dg.DagsterInstance
    console: Console
    tags: Mapping[str, str] = field(default_factory=dict)
    """Of every run."""
    launched: bool = False
    """Each step runs where its launcher puts it, else in this process."""

    def range_of(self, keys: Sequence[dg.AssetKey], months: Sequence[str], lake: Lake) -> None:
        """All of these assets for all of these months, in one run; `months` has no gap.

        Extracts beside other assets follow them, of the lake's newest month alone and where its content has changed:
        callers have no use for an old list, and each export is recorded.
        """
        extracts = [k for k in keys if is_extract(k)]
        others = [k for k in keys if k not in extracts]
        self._range(others or extracts, months)
        if others and self.launched:  # this host may not see the lake
            self._range(extracts, months[-1:])
        elif others:
            held = held_months(lake)
            self._range([k for k in extracts if out_of_date(k, lake, folder_beside(lake), held)], held[-1:])

    def _range(self, keys: Sequence[dg.AssetKey], months: Sequence[str]) -> None:
        if keys:
            self._say(months, len(keys))
            self.execute(keys, dict(zip(RANGE_TAGS, (months[0], months[-1]), strict=True)))

    def stale(self, keys: Sequence[dg.AssetKey], universe: Sequence[str], lake: Lake) -> str:
        """Whatever of these assets would come out differently now, in as few runs as that takes.

        Returns:
            Why some of it stands still, and how to go on; empty when nothing does. The rest was built.
        """
        every = tables()
        left = partial(left_alone, lake, every, universe, and_closed=REOPEN in self.tags, and_bad=ACCEPT in self.tags)
        by_key = {t.asset.key: t for t in every}
        graph = plan.Graph(keys, by_key, plan.untabled_months(self.instance, lake, universe), left)
        done: set[dg.AssetKey] = set()
        bad: set[Bad] = set()
        while batch := plan.next_batch(graph, done, lake, universe):
            try:
                self._batch(batch)
            except NotDone as failure:
                known, bad = bad, set(bad_months(lake, {t.full_name for t in every}))
                if bad <= known:
                    raise
                self.console.print(f"{failure} The other months go on.", style="yellow", highlight=False)
                continue
            done |= set(batch.keys)
        if not done:
            self.console.print(
                f"\nUp to date: nothing has changed for claim months {universe[0]} to {universe[-1]}.", style="bold"
            )
        return Standstill(lake, every, universe).sentence({by_key[k].full_name for k in keys if k in by_key})

    def _batch(self, batch: plan.Batch) -> None:
        partitioned = [k for k in batch.keys if k not in batch.unpartitioned]
        together = batch.keys
        for first, last in ranges(batch.months):
            self._say(months_between(first, last), len(together))
            asked = dict(zip(RANGE_TAGS, (first, last), strict=True)) | {ONLY_TRAINING_MONTHS: QUARTER_ENDS}
            self.execute(together, asked)
            together = partitioned
        if not batch.months:
            self._say([], len(together))
            self.execute(together)

    def _say(self, months: Sequence[str], assets: int) -> None:
        what = f"Claim months {months[0]} to {months[-1]} ({len(months)})" if months else "Without claim months"
        self.console.print(f"\n{what}, {assets} assets", style="bold")

    def execute(self, keys: Sequence[dg.AssetKey], tags: dict[str, str] | None = None) -> None:
        """One run of these assets, while this process holds CLAIMS_HOME (`alone`).

        Raises:
            NotDone: a step failed; the message is the step's own sentence. Or a run of the UI is in progress.
        """
        refuse_beside_others(self.instance)
        tags = tags_of_this_process(COMMAND) | {**self.tags, **(tags or {})}
        run_id = str(uuid.uuid4())
        progress = Progress(self.console, len(keys))
        self.instance.add_event_listener(run_id, progress)
        if self.launched:
            success = execute_launched(self.instance, keys, tags, run_id, run_config=QUIET)
        else:
            checks = checks_of_steps(self.definitions.resolve_asset_graph(), keys)
            job = self.definitions.resolve_implicit_global_asset_job_def()
            success = (
                job.get_subset(asset_selection=set(keys), asset_check_selection=checks)
                .execute_in_process(
                    instance=self.instance, tags=tags, run_id=run_id, raise_on_error=False, run_config=QUIET
                )
                .success
            )
        if not success:
            raise NotDone(progress.failure or f"Run {run_id} failed: see it in the Dagster UI (`claims ui`).")


class Progress:
    """Listens to a run's events: `callable(event)`."""

    def __init__(self, console: Console, total: int):
        self.console, self.total, self.done = console, total, 0
        self.failure: str | None = None
        self.rows: dict[str, Counter[str]] = defaultdict(Counter)

    def __call__(self, entry: dg.EventLogEntry) -> None:
        event = entry.dagster_event
        if event is None:
            return
        if event.is_step_materialization and event.asset_key:
            metadata = event.step_materialization_data.materialization.metadata
            numbers = {n: metadata[n].value for n in COUNTED if n in metadata}
            self.rows[event.asset_key.to_user_string()].update(
                {n: value for n, value in numbers.items() if isinstance(value, int)}
            )
        elif event.is_step_success:
            self.done += 1
            name = _name(event)
            seconds = event.step_success_data.duration_ms / 1000
            place = f"[{self.done:>{len(str(self.total))}}/{self.total}]"
            self.console.print(
                f"{place} {name:<44} {seconds:6.1f} s  {_rows(self.rows[name])}", markup=False, highlight=False
            )
        elif event.is_step_failure:
            self.failure = _sentence(event.step_failure_data, _name(event).replace("/", "."))


def _name(event: dg.DagsterEvent) -> str:
    return (event.step_key or "").replace("__", "/", 1)


def _rows(counted: Mapping[str, int]) -> str:
    """Of all months of the run."""
    if COUNTED[0] not in counted:
        return ""
    rows, aside = (counted.get(n, 0) for n in COUNTED)
    return f"{rows - aside:>9,} rows" + (f", {aside:,} quarantined" if aside else "")


def _sentence(failure, name: str) -> str:
    """What a failed step says: the description of its Failure, that memory ran out, else the innermost error's line."""
    if failure.user_failure_data and failure.user_failure_data.description:
        return failure.user_failure_data.description
    error = failure.error
    if any(is_exhaustion(e.cls_name or "", e.message) for e in _with_causes(error)):
        return sentence(name)
    *_, error = _with_causes(error)
    return CLASS_NAME.sub("", error.message.strip().splitlines()[0])


def _with_causes(error) -> Iterator:
    """An error as Dagster tells it, and those it comes from, the innermost last."""
    while error:
        yield error
        error = error.cause
