"""What a line of the lists of vaccines says, as types; ages and intervals, and how they are counted.

Elsewhere: how the lists are read (`vaccine_schedule.py`), what they say of one member (`vaccine_status.py`).
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import NamedTuple

DUE, DISCUSS, CONTRAINDICATED = "due", "discuss", "contraindicated"
IN_SEASON, BEFORE_SEASON = "season", "before_season"
COUNTS, IGNORED = "counts", "ignored"
SHORTEST_MONTH = 28
"""Days that every month has."""
DAYS_KEPT = 65_536
"""Days that `later` remembers: those of a member are asked for in month after month."""


class Period(NamedTuple):
    """Months, then days: an age or an interval."""

    months: int = 0
    days: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """One dose of a series. A dose counts from its minimum age and interval on, and is due at the recommended ones."""

    products: frozenset[str] | None
    """Products that count; None: any."""
    min_age: Period | None
    before_age: Period | None
    """The dose counts only before this age is reached."""
    min_interval: Period | None
    """Since the dose before."""
    shorter_interval: Period | None
    shorter_if: frozenset[str]
    """Conditions with any of which the shorter interval is enough."""
    from_first: Period | None
    """Least interval since the first dose of the series."""
    due_age: Period | None
    due_interval: Period | None
    overdue_after: Period | None
    """How long after it is due it is overdue; None: never."""
    scope: str
    """season: a dose of the season; before_season: one before it; else of any time."""
    grace_days: int
    """So many days early a dose still counts (ACIP general best practices: four)."""


@dataclass(frozen=True, slots=True, eq=False)
class Option:
    """One way to complete a series. Each is read once, so it is equal to itself alone, and quickly looked up."""

    name: str
    unless: frozenset[str]
    """Conditions with any of which this way is not open."""
    open_from: Period | None
    """Age from which this way is open, for those who are late; a series that is complete is so at any age."""
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """One line of the schedule: for whom, when, by which series. Equal to itself alone, as an Option."""

    rule: str
    version: str
    vaccine: str
    who: str
    min_age: Period
    max_age: Period | None
    """The rule ends on the day this age is reached."""
    sex: str
    born_from: date | None
    conditions: frozenset[str]
    """Any of these; none: everybody."""
    given_from: Period | None
    """Age from which doses are given, where that is before the rule begins."""
    options: tuple[Option, ...]
    season_start: tuple[int, int] | None
    """Month and day on which the season starts; it lasts a year."""
    season_due: tuple[int, int] | None
    booster_every: Period | None
    when_missing: str
    """due, or discuss: a shared decision."""
    weak_evidence: str
    """counts, or ignored: whether a code of an administration without product is a dose."""
    valid_from: date
    valid_to: date | None
    source: str
    verified: bool


@dataclass(frozen=True, slots=True)
class Contraindication:
    """A condition that forbids a vaccine, or asks for a clinician's word."""

    vaccine: str
    condition: str
    days_after_dose: int | None
    """The diagnosis must follow a dose of the vaccine within so many days; None: whenever it was."""
    effect: str
    valid_from: date
    valid_to: date | None
    source: str
    verified: bool


@dataclass(frozen=True, slots=True)
class CodedCondition:
    """A condition that decides about vaccines: beginnings of codes, and how much evidence of them is enough."""

    name: str
    look_back_months: int | None
    """Months that count, the as-of month included; None: the whole life."""
    days_needed: int
    """Outpatient days; one inpatient day is enough."""
    codes: tuple[tuple[str, str], ...]
    """Code system and beginning of the code, without dot."""


def period(text: str) -> Period:
    """`2 years 1 day`, `15 weeks`, `42 days`, `6 months` as months and days.

    Raises:
        ValueError: the text is something else.
    """
    parts = re.findall(r"(\d+) (day|week|month|year)s?\b", text)
    if not parts or not re.fullmatch(r"(\d+ (day|week|month|year)s?\s*)+", text):
        raise ValueError(f"{text!r} is no period such as '2 years', '15 weeks' or '2 years 1 day'.")
    number = {unit: int(n) for n, unit in parts}
    return Period(12 * number.get("year", 0) + number.get("month", 0), 7 * number.get("week", 0) + number.get("day", 0))


@lru_cache(maxsize=DAYS_KEPT)
def later(day: date, by: Period) -> date:
    """The day a period later. A day that a month lacks is the first of the next: 31 August and six months are 1 March,
    and who is born on 29 February has a birthday on 1 March of other years (CDC CDSi logic specification, CALCDT-5).
    """
    year, month = divmod(day.year * 12 + day.month - 1 + by.months, 12)
    if day.day > SHORTEST_MONTH and day.day > monthrange(year, month + 1)[1]:
        there = date(year, month + 2, 1)
    else:
        there = date(year, month + 1, day.day)
    return there + timedelta(days=by.days) if by.days else there
