"""One case of the schedule: a literal member with doses and conditions, and what is expected of a vaccine in a month.

Read a case as: born .., with these doses and conditions, at the end of this month the vaccine has this status, so many
doses count, and the next is due then. Elsewhere: the cases (`vaccine_cases_of_adults.py`, `.._of_children.py`).
"""

from dataclasses import dataclass, field
from datetime import date

from claims_assets.features.vaccine_doses import Evidence, Person
from claims_assets.features.vaccine_months import last_day
from claims_assets.features.vaccine_status import decide
from claims_assets.partitions import month_index
from claims_assets.silver.immunization_evidence import EVIDENCE
from claims_assets.sources.code_sets import vaccine_codes

FLU = "MMWR 2025;74:500 (yearly from 6 months, by the end of October); AIS-E: 1 July to 30 June"
DATES = "CDC CDSi logic specification CALCDT-5 (a day that does not exist is the first of the next month)"
HPV = "MMWR 2016;65:1405 (two doses begun before 15, else three) and 2019;68:698 (to 26; 27 to 45 shared decision)"
BEST = "ACIP general best practices (contraindications; four days of grace)"

SHORT = {"r": "registry", "m": "medical_claim", "p": "pharmacy_claim"}
CODES = {(v.vaccine, v.code_system, v.code): v for v in vaccine_codes()}


@dataclass(frozen=True)
class Case:
    """`doses`: texts `day system:code source`, source r, m or p, and a standing where it is not `counts`."""

    vaccine: str
    born: str
    month: str
    expected: tuple[str, int, str | None] | None
    """Status, doses that count, next due; None: no rule holds."""
    source: str
    doses: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    since: str | None = "2015-01-01"
    """Since when the plan would see a dose; the birth for those born later."""
    sex: str = "F"
    reason: str | None = None
    refused: tuple[str, ...] = ()
    reactions: tuple[str, ...] = ()
    """Days of an anaphylaxis due to vaccination."""
    other_doses: tuple[str, ...] = ()
    """Days of doses of other vaccines."""
    weak: bool = False
    rule: str | None = field(default=None)


def piece(vaccine: str, n: int, text: str) -> Evidence:
    day, code, source, *standing = text.split()
    system, _, number = code.partition(":")
    found = CODES[vaccine, system, number]
    return Evidence(
        day=date.fromisoformat(day),
        product=found.product,
        source_id=f"{source}{n}",
        weak=found.administration_only,
        rank=EVIDENCE.index(SHORT[source]),
        standing=standing[0] if standing else "counts",
    )


def decision(case: Case, evidence: tuple[Evidence, ...] | None = None):
    born = date.fromisoformat(case.born)
    reactions = tuple(map(date.fromisoformat, case.reactions))
    pieces = tuple(piece(case.vaccine, n, text) for n, text in enumerate(case.doses)) if evidence is None else evidence
    person = Person(
        birth=born,
        sex=case.sex,
        conditions=frozenset(case.conditions) | ({"vaccine_anaphylaxis"} if reactions else set()),
        observed_from=max(born, date.fromisoformat(case.since)) if case.since else None,
        condition_days={"vaccine_anaphylaxis": reactions},
        dose_days=frozenset({*map(date.fromisoformat, case.other_doses), *(p.day for p in pieces)}),
    )
    return decide(case.vaccine, person, pieces, last_day(month_index(case.month)))
