"""Which vaccine a member lacks, from dose evidence and the schedule: one row per member, vaccine and as-of month.

Here: what is read, and the columns. Elsewhere: the schedule (`vaccine_schedule.py`), the status of one day
(`vaccine_status.py`), the months to look at (`vaccine_months.py`), what the statuses mean (docs/vaccines.md). A member
whose birth date is not known has no row, nor has a vaccine without a rule that holds for the member.
"""

from collections.abc import Iterator
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from claims_assets import columns as c
from claims_assets.contracts import Contract
from claims_assets.features.vaccine_members import for_each_member, month_text, vaccine_members
from claims_assets.features.vaccine_months import Member, Stretch, stretches
from claims_assets.features.vaccine_schedule import schedule_version
from claims_assets.features.vaccine_status import STATUSES
from claims_assets.sources.code_sets import VACCINES, fingerprint
from claims_assets.table import Spans, table

_STRETCH = (
    "member_id string, months array<int>, vaccine string, status string, status_reason string, doses_counted int,"
    " doses_needed int, next_due_date date, due_since date, last_dose_date date, evidence array<string>,"
    " refused_evidence array<string>, uses_weak_evidence boolean, rule_id string, schedule_version string"
)


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
    found = for_each_member(people, _rows, _STRETCH).withColumn("_month", F.explode("months"))
    return found.withColumn("claim_month", month_text(F.col("_month"))).drop("months", "_month")


def _rows(member: Member) -> Iterator[tuple[Any, ...]]:
    return (_row(member.member_id, stretch) for stretch in stretches(member))


def _row(member: str, stretch: Stretch) -> tuple[Any, ...]:
    """The columns of _STRETCH."""
    found = stretch.decision
    return (
        member,
        stretch.months,
        stretch.vaccine,
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
