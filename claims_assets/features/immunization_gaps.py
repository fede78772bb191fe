"""Which vaccine a member lacks, from dose evidence and the schedule: one row per member, vaccine and as-of month.

Here: what is read, and the columns. Elsewhere: the schedule (`vaccine_schedule.py`), the status of one day
(`vaccine_status.py`), the months to look at (`vaccine_months.py`), what the statuses mean (docs/vaccines.md). A member
whose birth date is not known has no row, nor has a vaccine without a rule that holds for the member.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pyspark.sql import DataFrame

from claims_assets import columns as c
from claims_assets.contracts import Contract
from claims_assets.features.vaccine_members import arrow_type, for_each_member, month_texts, vaccine_members
from claims_assets.features.vaccine_months import Member, stretches
from claims_assets.features.vaccine_schedule import schedule_version
from claims_assets.features.vaccine_status import STATUSES, Decision
from claims_assets.sources.code_sets import VACCINES, fingerprint
from claims_assets.table import Spans, table

if TYPE_CHECKING:
    import pyarrow

DECIDED = {
    "vaccine": "string",
    "status": "string",
    "status_reason": "string",
    "doses_counted": "int",
    "doses_needed": "int",
    "next_due_date": "date",
    "due_since": "date",
    "last_dose_date": "date",
    "evidence": "array<string>",
    "refused_evidence": "array<string>",
    "uses_weak_evidence": "boolean",
    "rule_id": "string",
    "schedule_version": "string",
}
"""Columns that a decision fills, with their types."""


class ImmunizationGaps(Contract):
    """Vaccines of a member: one row per member, vaccine and as-of month with a rule of the schedule that holds.

    From what was known at the end of the month. No evidence is not "not vaccinated": doses paid in cash, by another
    payer or in another state are not seen.
    """

    member_id: str = c.member_id()
    claim_month: str = c.claim_month()
    vaccine: str = c.required("Vaccine.", isin=VACCINES)
    status: str = c.required(
        "complete; contraindicated; not_yet: the next dose is due later; discuss: a clinician decides; no_evidence: it"
        " may have been given where the plan does not see it; overdue; due.",
        isin=STATUSES,
    )
    status_reason: str = c.optional(
        "The condition that forbids or asks, shared_decision, product_unknown, or may_be_elsewhere."
    )
    doses_counted: c.Whole = c.required("Doses that count for the rule.", ge=0)
    doses_needed: c.Whole = c.required("Doses still to be given, on the shortest way that is open.", ge=0)
    next_due_date: c.Date = c.optional("When the next dose is, or was, due; NULL: none, forbidden, or not known.")
    due_since: c.Date = c.optional("The same day, where the status is due or overdue.")
    last_dose_date: c.Date = c.optional("Day of the last dose that counts.")
    evidence: c.Words = c.required("Source ids of the doses that count.")
    refused_evidence: c.Words = c.required("Source id and why it does not count, as `id: reason`.")
    uses_weak_evidence: bool = c.flag("A dose that counts is known from an administration code alone.")
    rule_id: str = c.required("Rule of the schedule that decided.")
    schedule_version: str = c.required("Version of this rule.")

    class Config:
        unique = ["member_id", "claim_month", "vaccine"]


@table(
    ImmunizationGaps,
    domain="risk",
    code_version=f"{schedule_version()}-{fingerprint('vaccine_codes.csv')}",
)
def immunization_gaps(
    silver_member_months_as_known: DataFrame,
    gold_member_conditions: DataFrame,
    silver_immunization_evidence: Spans,
    gold_vaccine_condition_days: Spans,
) -> DataFrame:
    """The status of every vaccine whose rule holds for the members enrolled in the asked months."""
    people = vaccine_members(
        silver_member_months_as_known, gold_member_conditions, silver_immunization_evidence, gold_vaccine_condition_days
    )
    columns = {"member_id": "string", "claim_month": "string"} | DECIDED
    return for_each_member(people, gaps_of, ", ".join(f"{name} {kind}" for name, kind in columns.items()))


def gaps_of(members: Sequence[Member]) -> "pyarrow.RecordBatch":
    """The rows of some members. A decision is told once and taken for each of its rows: many members share one."""
    import numpy as np
    import pyarrow as pa

    places: dict[int, int] = {}
    decisions: list[Decision] = []
    who, what, months, lengths = [], [], [], []
    for number, member in enumerate(members):
        for _, held, decision in stretches(member):
            place = places.setdefault(id(decision), len(decisions))
            if place == len(decisions):
                decisions.append(decision)
            who.append(number)
            what.append(place)
            months += held
            lengths.append(len(held))
    told = list(zip(*map(_told, decisions), strict=True)) or [()] * len(DECIDED)
    taken = pa.array(np.repeat(np.array(what, dtype=np.int64), lengths))
    names = pa.array([member.member_id for member in members], pa.string())
    columns = {
        "member_id": names.take(pa.array(np.repeat(np.array(who, dtype=np.int64), lengths))),
        "claim_month": month_texts(months),
    }
    for (name, kind), values in zip(DECIDED.items(), told, strict=True):
        columns[name] = pa.array(values, arrow_type(kind)).take(taken)
    return pa.RecordBatch.from_pydict(columns)


def _told(found: Decision) -> tuple[Any, ...]:
    """The columns of DECIDED."""
    return (
        found.rule.vaccine,
        found.status,
        found.reason,
        len(found.counted),
        found.needed,
        found.next_due,
        found.due_since,
        found.counted[-1].day if found.counted else None,
        [source for dose in found.counted for source in dose.source_ids],
        [f"{source}: {why}" for source, why in found.refused],
        any(dose.weak for dose in found.counted),
        found.rule.rule,
        found.rule.version,
    )
