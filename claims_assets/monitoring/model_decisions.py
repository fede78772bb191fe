"""Which model version was let in, kept out, made champion or taken back, by whom and why: one row per decision.

Rows are added, never changed. Written by the asset `models/promotion` and by a rollback (`claims models rollback`).
Holds measures, versions and names of groups; no member's value. Elsewhere: how it is decided (`models/governance/`).
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import pyspark.sql.types as T

from claims_assets import columns as c
from claims_assets.contracts import Contract, compiled
from claims_assets.monitoring.recorded import recorded
from claims_assets.runtime.delta import Filter, delta_exists, read_arrow

if TYPE_CHECKING:
    from claims_assets.runtime.lake import Lake

TABLE = ("monitoring", "model_decisions")
PROMOTED, KEPT, REFUSED, BELOW_FLOOR = "promoted", "kept", "refused", "below_floor"
SAME_VERSION, NOTHING_TO_JUDGE, ROLLED_BACK = "same_version", "nothing_to_judge", "rolled_back"
DECISIONS = (PROMOTED, KEPT, REFUSED, BELOW_FLOOR, SAME_VERSION, NOTHING_TO_JUDGE, ROLLED_BACK)


class ModelDecisions(Contract):
    """Which model version was let in, kept out or taken back, and why: one row per decision."""

    decision_id: str = c.required("Model, month and version, so that a second run adds nothing; of a rollback, when.")
    model_name: str = c.required("Registered name of the model.")
    claim_month: str = c.claim_month()
    decision: str = c.required(
        "promoted: champion now. kept: it passed, and the champion stays. below_floor: it may score as a candidate."
        " refused: it never scores. same_version: champion already. nothing_to_judge: the month has no version."
        " rolled_back: the champion before is champion again.",
        isin=DECISIONS,
    )
    challenger: c.Whole = c.optional("Version that was judged.", ge=1)
    champion_before: c.Whole = c.optional("Champion before the decision.", ge=1)
    champion_after: c.Whole = c.optional("Champion after it.", ge=1)
    reasons: c.Words = c.required("Why, a sentence each, the worst first; names no member.")
    notes: c.Words = c.required("What decided nothing and is worth knowing, such as groups too small to judge.")
    measure: str = c.optional("Measure by which models are compared, on the held-out test members.")
    value: c.Number = c.optional("The challenger's.")
    value_low: c.Number = c.optional("Lower end of its 95 % interval.")
    value_high: c.Number = c.optional("Upper end of its 95 % interval.")
    gain_on_rule: c.Number = c.optional("The challenger's measure less that of the rule of thumb, on the same members.")
    gain_on_rule_low: c.Number = c.optional("Lower end of its 95 % interval.")
    gain_on_rule_high: c.Number = c.optional("Upper end of its 95 % interval.")
    gain_on_champion: c.Number = c.optional("The challenger's measure less the champion's, on the same members.")
    gain_on_champion_low: c.Number = c.optional("Lower end of its 95 % interval.")
    gain_on_champion_high: c.Number = c.optional("Upper end of its 95 % interval.")
    is_final: bool = c.flag("False: something could not be read, so a repeated run judges again.")
    decided_at: T.TimestampType = c.required("When, UTC.")
    run_id: str = c.optional("Dagster run; NULL: a command.")
    actor: str = c.required("Who decided: `gate`, or the user who asked for it.")

    class Config:
        unique = ["decision_id"]


@dataclass(frozen=True)
class Decision:
    """One row of `monitoring.model_decisions`."""

    decision_id: str
    model_name: str
    claim_month: str
    decision: str
    decided_at: datetime
    actor: str
    reasons: tuple[str, ...]
    notes: tuple[str, ...] = ()
    challenger: int | None = None
    champion_before: int | None = None
    champion_after: int | None = None
    measure: str | None = None
    value: float | None = None
    value_low: float | None = None
    value_high: float | None = None
    gain_on_rule: float | None = None
    gain_on_rule_low: float | None = None
    gain_on_rule_high: float | None = None
    gain_on_champion: float | None = None
    gain_on_champion_low: float | None = None
    gain_on_champion_high: float | None = None
    is_final: bool = True
    run_id: str | None = None


model_decisions = recorded("model_decisions", ModelDecisions)
"""Not a step: whoever decides adds its row."""


def decision_id(model_name: str, claim_month: str, challenger: int | None) -> str:
    """Of what the gate decides about one version in one month (None: the month has none)."""
    return f"{model_name} {claim_month} {f'version {challenger}' if challenger else 'no version'}"


def rolled_back(
    model_name: str, claim_month: str, before: int, after: int, *, reason: str, actor: str, decided_at: datetime
) -> Decision:
    """The champion `before` gave way to `after`, which had been champion earlier."""
    return Decision(
        decision_id=f"{model_name} {claim_month} rolled back {decided_at.isoformat()}",
        model_name=model_name,
        claim_month=claim_month,
        decision=ROLLED_BACK,
        champion_before=before,
        champion_after=after,
        reasons=(reason,),
        decided_at=decided_at,
        actor=actor,
    )


def record(lake: "Lake", decisions: Iterable[Decision]) -> list[Decision]:
    """Add the rows in one commit, but for those whose id is there already; those that were added."""
    import pyarrow as pa

    given = {d.decision_id: d for d in decisions}
    known = {d.decision_id for d in stored(lake)} if given else set()
    new = [d for i, d in given.items() if i not in known]
    if new:
        rows = [{n: list(v) if isinstance(v, tuple) else v for n, v in asdict(d).items()} for d in new]
        content = pa.Table.from_pylist(rows, schema=compiled(ModelDecisions).arrow_schema())
        lake.writer.replace(lake.path(*TABLE), content, None, {"decision_id": [d.decision_id for d in new]})
    return new


def stored(lake: "Lake", model_name: str | None = None) -> list[Decision]:
    """All decisions, or those about one model, in the order in which they were taken."""
    path = lake.path(*TABLE)
    if not delta_exists(path):
        return []
    where: list[Filter] = [("model_name", "=", model_name)] if model_name else []
    rows = read_arrow(path, list(compiled(ModelDecisions).columns), where=where).to_pylist()
    found = [Decision(**row | {n: tuple(row[n]) for n in ("reasons", "notes")}) for row in rows]
    return sorted(found, key=lambda d: (d.decided_at, d.decision_id))
