"""A small plan: members with all that the outreach list reads, given as literal rows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from claims_assets.bronze.member_contacts import MemberContacts
from claims_assets.bronze.outreach_contacts import OutreachContacts
from claims_assets.features.hospice_days import HospiceDays
from claims_assets.features.immunization_gaps import ImmunizationGaps
from claims_assets.features.member_features import MemberFeatures
from claims_assets.outreach.immunization_targeting import immunization_targeting
from claims_assets.outreach.outreach_policy import OutreachPolicy
from claims_assets.predictions.member_risk_predictions import MemberRiskPredictions
from claims_assets.silver.member_months import MemberMonths

MONTH = "2024-10"
POLICY = {
    "valid_from": "2000-01", "phone_per_week": 50, "mail_per_week": 50, "email_per_week": 50, "portal_per_week": 50,
    "weeks": 4, "cooldown_days": 90, "holdout_share": 0.0, "holdout_seed": "seed", "program_year_starts_in": 7,
    "lists_no_evidence": True, "lists_discuss": False, "minor_age": 18,
}  # fmt: skip
WELL = {
    "risk_tier": "Very Low", "chronic_condition_count": 0, "er_visit_count_12mo": 0, "has_diabetes": False,
    "has_copd_asthma": False, "has_heart_failure": False,
}  # fmt: skip
SCORES = {
    "high_risk_score": 0.0, "er_utilization_risk_score": 0.0, "high_cost_risk_score": 0.0, "predicted_total_cost": 0.0,
    "model_status": "rule",
}  # fmt: skip


@dataclass
class Plan:
    """What is given; a member who is not said otherwise is 40, well, owns a phone and has influenza due."""

    rows: Callable[..., Any]
    months: Sequence[str] = (MONTH,)
    policy: Sequence[Mapping[str, Any]] = (POLICY,)
    members: dict[str, dict[str, Any]] = field(default_factory=dict)
    gaps: dict[str, dict[str, str]] = field(default_factory=dict)
    contacts: list[dict[str, Any]] = field(default_factory=list)
    attempts: list[dict[str, Any]] = field(default_factory=list)
    hospice: list[dict[str, Any]] = field(default_factory=list)

    def member(self, name: str, *channels: str, needs: Mapping[str, str] | None = None, **given: Any) -> "Plan":
        self.members[name] = given
        self.gaps[name] = {"influenza": "due"} if needs is None else dict(needs)
        self.contacts += [{"member_id": name, "channel": c, "value": f"{name} {c}"} for c in channels]
        return self

    def frames(self) -> list[Any]:
        rows, keys = self.rows, [(m, month) for m in self.members for month in self.months]
        day = {"due_since": "2024-09-01"}
        return [
            rows(MemberMonths, *[_month(m, month, self.members[m]) for m, month in keys]),
            rows(
                ImmunizationGaps,
                *[
                    {"member_id": m, "claim_month": month, "vaccine": v, "status": s, "rule_id": f"{v}_rule",
                     "evidence": ["C1"] if s == "complete" else []} | (day if s in ("due", "overdue") else {})
                    for m, month in keys for v, s in self.gaps[m].items()
                ],
            ),
            rows(MemberFeatures, *[_of(WELL, m, month, self.members[m]) for m, month in keys]),
            rows(MemberRiskPredictions, *[_of(SCORES, m, month, self.members[m]) for m, month in keys]),
            rows(HospiceDays, *self.hospice),
            rows(OutreachPolicy, *self.policy),
            rows(MemberContacts, *self.contacts),
            rows(OutreachContacts, *self.attempts),
        ]  # fmt: skip

    def made(self) -> list[Any]:
        """The rows of `gold.immunization_targeting`."""
        return immunization_targeting(*self.frames()).collect()

    def by_member(self) -> dict[str, Any]:
        return {r.member_id: r for r in self.made()}


def _month(member: str, month: str, given: Mapping[str, Any]) -> dict[str, Any]:
    names = {n: v for n, v in given.items() if n not in WELL and n not in SCORES}
    age = names.get("age", 40)
    born = None if age is None else f"{int(month[:4]) - age}-01-15"
    return {
        "member_id": member, "claim_month": month, "age": age, "gender": "F", "race": "White",
        "birth_date": born, "ethnicity": "Unknown", "enrolment_by_day": "1" * 30,
    } | names  # fmt: skip


def _of(usual: Mapping[str, Any], member: str, month: str, given: Mapping[str, Any]) -> dict[str, Any]:
    return {"member_id": member, "claim_month": month, **usual} | {n: v for n, v in given.items() if n in usual}


@pytest.fixture
def plan(rows):
    """`plan(months=[...], policy=[...])`: an empty plan to be filled."""
    return lambda **given: Plan(rows, **given)
