"""Where the facts come from: the Dagster instance and the monitoring tables, each watch on its own.

A watch that raises an error, or that finds nothing where there must be something, becomes a condition itself, and what
it watches neither opens nor recovers until it sees again. Elsewhere: what the facts mean (`conditions.py`,
`lateness.py`, `volume.py`, `drift.py`).
"""

import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from claims_assets.automation import completeness as months
from claims_assets.automation.alerts import conditions as rules
from claims_assets.automation.alerts import lateness
from claims_assets.automation.alerts.book import Key
from claims_assets.automation.alerts.conditions import CheckState, Condition, FailedRun, moment_of
from claims_assets.automation.alerts.drift import drifts
from claims_assets.automation.alerts.up_to_date import UpToDate, landed_months
from claims_assets.automation.alerts.volume import few_rows, low_volume
from claims_assets.monitoring.alerts import Alert
from claims_assets.monitoring.built_months import Built, built
from claims_assets.monitoring.contract_results import WHOLE
from claims_assets.monitoring.results import ROWS_KEEP_CONTRACT
from claims_assets.partitions import months_between
from claims_assets.runtime.delta import delta_exists, read_arrow

if TYPE_CHECKING:
    from claims_assets.runtime.lake import Lake
    from claims_assets.table import Table

RANGE = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")
ONE_PARTITION = "dagster/partition"
OLDER = 20
"""Earlier evaluations of a check that are looked through for one that was really made."""


class NothingToLookAt(RuntimeError):
    """A watch found nothing where there must be something."""


@dataclass(frozen=True)
class Sight:
    """All that the watches may look at, and the moment for which they judge."""

    instance: dg.DagsterInstance
    graph: Any
    """The asset graph of the code location."""
    lake: "Lake"
    tables: Sequence["Table"]
    now: datetime
    since: datetime
    """Failed runs are looked for from here on."""
    alerts: Sequence[Alert] = ()
    """The stored alerts; a run they tell of is looked at again however old it is."""

    @cached_property
    def scores(self) -> list[dict[str, Any]]:
        """Rows of `monitoring.data_quality_scores`."""
        path = self.lake.path("monitoring", "data_quality_scores")
        if not delta_exists(path):
            return []
        return read_arrow(path, ["table_name", "claim_month", "score", "band", "committed"]).to_pylist()

    @cached_property
    def built(self) -> Built:
        return built(self.lake)


@dataclass(frozen=True)
class Seen:
    """What one look, or all of them, saw."""

    conditions: list[Condition] = field(default_factory=list)
    undecided: set[Key] = field(default_factory=set)
    """Things whose answer is still being made."""
    unseen: set[str] = field(default_factory=set)
    """Kinds that could not be looked at."""


def look(sight: Sight) -> Seen:
    """All conditions of this moment."""
    all_seen = Seen()
    for name, (kinds, watch) in WATCHES.items():
        try:
            found = watch(sight)
        except Exception as error:  # noqa: BLE001  (whatever it is, the other watches must go on and this must be told)
            said = str(error) if isinstance(error, NothingToLookAt) else f"it raised {place_of(error)}"
            all_seen.conditions.append(rules.blind(name, said))
            all_seen.unseen.update(kinds)
        else:
            all_seen.conditions.extend(found.conditions)
            all_seen.undecided.update(found.undecided)
    return all_seen


def place_of(error: BaseException) -> str:
    """Kind of an error and the line that raised it, without its text: that may hold anything."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{where}"


def freshness(sight: Sight) -> Seen:
    """Age of every asset with a freshness policy."""
    policies = {k: p for k in sight.graph.get_all_asset_keys() if (p := sight.graph.get(k).freshness_policy)}
    if not policies:
        raise NothingToLookAt("no asset has a freshness policy")
    stored = sight.instance.get_freshness_state_records(list(policies))
    last = _last_built(sight.instance, list(policies))
    facts = {}
    for key, policy in sorted(policies.items()):
        warn, fail = (getattr(policy, name, None) for name in ("warn_window", "fail_window"))
        facts[key] = lateness.Freshness(
            _path(key),
            last.get(key),
            warn.to_timedelta() if warn else None,
            fail.to_timedelta() if fail else None,
            stored[key].freshness_state.value if key in stored else None,
        )
    overdue = [k for k, f in facts.items() if lateness.freshness_state(f, sight.now) in ("WARN", "FAIL")]
    months = landed_months(sight.lake) if overdue else []
    confirmed = UpToDate(sight.lake, sight.tables, last, months, sight.now).moments(overdue)
    return Seen(lateness.freshness((replace(f, confirmed=confirmed.get(k)) for k, f in facts.items()), sight.now))


def _last_built(instance: dg.DagsterInstance, keys: Sequence[dg.AssetKey]) -> dict[dg.AssetKey, datetime]:
    found = {}
    for record in instance.get_asset_records(keys):
        last = record.asset_entry.last_materialization_record
        if last:
            found[record.asset_entry.asset_key] = moment_of(last.timestamp)
    return found


def claim_months(sight: Sight) -> Seen:
    """Claim months of every partitioned table."""
    found = months.of_tables(sight.tables, sight.lake, sight.now.date())
    if not found:
        raise NothingToLookAt("no table has claim months")
    return Seen(lateness.completeness(found))


def quality(sight: Sight) -> Seen:
    """Quality scores and stopped writes."""
    if sight.built and not sight.scores:
        raise NothingToLookAt("monitoring.data_quality_scores holds no row, though tables were built")
    return Seen(rules.quality(sight.scores))


def volume(sight: Sight) -> Seen:
    """Rows a month of the tables that hold claims as they came, and of those that must have some."""
    rows = {
        t.full_name: {m: row["rows_kept"] for m, row in sight.built[t.full_name].items() if m != WHOLE}
        for t in sight.tables
        if t.partitioned and t.full_name in sight.built
    }
    raw = {t.full_name for t in sight.tables if t.layer.folder == "bronze"}
    low = low_volume({n: found for n, found in rows.items() if n in raw}, sight.now.date())
    return Seen([*low, *few_rows(rows)])


def drift(sight: Sight) -> Seen:
    """What moved in the newest complete month; a table that was never built is told by its freshness."""
    path = sight.lake.path("monitoring", "drift")
    if not delta_exists(path):
        return Seen()
    columns = ["claim_month", "subject", "condition", "value", "at_least", "at_most", "verdict", "about"]
    return Seen(drifts(read_arrow(path, columns).to_pylist(), sight.now.date()))


def checks(sight: Sight) -> Seen:
    """The last word of every asset check, but for claim months: those are watched by the same rule directly."""
    keys = [k for k in sight.graph.asset_check_keys if k.name != months.CHECK]
    if not keys:
        raise NothingToLookAt("no asset has a check")
    log = sight.instance.event_log_storage
    latest = log.get_latest_asset_check_execution_by_key(keys)
    was_built = _last_built(sight.instance, list({k.asset_key for k in keys}))
    states, undecided = [], set()
    for key in sorted(keys, key=lambda k: (_path(k.asset_key), k.name)):
        state = _check_state(sight.instance, key, latest.get(key))
        if state == "being made":
            undecided.add(("check", f"{_path(key.asset_key)}: {key.name}", None))
        elif state:
            states.append(state)
        elif key.asset_key in was_built:
            built_at = was_built[key.asset_key]
            states.append(CheckState(_path(key.asset_key), key.name, "nothing to look at", False, built_at))
    stopped = {rules.asset_of(row["table_name"]) for row in sight.scores if not row["committed"]}
    return Seen(rules.checks(states, stopped), undecided)


def _check_state(instance: dg.DagsterInstance, key: dg.AssetCheckKey, record: Any) -> Any:
    """Its state, "being made", or None where it was never made.

    A run that failed before it came to a check says nothing of it: then the evaluation before counts.
    """
    if record is None:
        return None
    first = _of_record(instance, key, record)
    if first is not None:
        return first
    log = instance.event_log_storage
    for older in log.get_asset_check_execution_history(key, limit=OLDER, cursor=record.id):
        state = _of_record(instance, key, older)
        if state not in (None, "being made"):
            return state
    return None


def _of_record(instance: dg.DagsterInstance, key: dg.AssetCheckKey, record: Any) -> Any:
    at = moment_of(record.create_timestamp)
    evaluation = record.evaluation
    if isinstance(evaluation, dg.AssetCheckEvaluation):  # else it is only planned
        blocking = evaluation.severity == dg.AssetCheckSeverity.ERROR
        state = "passed" if evaluation.passed else "failed"
        rows = evaluation.metadata.get("rows")
        if evaluation.passed and key.name == ROWS_KEEP_CONTRACT and rows is not None and rows.value == 0:
            state = "nothing to look at"
        return CheckState(_path(key.asset_key), key.name, state, blocking, at)
    run = instance.get_run_by_id(record.run_id)
    if run is not None and not run.is_finished:
        return "being made"
    step = record.event.dagster_event.step_key if record.event and record.event.dagster_event else None
    if run is not None and step in _failed_steps(instance, run.run_id):
        return CheckState(_path(key.asset_key), key.name, "raised", True, at)
    return None


def _failed_steps(instance: dg.DagsterInstance, run_id: str) -> dict[str, float]:
    """Failed step -> time of its failure."""
    records = instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.STEP_FAILURE).records
    return {e.step_key: r.timestamp for r in records if (e := r.event_log_entry.dagster_event) and e.step_key}


def runs(sight: Sight) -> Seen:
    """Failed runs since the last look, and those told before whose work is still not done."""
    status = dg.DagsterRunStatus.FAILURE
    failed = sight.instance.get_run_records(dg.RunsFilter(statuses=[status], updated_after=sight.since))
    known = {a.subject for a in sight.alerts if a.kind == "run" and a.recovered_at is None}
    known -= {r.dagster_run.run_id for r in failed}
    again = sight.instance.get_run_records(dg.RunsFilter(run_ids=sorted(known))) if known else []
    by_step = {"__".join(k.path): k for k in sight.graph.get_all_asset_keys()}
    found = [_failed_run(sight, record, by_step) for record in (*failed, *again)]
    return Seen(rules.failed_runs(run for run in found if run))


def _failed_run(sight: Sight, record: Any, by_step: Mapping[str, dg.AssetKey]) -> FailedRun | None:
    """None when the work of the run was done since."""
    run, instance = record.dagster_run, sight.instance
    steps = _failed_steps(instance, run.run_id)
    asked = [run.tags[t] for t in RANGE if t in run.tags] or [run.tags[t] for t in (ONE_PARTITION,) if t in run.tags]
    assets = {by_step[s]: failed_at for s, failed_at in steps.items() if s in by_step}
    if assets:
        over = all(_built_after(sight, key, failed_at, asked) for key, failed_at in assets.items())
    else:
        over = _succeeded_after(instance, record)
    if over:
        return None
    names = tuple(sorted(_path(by_step[s]) if s in by_step else s for s in steps))
    return FailedRun(run.run_id, run.job_name, names, tuple(asked), moment_of(record.end_time or _updated(record)))


def _built_after(sight: Sight, key: dg.AssetKey, failed_at: float, asked: Sequence[str]) -> bool:
    """Whether the asset was built after the failure; of a range of months at least one must have been.

    Not all of them: the months of a range that were written before the failure are up to date and not built again. By
    time, not by number: SQLite numbers the events of each run from one.
    """
    of_months = bool(asked) and sight.graph.get(key).is_partitioned
    since = dg.AssetRecordsFilter(
        asset_key=key,
        asset_partitions=months_between(min(asked), max(asked)) if of_months else None,
        after_timestamp=failed_at,
    )
    return bool(sight.instance.fetch_materializations(since, limit=1).records)


def _succeeded_after(instance: dg.DagsterInstance, record: Any) -> bool:
    later = dg.RunsFilter(
        job_name=record.dagster_run.job_name,
        statuses=[dg.DagsterRunStatus.SUCCESS],
        created_after=record.create_timestamp,
    )
    return bool(instance.get_run_records(later, limit=1))


def _updated(record: Any) -> float:
    return record.update_timestamp.timestamp()


def _path(key: dg.AssetKey) -> str:
    return key.to_user_string()


WATCHES: Mapping[str, tuple[Iterable[str], Callable[[Sight], Seen]]] = {
    "freshness": (("freshness",), freshness),
    "claim months": (("completeness",), claim_months),
    "quality": (("quality", "write"), quality),
    "volume": (("volume",), volume),
    "drift": (("drift",), drift),
    "checks": (("check",), checks),
    "runs": (("run",), runs),
}
"""Name -> kinds of conditions that it finds, and how."""
