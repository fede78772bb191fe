"""The model card of a registered version, as Markdown and JSON beside the model: what it is for, how far it holds.

Made of what the run holds, so it can be written again when the gate has judged. No member's value, and no count of 1 to
10 members. After Mitchell et al., Model Cards for Model Reporting (FAT* 2019). Elsewhere: the measures (`measured.py`),
the verdict (`governance/`), the registry (`runtime/tracking.py`).
"""

import importlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from claims_assets.features.risk_training_rows import WASHOUT_MONTHS
from claims_assets.models.evaluation import ABSENT, TEST
from claims_assets.models.governance.verdict import Criterion, Verdict
from claims_assets.models.measured import Measured, count_shown, measured, shown, with_interval
from claims_assets.models.risk_model import RiskModel
from claims_assets.models.windows import HORIZON, LOOK_BACK, RUN_OUT
from claims_assets.monitoring.model_decisions import Decision
from claims_assets.runtime.model_versions import ModelVersion
from claims_assets.runtime.tracking import CODE_VERSION, DELTA_VERSION, Tracking

FILE = "model_card"
NOT_JUDGED = "not judged yet"
USES = (
    "To rank members for outreach and care management, with a person deciding about each of them.",
    "Not to deny, delay or reduce care or coverage, not to set a member's premium, and not to judge a provider.",
)
LIMITS = (
    "It learnt from the claims of one plan, as they were paid: another plan, fee schedule or benefit needs a training"
    " and a judgement of its own.",
    f"It knows {LOOK_BACK} months of claims. Members enrolled for fewer than {WASHOUT_MONTHS} of them were left out of"
    " the training, so of new members it says little.",
    "It says who is likely to need care or to cost, not what would help them. Care that a member could not get left no"
    " claim, so whoever has little access looks healthier than they are.",
    "Its measures are those of the test members; each has an interval, and a year later they may differ.",
)


def publish(
    tracking: Tracking,
    model: RiskModel,
    version: ModelVersion,
    decision: Decision | None = None,
    verdict: Verdict | None = None,
) -> bool:
    """Store the card with the run that registered the version, in place of an earlier one.

    Args:
        decision: of the gate; None: it has not judged.
        verdict: the criteria behind it, where they are at hand.

    Returns:
        False, and nothing is stored, where the version has no run, as one that others registered.
    """
    if not version.run_id:
        return False
    found = card(tracking, model, version, decision, verdict)
    tracking.log_text(version, f"{FILE}.json", json.dumps(found, indent=1))
    tracking.log_text(version, f"{FILE}.md", as_markdown(found))
    return True


def card(
    tracking: Tracking,
    model: RiskModel,
    version: ModelVersion,
    decision: Decision | None = None,
    verdict: Verdict | None = None,
) -> dict[str, Any]:
    """The card as plain values."""
    values, tags = tracking.results(version)
    params = tracking.params(version)
    absent, delta = _tagged(tags, ABSENT), _tagged(tags, DELTA_VERSION)
    return {
        "model": model.name,
        "version": version.version,
        "predicts": _purpose(model),
        "uses": list(USES),
        "trained_as_of": version.as_of_month,
        "code_version": tags.get(CODE_VERSION, ""),
        "data": {
            "training_index_months": params.get("train_indexes", ""),
            "training_rows": params.get("training_rows", ""),
            "test_index_month": params.get("test_index", ""),
            "test_members": count_shown(values.get(f"{TEST}rows")),
            "test_members_with_the_event": count_shown(values.get(f"{TEST}positives")),
            "outcome": f"the {HORIZON} months after an index month, judged {RUN_OUT} months later",
            "delta_versions": delta,
        },
        "algorithm": "gradient boosted trees (xgboost), calibrated on members that the trees did not see",
        "inputs": list(model.inputs),
        "threshold": version.threshold,
        "aim": params.get("aim", "") if model.aim else "",
        "source_algorithm": model.baseline.algorithm.replace("_", " "),
        "measures": [asdict(m) for m in measured(values, absent)],
        "limits": list(LIMITS),
        "decision": decision.decision if decision else NOT_JUDGED,
        "reasons": list(decision.reasons) if decision else [],
        "notes": list(decision.notes) if decision else [],
        "criteria": [asdict(c) for c in verdict.criteria] if verdict else [],
    }


def as_markdown(found: dict[str, Any]) -> str:
    """The card for people."""
    data, criteria = found["data"], tuple(Criterion(**c) for c in found["criteria"])
    delta = ", ".join(f"{table} {v}" for table, v in data["delta_versions"].items())
    about = {
        "training": f"index months {data['training_index_months']}; {data['training_rows']} rows",
        "test": f"index month {data['test_index_month']}; {data['test_members']} members, none of them later",
        "with the event": data["test_members_with_the_event"],
        "outcome": data["outcome"],
        "Delta versions": delta,
        "code": found["code_version"],
        "threshold": "" if found["threshold"] is None else f"{found['threshold']:g}",
        "aim": found["aim"],
    }
    sections = [
        f"# {found['model']} version {found['version']}, as of {found['trained_as_of']}",
        f"{found['predicts']} Algorithm: {found['algorithm']}.",
        "## Use",
        _listed(found["uses"]),
        "## Data",
        _listed(f"{name}: {value}" for name, value in about.items() if value),
        "## Measures on the test members",
        _measures([Measured(**m) for m in found["measures"]], found["source_algorithm"]),
        "## Gate and fairness",
        f"Decision: {found['decision'].replace('_', ' ')}.",
        _listed(found["reasons"]),
        Verdict(criteria).as_markdown() if criteria else "Groups of members are not compared yet.",
        _listed(found["notes"]),
        "## Limits",
        _listed(found["limits"]),
    ]
    return "\n\n".join(s for s in sections if s) + "\n"


def _tagged(tags: Mapping[str, str], prefix: str) -> dict[str, str]:
    return {k.removeprefix(prefix): v for k, v in tags.items() if k.startswith(prefix)}


def _purpose(model: RiskModel) -> str:
    """The first line of the model's own file."""
    return (importlib.import_module(f"claims_assets.models.{model.name}").__doc__ or "").strip().splitlines()[0]


def _listed(sentences: Iterable[str]) -> str:
    return "\n".join(f"- {s}" for s in sentences)


def _measures(measures: Sequence[Measured], algorithm: str) -> str:
    lines = [
        f"| measure | model (95 % interval) | last year's value | sources' algorithm: {algorithm} |",
        "|---|---|---|---|",
    ]
    lines += [f"| {m.name} | {with_interval(m)} | {shown(m.rule)} | {shown(m.source_algorithm)} |" for m in measures]
    return "\n".join(lines)
