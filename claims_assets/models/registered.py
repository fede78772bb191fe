"""The five member risk models, and what is known of a registered version: measures, rule beside, decisions.

Here: the summary that the report and the model card show. Elsewhere: the measures (`evaluation.py`), the decisions
(`monitoring/model_decisions.py`), how they are printed (`cli/models.py`, `card.py`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from claims_assets.models.er_utilization_predictor import ER_UTILIZATION
from claims_assets.models.evaluation import BASELINE, HIGH, LOW, RULE, TEST
from claims_assets.models.health_risk_score import HEALTH_RISK
from claims_assets.models.high_cost_predictor import HIGH_COST
from claims_assets.models.high_risk_predictor import HIGH_RISK
from claims_assets.models.risk_model import RiskModel
from claims_assets.models.total_cost_predictor import TOTAL_COST
from claims_assets.models.training import ABSENT
from claims_assets.monitoring.model_decisions import NOTHING_TO_JUDGE, Decision, stored
from claims_assets.runtime.lake import Lake
from claims_assets.runtime.model_versions import CHAMPION, ModelVersion, champion_at
from claims_assets.runtime.tracking import Tracking

MODELS: tuple[RiskModel, ...] = (ER_UTILIZATION, HIGH_COST, TOTAL_COST, HIGH_RISK, HEALTH_RISK)
UNSEEN = f"{TEST}unseen_"
COUNTS = ("rows", "positives")
"""Names under `test_` that count and measure nothing."""
SMALLEST_SHOWN = 11
"""Counts of 1 to 10 members are not shown (CMS cell size suppression policy)."""
FEWER = f"1 to {SMALLEST_SHOWN - 1}"


@dataclass(frozen=True)
class Measured:
    """One measure on the held-out test members, of the model, of the rule of thumb and of the documents' algorithm."""

    name: str
    value: float | None
    low: float | None
    high: float | None
    """95 % interval."""
    rule: float | None
    documented: float | None
    absent: str = ""
    """Why there is no value."""


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
        measures=tuple(measured(values, tags)),
        decision=decision,
    )


def status_of(version: ModelVersion) -> str:
    """Of a version that is no champion, in words."""
    words = {"below_floor": "candidate", "refused": "refused", "passed": "passed", "": "not judged"}
    return words[version.gate]


def measured(values: Mapping[str, float], tags: Mapping[str, str]) -> Sequence[Measured]:
    """The measures of a run, by name."""
    absent = {k.removeprefix(ABSENT): why for k, why in tags.items() if k.startswith(ABSENT)}
    stated = sorted({*values, *absent})
    names = [n.removeprefix(TEST) for n in stated if n.startswith(TEST) and not n.startswith(UNSEEN)]
    return [
        Measured(
            name,
            values.get(TEST + name),
            values.get(TEST + name + LOW),
            values.get(TEST + name + HIGH),
            values.get(RULE + name),
            values.get(BASELINE + name),
            absent.get(TEST + name, ""),
        )
        for name in names
        if name not in COUNTS and not name.endswith((LOW, HIGH))
    ]


def count_shown(count: float | None) -> str:
    """A number of members as it may be shown; empty where it is unknown."""
    if count is None:
        return ""
    return FEWER if 0 < count < SMALLEST_SHOWN else f"{count:,.0f}"


def shown(value: float | None) -> str:
    """A measure as people read it."""
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3f}"


def with_interval(m: Measured) -> str:
    """A measure with its interval, or why there is none."""
    if m.value is None:
        return f"absent: {m.absent}"
    return shown(m.value) + (f" ({shown(m.low)} to {shown(m.high)})" if m.low is not None else "")
