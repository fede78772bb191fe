"""The asset `models/promotion`: judge what a month trained, and make the better version champion.

Here: what a run does with a verdict. Elsewhere: what is known of a version (`governance/evidence.py`), the verdict
(`governance/gate.py`), the comparison (`governance/comparison.py`), the record (`monitoring/model_decisions.py`), what
is told of it (`promotion_report.py`).
A version is judged once, in its own training month, and keeps its decision. The decision is recorded before the
registry is changed, and the gate's tag is written last: a run after one that was stopped in between ends its work.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import dagster as dg

from claims_assets import partitions
from claims_assets.code_links import link_to
from claims_assets.freshness import policy
from claims_assets.layers import LAKE_POOL, LAYERS
from claims_assets.models import card
from claims_assets.models.governance.comparison import UNKNOWN, Interval, compare
from claims_assets.models.governance.evidence import Source, champions_scores, evidence, travel_through
from claims_assets.models.governance.gate import Evidence, judge
from claims_assets.models.governance.verdict import PASSED, Verdict
from claims_assets.models.promotion_report import Answer, about, check_specs, checks
from claims_assets.models.registered import MODELS
from claims_assets.models.risk_model import RiskModel
from claims_assets.models.training import ONLY_TRAINING_MONTHS
from claims_assets.models.windows import is_training_month
from claims_assets.monitoring.model_decisions import (
    BELOW_FLOOR,
    KEPT,
    NOTHING_TO_JUDGE,
    PROMOTED,
    REFUSED,
    SAME_VERSION,
    Decision,
    decision_id,
    record,
    stored,
)
from claims_assets.runtime.lake import Lake
from claims_assets.runtime.model_versions import ModelVersion, champion_at
from claims_assets.runtime.tracking import Tracking

LAYER = LAYERS["models"]
LOG = logging.getLogger(__name__)
GATE = "gate"
"""Who decides, in the record."""
GATE_TAG = {PROMOTED: "passed", KEPT: "passed", SAME_VERSION: "passed", BELOW_FLOOR: "below_floor", REFUSED: "refused"}
"""Decision -> what the registry says of the version."""


@dataclass(frozen=True)
class Judging:
    """One month of one run."""

    source: Source
    run_id: str
    now: Callable[[], datetime]
    seen: dict[str, list[ModelVersion]] = field(default_factory=dict)
    """Versions by model, as last read; months of one run share it, as most of them change nothing."""

    def versions(self, name: str) -> list[ModelVersion]:
        """All versions of a model; none that this run has changed is as it was before."""
        if name not in self.seen:
            self.seen[name] = self.tracking.versions(name)
        return self.seen[name]

    def champion(self, name: str) -> ModelVersion | None:
        """The champion of the month."""
        return champion_at(self.versions(name), self.month)

    @property
    def lake(self) -> Lake:
        return self.source.lake

    @property
    def tracking(self) -> Tracking:
        return self.source.tracking

    @property
    def month(self) -> str:
        return self.source.month


@dg.asset(
    key=["models", "promotion"],
    group_name=LAYER.folder,
    description=(
        "The gate: judges the versions that a month trained on members they have never seen, records why, and makes"
        " the better one champion."
    ),
    deps=[
        dg.AssetKey(["gold", "risk_training_rows"]),
        *[dg.AssetKey(["models", model.name]) for model in MODELS],
    ],
    partitions_def=partitions.claim_months,
    backfill_policy=dg.BackfillPolicy.single_run(),
    freshness_policy=policy(LAYER.cadence),
    owners=[LAYER.owner],
    tags={"phi": "none", "domain": "risk", "compute": LAYER.compute},
    kinds={"mlflow"},
    metadata=link_to(Path(__file__)),
    check_specs=check_specs(),
    required_resource_keys={"spark", "lake", "tracking", LAYER.launcher},
    pool=LAKE_POOL,
)
def promotion(context: dg.AssetExecutionContext):
    """Judge the months in their order: what one makes champion, the next is compared with."""
    resources = context.resources
    if elsewhere := getattr(resources, LAYER.launcher):
        return elsewhere.run(context, {ONLY_TRAINING_MONTHS: "true"})
    if resources.lake.engine == "spark":
        _ = resources.spark.spark_session  # it writes the record
    travel = travel_through(resources.lake, lambda: resources.spark.spark_session)
    seen: dict[str, list[ModelVersion]] = {}
    told: list[Answer] = []
    for month in sorted(context.partition_keys):
        source = Source(resources.lake, resources.tracking, travel, month)
        answers = judged(Judging(source, context.run.run_id, lambda: datetime.now(UTC), seen), MODELS)
        context.add_asset_metadata(about(answers), asset_key=context.asset_key, partition_key=month)
        told += answers
    note_months_without_versions(resources.lake, told)
    for d in (a.decision for a in told if a.decision.challenger):
        context.log.info(f"{d.claim_month} {d.model_name} version {d.challenger}: {d.decision}")
    return dg.MaterializeResult(check_results=checks(resources.lake, MODELS))


def judged(here: Judging, models: Iterable[RiskModel]) -> list[Answer]:
    """Judge each model's versions of the month, once; what was decided earlier is told again, not decided again."""
    found: list[Answer] = []
    for model in models:
        versions = [v for v in here.versions(model.name) if v.as_of_month == here.month]
        known = stored(here.lake, model.name) if versions else []
        found += [_judged_once(model, v, known, here) for v in versions] or [_nothing(model, here)]
    return found


def note_months_without_versions(lake: Lake, answers: Iterable[Answer]) -> None:
    """Record them where models train; other months would fill the record."""
    nothing = [a.decision for a in answers if a.decision.decision == NOTHING_TO_JUDGE]
    record(lake, [d for d in nothing if is_training_month(d.claim_month)])


def _judged_once(model: RiskModel, version: ModelVersion, known: Sequence[Decision], here: Judging) -> Answer:
    own = [d for d in known if (d.claim_month, d.challenger) == (here.month, version.version)]
    if final := next((d for d in own if d.is_final), None):
        if not version.gate:
            _apply(final, here)
            _write_card(model, version, final, None, here.tracking)
        return Answer(final, is_new=False)
    decision, verdict = _decided(model, version, here)
    is_new = bool(record(here.lake, [decision]))
    _apply(decision, here)
    _write_card(model, version, decision, verdict, here.tracking)
    return Answer(decision, is_new, verdict)


def _nothing(model: RiskModel, here: Judging) -> Answer:
    reason = f"No version of {model.name} was trained as of {here.month}."
    champion = here.champion(model.name)
    return Answer(_decision(model, None, champion, here, decision=NOTHING_TO_JUDGE, reasons=(reason,)), is_new=False)


def _decided(model: RiskModel, version: ModelVersion, here: Judging) -> tuple[Decision, Verdict]:
    """The decision about a version that was not judged yet; the registry is not changed."""
    champion = here.champion(model.name)
    known = evidence(model, version, here.source)
    judgement = judge(known)
    verdict = judgement.verdict
    numbers = _named("value", judgement.primary) | _named("gain_on_rule", judgement.gain_on_rule)
    decided = _decision(
        model, version, champion, here, decision=verdict.outcome, reasons=verdict.reasons, notes=verdict.notes,
        measure=known.demands.primary, **numbers,
    )  # fmt: skip
    if known.unreadable:
        # What was unreadable may be readable tomorrow; the same failure again is the same decision.
        decided = replace(decided, is_final=False, decision_id=f"{decided.decision_id} {_hash(verdict.reasons)}")
    if verdict.outcome == PASSED:
        decided = _compared(decided, known, champion, here)
    return decided, verdict


def _compared(decided: Decision, known: Evidence, champion: ModelVersion | None, here: Judging) -> Decision:
    """A version that passed becomes champion if there is none, or if it is better than that."""
    if champion and champion.version == decided.challenger:
        reason = "It is the champion already, by hand; a version is not compared with itself."
        return replace(decided, decision=SAME_VERSION, reasons=(reason,))
    if champion is None or champion.gate != "passed":
        reason = f"It passes every criterion, and there is no champion{' that did' if champion else ''}."
        return replace(decided, decision=PROMOTED, reasons=(reason,), champion_after=decided.challenger)
    try:
        theirs = champions_scores(champion, known, here.source)
    except Exception as error:  # noqa: BLE001  (whatever breaks, the champion stays and the record says why)
        reason = f"The champion, version {champion.version}, could not score the test members ({type(error).__name__})."
        return replace(decided, decision=KEPT, reasons=(reason,))
    found = compare(known.demands, known.test, theirs, known.members)
    numbers: dict[str, Any] = _named("gain_on_champion", found.gain)
    if not found.better:
        return replace(decided, decision=KEPT, reasons=found.reasons, **numbers)
    return replace(
        decided, decision=PROMOTED, reasons=found.reasons, champion_after=decided.challenger, **numbers
    )  # fmt: skip


def _apply(decision: Decision, here: Judging) -> None:
    """What the decision means for the registry; doing it twice is doing it once."""
    name, version, tracking = decision.model_name, decision.challenger, here.tracking
    if version is None or decision.decision not in GATE_TAG:
        return
    if decision.decision == PROMOTED:
        champion = here.champion(name)
        if champion is None or champion.version != version:
            tracking.crown(name, version, decision.claim_month)
    elif decision.decision == KEPT:
        tracking.challenge(name, version)
    tracking.tag(name, version, gate=GATE_TAG[decision.decision])
    del here.seen[name]


def _write_card(
    model: RiskModel, version: ModelVersion, decision: Decision, verdict: Verdict | None, tracking: Tracking
) -> None:
    try:
        card.publish(tracking, model, version, decision, verdict)
    except Exception as error:  # noqa: BLE001  (the verdict stands without its card, as of a run that is gone)
        name = f"{model.name} version {version.version}"
        LOG.warning("The model card of %s could not be written (%s).", name, type(error).__name__)


def _decision(
    model: RiskModel, version: ModelVersion | None, champion: ModelVersion | None, here: Judging, **given: Any
) -> Decision:
    number, before = version.version if version else None, champion.version if champion else None
    return Decision(
        decision_id=decision_id(model.name, here.month, number),
        model_name=model.name,
        claim_month=here.month,
        challenger=number,
        champion_before=before,
        champion_after=before,
        decided_at=here.now(),
        run_id=here.run_id,
        actor=GATE,
        **given,
    )


def _named(name: str, found: Interval) -> dict[str, float]:
    """Columns of a value and its interval; none where it is not known."""
    if found == UNKNOWN or not found.known:
        return {}
    return {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}


def _hash(reasons: Iterable[str]) -> str:
    return sha256("\n".join(reasons).encode()).hexdigest()[:8]
