"""Childhood immunizations by the second birthday: combinations 3, 7 and 10, from what was known by each as-of month.

Here: which vaccines make a combination, who is left out. Elsewhere: the doses that count (series `cis_*` of
`sources/code_sets/vaccine_series.csv`). It is like the HEDIS measure CIS-E, built from what health plans publish of it,
not that measure: its value sets are licensed, and histories of the illnesses do not count here.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from claims_assets import columns as c
from claims_assets.contracts import Contract
from claims_assets.features.vaccine_doses import Person, doses_of, follow
from claims_assets.features.vaccine_members import arrow_type, for_each_member, vaccine_members
from claims_assets.features.vaccine_months import Member, last_day
from claims_assets.features.vaccine_rules import Period, later
from claims_assets.features.vaccine_schedule import schedule_version, series_of
from claims_assets.partitions import month_of_index
from claims_assets.sources.code_sets import fingerprint
from claims_assets.table import Spans, table

if TYPE_CHECKING:
    import pyarrow

COMBO_3 = ("dtap", "polio", "mmr", "hib", "hepatitis_b", "varicella", "pneumococcal")
COMBO_7 = (*COMBO_3, "hepatitis_a", "rotavirus")
COMBO_10 = (*COMBO_7, "influenza")
"""Combinations of CIS-E, as bcbsnd.com and providernews.anthem.com describe them."""
EXCLUDED_BY = ("scid", "immunodeficiency", "hiv", "hematologic_malignancy", "intussusception")
"""Conditions before the second birthday that leave a child out (providernews.anthem.com); hospice is not known here."""
ANAPHYLAXIS, ENCEPHALOPATHY = "vaccine_anaphylaxis", "vaccine_encephalopathy"
"""After a dose, on the day or the next, the vaccine counts as met; encephalopathy for DTaP alone (the same source)."""
SECOND_BIRTHDAY, SHOWN_UNTIL = Period(months=24), Period(months=36)
MET, NOT_MET, EXCLUDED = "met", "not_met", "excluded"
OUTCOMES = (MET, NOT_MET, EXCLUDED)

_FOUND = {
    "member_id": "string",
    "claim_month": "string",
    "second_birthday": "date",
    "vaccines_met": "array<string>",
    "vaccines_missing": "array<string>",
    "exclusion": "string",
}


class ChildhoodImmunizationStatus(Contract):
    """Children who turned two: one row per member and as-of month from the second birthday to the third.

    Doses up to the second birthday, as known by the as-of month, so that late claims still count in later months.
    """

    member_id: str = c.member_id()
    claim_month: str = c.claim_month()
    second_birthday: c.Date = c.required("Who is born on 29 February turns two on 1 March.")
    vaccines_met: c.Words = c.required("Vaccines with all doses by the second birthday.")
    vaccines_missing: c.Words = c.required("The others; without evidence is not without dose.")
    exclusion: str = c.optional("The condition that leaves the child out.", isin=EXCLUDED_BY)
    cis_combo_3: str = c.required("met, not_met or excluded.", isin=OUTCOMES)
    cis_combo_7: str = c.required("met, not_met or excluded.", isin=OUTCOMES)
    cis_combo_10: str = c.required("met, not_met or excluded.", isin=OUTCOMES)

    class Config:
        unique = ["member_id", "claim_month"]


@table(
    ChildhoodImmunizationStatus,
    domain="risk",
    code_version=f"{schedule_version()}-{fingerprint('vaccine_codes.csv')}",
)
def childhood_immunization_status(
    silver_member_months_as_known: DataFrame,
    gold_member_conditions: DataFrame,
    silver_immunization_evidence: Spans,
    gold_vaccine_condition_days: Spans,
) -> DataFrame:
    """Members enrolled in the month who turned two in it or in the eleven months before."""
    end = F.last_day(F.to_date(F.concat("claim_month", F.lit("-01"))))
    age = F.months_between(end, "birth_date")
    # A little wider than the ages asked for: birthdays are settled by `later`.
    children = silver_member_months_as_known.where((age > SECOND_BIRTHDAY.months - 1) & (age < SHOWN_UNTIL.months + 1))
    people = vaccine_members(
        children, gold_member_conditions, silver_immunization_evidence, gold_vaccine_condition_days
    )
    combos = {"cis_combo_3": COMBO_3, "cis_combo_7": COMBO_7, "cis_combo_10": COMBO_10}
    left_out = F.col("exclusion").isNotNull()
    outcome = {
        name: F.when(left_out, EXCLUDED)
        .when(F.size(F.array_intersect("vaccines_met", F.array(*map(F.lit, combo)))) == len(combo), MET)
        .otherwise(NOT_MET)
        for name, combo in combos.items()
    }
    columns = ", ".join(f"{name} {kind}" for name, kind in _FOUND.items())
    return for_each_member(people, _table, columns).withColumns(outcome)


def _table(members: Sequence[Member]) -> "pyarrow.RecordBatch":
    import pyarrow as pa

    rows = [row for member in members for row in statuses(member)]
    columns = list(zip(*rows, strict=True)) or [()] * len(_FOUND)
    told = zip(_FOUND.items(), columns, strict=True)
    return pa.RecordBatch.from_pydict({name: pa.array(values, arrow_type(kind)) for (name, kind), values in told})


def statuses(member: Member) -> Iterator[tuple[Any, ...]]:
    """The columns of _FOUND for each asked month in which the member is two."""
    birthday, until = later(member.birth, SECOND_BIRTHDAY), later(member.birth, SHOWN_UNTIL)
    for month in member.months:
        if birthday <= last_day(month.number) < until:
            met = [v for v in COMBO_10 if _is_met(v, member, month.number, birthday)]
            missing = [v for v in COMBO_10 if v not in met]
            excluded = [name for name in EXCLUDED_BY if _days(name, member, month.number, birthday)]
            yield (
                member.member_id,
                month_of_index(month.number),
                birthday,
                met,
                missing,
                excluded[0] if excluded else None,
            )


def _is_met(vaccine: str, member: Member, month: int, birthday: date) -> bool:
    known = [k.evidence for k in member.evidence if k.vaccine == vaccine and k.first <= month < k.end]
    doses = [dose for dose in doses_of(known) if dose.day <= birthday]
    person = Person(member.birth, member.sex)
    if any(follow(option, doses, person, None, None).complete for option in series_of(f"cis_{vaccine}")):
        return True
    reactions = _days(ANAPHYLAXIS, member, month, birthday)
    if vaccine == "dtap":
        reactions = [*reactions, *_days(ENCEPHALOPATHY, member, month, birthday)]
    return any(0 <= (day - dose.day).days <= 1 for day in reactions for dose in doses)


def _days(condition: str, member: Member, month: int, until: date) -> Sequence[date]:
    return [d.day for d in member.days if d.condition == condition and d.day <= until and d.first <= month < d.end]
