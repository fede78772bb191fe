"""What `models/promotion` tells of its verdicts: one check a model, and the metadata of a month.

Elsewhere: who decides (`promotion.py`), the record that outlives a run (`monitoring/model_decisions.py`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg

from claims_assets.models.governance.verdict import Verdict
from claims_assets.models.registered import MODELS
from claims_assets.models.risk_model import RiskModel
from claims_assets.monitoring.model_decisions import KEPT, NOTHING_TO_JUDGE, PROMOTED, SAME_VERSION, Decision, stored
from claims_assets.runtime.lake import Lake

MAY_SCORE = (PROMOTED, KEPT, SAME_VERSION)


@dataclass(frozen=True)
class Answer:
    """What a run has to say of one model in one month."""

    decision: Decision
    is_new: bool
    verdict: Verdict | None = None
    """None: it was judged by an earlier run, or there was nothing to judge."""


def check_name(model: RiskModel) -> str:
    return f"{model.name}_passes_the_gate"


def check_specs() -> list[dg.AssetCheckSpec]:
    about = "The version of the newest judged month passed every criterion of the gate; its reasons if not."
    return [dg.AssetCheckSpec(check_name(m), asset=["models", "promotion"], description=about) for m in MODELS]


def checks(lake: Lake, models: Iterable[RiskModel]) -> list[dg.AssetCheckResult]:
    """One for each model, about the version of the newest month that was judged, whichever run did."""
    return [_check(model, stored(lake, model.name)) for model in models]


def _check(model: RiskModel, decisions: Sequence[Decision]) -> dg.AssetCheckResult:
    judged = [d for d in decisions if d.challenger]
    newest = max(judged, key=lambda d: (d.claim_month, d.challenger or 0, d.decided_at), default=None)
    if newest is None:
        told: dict[str, Any] = {"decision": NOTHING_TO_JUDGE}
    else:
        told = {
            "decision": newest.decision,
            "version": newest.challenger,
            "claim_month": newest.claim_month,
            "reasons": dg.MetadataValue.md(_listed(newest.reasons)),
            "notes": dg.MetadataValue.md(_listed(newest.notes)),
        }
    return dg.AssetCheckResult(
        check_name=check_name(model),
        passed=newest is None or newest.decision in MAY_SCORE,
        severity=dg.AssetCheckSeverity.WARN,
        metadata=told,
    )


def about(answers: Sequence[Answer]) -> dict[str, Any]:
    """Metadata of one month."""
    told = {f"{a.decision.model_name}_decision": a.decision.decision for a in answers}
    return {"decisions": dg.MetadataValue.md("\n\n".join(map(_section, answers))), **told}


def _section(answer: Answer) -> str:
    d = answer.decision
    version = f" version {d.challenger}" if d.challenger else ""
    lines = [f"### {d.model_name}{version}: {d.decision.replace('_', ' ')}"]
    if not answer.is_new and d.challenger:
        lines.append(f"Decided at {d.decided_at:%Y-%m-%d %H:%M} UTC.")
    lines.append(_listed(d.reasons))
    if answer.verdict:
        lines += [answer.verdict.as_markdown(), _listed(d.notes)]
    return "\n\n".join(line for line in lines if line)


def _listed(sentences: Iterable[str]) -> str:
    return "\n".join(f"- {s}" for s in sentences)
