"""The five member risk models, and what is known of a registered version: measures, rule beside, decisions.

Here: the summary that the report shows. Elsewhere: the measures (`measured.py`), the decisions
(`monitoring/model_decisions.py`), how they are printed (`cli/models.py`), the model card (`card.py`).
"""

from dataclasses import asdict, dataclass
from typing import Any

from claims_assets.models.er_utilization_predictor import ER_UTILIZATION
from claims_assets.models.evaluation import ABSENT, TEST
from claims_assets.models.health_risk_score import HEALTH_RISK
from claims_assets.models.high_cost_predictor import HIGH_COST
from claims_assets.models.high_risk_predictor import HIGH_RISK
from claims_assets.models.measured import Measured, count_shown, measured
from claims_assets.models.risk_model import RiskModel
from claims_assets.models.total_cost_predictor import TOTAL_COST
from claims_assets.monitoring.model_decisions import NOTHING_TO_JUDGE, Decision, stored
from claims_assets.runtime.lake import Lake
from claims_assets.runtime.model_versions import CHAMPION, ModelVersion, champion_at
from claims_assets.runtime.tracking import Tracking

MODELS: tuple[RiskModel, ...] = (ER_UTILIZATION, HIGH_COST, TOTAL_COST, HIGH_RISK, HEALTH_RISK)


@dataclass(frozen=True)
class Known:
    """What is known of one model as of a month."""

    model: str
    version: int | None
    """The champion; without one, the newest version. None: none is registered."""
    status: str
    """champion, candidate (below a floor), refused, not judged, passed, or not registered."""
    as_of_month: str = ""
    champion_from: str = ""
    champion_until: str = ""
    test_index: str = ""
    train_indexes: str = ""
    test_members: str = ""
    measures: tuple[Measured, ...] = ()
    decision: Decision | None = None
    """The last one about this model, up to the month."""

    def as_json(self) -> dict[str, Any]:
        """Plain values, for a program."""
        found = asdict(self)
        if self.decision:
            found["decision"] = asdict(self.decision) | {"decided_at": self.decision.decided_at.isoformat()}
        return found


def known_of(model: RiskModel, tracking: Tracking, lake: Lake, month: str | None) -> Known:
    """The champion of `month` (None: today's) with its measures and the last decision; else the newest version."""
    versions = [v for v in tracking.versions(model.name) if not month or v.as_of_month <= month]
    decisions = [d for d in stored(lake, model.name) if not month or d.claim_month <= month]
    decision = next((d for d in reversed(decisions) if d.decision != NOTHING_TO_JUDGE), None)
    if not versions:
        return Known(model.name, None, "not registered", decision=decision)
    champion = champion_at(versions, month) if month else next((v for v in versions if v.alias == CHAMPION), None)
    version = champion or versions[-1]
    values, tags = tracking.results(version)
    absent = {k.removeprefix(ABSENT): why for k, why in tags.items() if k.startswith(ABSENT)}
    params = tracking.params(version)
    return Known(
        model=model.name,
        version=version.version,
        status=CHAMPION if champion else status_of(version),
        as_of_month=version.as_of_month,
        champion_from=version.champion_from,
        champion_until=version.champion_until,
        test_index=params.get("test_index", ""),
        train_indexes=params.get("train_indexes", ""),
        test_members=count_shown(values.get(f"{TEST}rows")),
        measures=measured(values, absent),
        decision=decision,
    )


def status_of(version: ModelVersion) -> str:
    """Of a version that is no champion, in words."""
    words = {"below_floor": "candidate", "refused": "refused", "passed": "passed", "": "not judged"}
    return words[version.gate]
