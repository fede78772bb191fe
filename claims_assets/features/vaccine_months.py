"""A member's vaccines over months: looks again only in months in which something changed.

A status holds until something is known or cancelled, an age or a day of the schedule is reached, or a condition comes
or goes. All of these fall into months that are known beforehand, so that four years cost little more than one month,
and a month's result is that of `vaccine_status.decide` on its last day, whichever other months are asked for. Months
are numbers here (`partitions.month_index`). Elsewhere: the table made of it (`immunization_gaps.py`).
"""

from bisect import bisect_left, bisect_right
from calendar import monthrange
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from itertools import zip_longest
from typing import NamedTuple

from claims_assets.features.vaccine_doses import Evidence, Person
from claims_assets.features.vaccine_rules import CodedCondition, Period, later
from claims_assets.features.vaccine_schedule import coded_conditions, contraindications, schedule
from claims_assets.features.vaccine_status import Decision, decide

NEVER = 10**6
"""A month that no lake reaches."""


@dataclass(frozen=True, slots=True)
class Known:
    """Evidence of a vaccine and the months in which it stands: from `first` to before `end`."""

    vaccine: str
    evidence: Evidence
    first: int
    end: int = NEVER


@dataclass(frozen=True, slots=True)
class ConditionDay:
    """A day on which a claim named a condition, and the months in which that stands."""

    condition: str
    day: date
    inpatient: bool
    first: int
    end: int = NEVER


class Month(NamedTuple):
    """One asked month of a member."""

    number: int
    flags: frozenset[str] = frozenset()
    """Flags of `gold.member_conditions` that hold."""
    observed_from: date | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """All that is known of a member, months with when it was known."""

    member_id: str
    birth: date
    sex: str
    months: Sequence[Month]
    evidence: Sequence[Known]
    days: Sequence[ConditionDay]


class Stretch(NamedTuple):
    """Months with one and the same decision."""

    vaccine: str
    months: Sequence[int]
    decision: Decision


class _Run(NamedTuple):
    """Asked months in which, doses aside, the same is known of a member."""

    place: int
    """Of the first of them among the asked months."""
    conditions: frozenset[str]
    observed_from: date | None


def stretches(member: Member) -> Iterator[Stretch]:
    """The decisions of all asked months for every vaccine with a rule that holds."""
    asked = sorted(member.months, key=lambda m: m.number)
    numbers = [month.number for month in asked]
    runs = _runs(asked, member.days)
    by_vaccine: dict[str, list[Known]] = {}
    for known in member.evidence:
        by_vaccine.setdefault(known.vaccine, []).append(known)
    for vaccine in schedule():
        if _may_hold(vaccine, member.birth, numbers[0], numbers[-1]):
            own = by_vaccine.get(vaccine, [])
            yield from _of_vaccine(vaccine, member, numbers, _that_decide(vaccine, runs), own)


@cache
def last_day(month: int) -> date:
    """Last day of a month."""
    year, number = divmod(month, 12)
    return date(year, number + 1, monthrange(year, number + 1)[1])


def present(condition: CodedCondition, days: Sequence[ConditionDay], month: int) -> bool:
    """Enough days named the condition, as known at the end of the month: one inpatient or the needed outpatient ones.

    The same evidence is asked for as in `gold.member_conditions` (`evidence.py`).
    """
    first = -NEVER if condition.look_back_months is None else month - condition.look_back_months + 1
    known = [d for d in days if d.first <= month < d.end and first <= _month_of(d.day) <= month]
    if any(d.inpatient for d in known):
        return True
    return len({d.day for d in known}) >= condition.days_needed


@cache
def relevant(vaccine: str) -> frozenset[str]:
    """Conditions that can decide about a vaccine."""
    names = {line.condition for line in contraindications()[vaccine]}
    for rule in schedule()[vaccine]:
        names |= rule.conditions
        for option in rule.options:
            names |= option.unless.union(*(step.shorter_if for step in option.steps))
    return frozenset(names)


def _of_vaccine(
    vaccine: str, member: Member, asked: Sequence[int], runs: Sequence[_Run], own: Sequence[Known]
) -> Iterator[Stretch]:
    """Decide in the first month, and again where one of the things that matter is another one."""
    bounds: Sequence[int] | None = None
    after_dose = [d for d in member.days if d.condition in _follow_a_dose(vaccine)] if member.days else ()
    moving = [*own, *after_dose, *(member.evidence if after_dose else ())]
    changes = sorted({m for k in moving for m in (k.first, k.end)}) if moving else ()
    for run, following in zip_longest(runs, runs[1:]):
        place, end = run.place, following.place if following else len(asked)
        while place < end:
            month = asked[place]
            known = [k.evidence for k in own if k.first <= month < k.end] if own else ()
            found = decide(vaccine, _person(member, run, month, after_dose), known, last_day(month))
            stop = place + 1
            if stop < end:
                bounds = _bounds(vaccine, member.birth) if bounds is None else bounds
                again = min(_next(bounds, month), _next(changes, month), _until(found))
                stop = bisect_left(asked, again, stop, end)
            if found:
                yield Stretch(vaccine, asked[place:stop], found)
            place = stop


def _runs(asked: Sequence[Month], days: Sequence[ConditionDay]) -> list[_Run]:
    """Runs of asked months with the same conditions and observation."""
    by_name: dict[str, list[ConditionDay]] = {}
    for day in days:
        by_name.setdefault(day.condition, []).append(day)
    coded: Mapping[str, CodedCondition] = coded_conditions()
    runs: list[_Run] = []
    for place, (month, flags, seen) in enumerate(asked):
        if by_name:
            flags = flags.union(name for name, found in by_name.items() if present(coded[name], found, month))
        if not runs or (flags, seen) != runs[-1][1:]:
            runs.append(_Run(place, flags, seen))
    return runs


def _that_decide(vaccine: str, runs: Sequence[_Run]) -> Sequence[_Run]:
    """The same with the conditions that can decide about the vaccine."""
    if len(runs) == 1 and not runs[0].conditions:
        return runs
    found: list[_Run] = []
    for place, conditions, seen in runs:
        named = conditions & relevant(vaccine)
        if not found or (named, seen) != found[-1][1:]:
            found.append(_Run(place, named, seen))
    return found


def _person(member: Member, run: _Run, month: int, after_dose: Sequence[ConditionDay]) -> Person:
    if not after_dose:
        return Person(member.birth, member.sex, run.conditions, run.observed_from)
    known = [d for d in after_dose if d.first <= month < d.end]
    named = {d.condition: tuple(x.day for x in known if x.condition == d.condition) for d in known}
    doses = frozenset(k.evidence.day for k in member.evidence if k.first <= month < k.end)
    return Person(member.birth, member.sex, run.conditions, run.observed_from, named, doses)


@cache
def _follow_a_dose(vaccine: str) -> frozenset[str]:
    """Conditions that matter by the day of a dose."""
    return frozenset(x.condition for x in contraindications()[vaccine] if x.days_after_dose is not None)


def _may_hold(vaccine: str, birth: date, first: int, last: int) -> bool:
    """The age bounds of a rule of the vaccine meet the asked months."""
    return any(
        _month_of(later(birth, rule.min_age)) <= last
        and (rule.max_age is None or _month_of(later(birth, rule.max_age)) > first)
        and (rule.born_from is None or birth >= rule.born_from)
        for rule in schedule()[vaccine]
    )


def _bounds(vaccine: str, birth: date) -> list[int]:
    """Months in which a rule or a step of the vaccine begins or ends for someone born on the day."""
    ages, dates = _turns(vaccine)
    return sorted({*(_month_of(later(birth, age)) for age in ages), *dates})


@cache
def _turns(vaccine: str) -> tuple[tuple[Period, ...], tuple[int, ...]]:
    """Ages and months at which a rule or step of the vaccine begins or ends."""
    ages, dates = set(), set()
    for rule in schedule()[vaccine]:
        ages |= {rule.min_age, rule.max_age}
        ages |= {option.open_from for option in rule.options}
        ages |= {age for option in rule.options for step in option.steps for age in (step.min_age, step.before_age)}
        dates.add(_month_of(rule.valid_from))
        if rule.valid_to:
            dates.add(_month_of(rule.valid_to + timedelta(days=1)))
    for line in contraindications()[vaccine]:
        dates.add(_month_of(line.valid_from))
        if line.valid_to:
            dates.add(_month_of(line.valid_to + timedelta(days=1)))
    return tuple(a for a in ages if a is not None), tuple(dates)


def _next(sorted_months: Sequence[int], month: int) -> int:
    place = bisect_right(sorted_months, month)
    return sorted_months[place] if place < len(sorted_months) else NEVER


def _until(decision: Decision | None) -> int:
    return _month_of(decision.until) if decision and decision.until else NEVER


def _month_of(day: date) -> int:
    return day.year * 12 + day.month - 1
