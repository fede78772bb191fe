"""What the schedule says of one member and one vaccine on one day: plain Python, no engine and no clock.

Here: the way through a series that doses have come furthest on, and the status that follows. Elsewhere: which doses
count (`vaccine_doses.py`), the schedule (`vaccine_schedule.py`), which months have to be looked at
(`vaccine_months.py`), the statuses in words (docs/vaccines.md).
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from functools import cache, lru_cache
from typing import NamedTuple

from claims_assets.features.vaccine_doses import (
    OTHER_SEASON,
    PRODUCT_UNKNOWN,
    Dose,
    Evidence,
    Person,
    Way,
    doses_of,
    earliest,
    follow,
)
from claims_assets.features.vaccine_rules import (
    BEFORE_SEASON,
    CONTRAINDICATED,
    DISCUSS,
    DUE,
    Period,
    Rule,
    later,
)
from claims_assets.features.vaccine_schedule import contraindications, schedule
from claims_assets.silver.immunization_evidence import COUNTS

COMPLETE, OVERDUE, NOT_YET, NO_EVIDENCE = "complete", "overdue", "not_yet", "no_evidence"
STATUSES = (COMPLETE, DUE, OVERDUE, NOT_YET, CONTRAINDICATED, DISCUSS, NO_EVIDENCE)
SHARED_DECISION, MAY_BE_ELSEWHERE = "shared_decision", "may_be_elsewhere"
LONG_AGO = date(1800, 1, 1)
"""Born before all ages of any rule matter."""
DECISIONS_KEPT = 65_536


class Decision(NamedTuple):
    """The status, and what it rests on."""

    status: str
    rule: Rule
    counted: tuple[Dose, ...]
    needed: int
    """Doses still to be given."""
    next_due: date | None
    due_since: date | None
    refused: tuple[tuple[str, str], ...]
    """(source id, why it does not count)."""
    reason: str | None
    until: date | None
    """The first later day on which the status may change though nothing new is known; None: none."""


def decide(vaccine: str, person: Person, evidence: Iterable[Evidence], as_of: date) -> Decision | None:
    """The status of a member and vaccine as of a day; None where no rule holds, or none of its ways is open any more.

    Args:
        person: as known on the day.
        evidence: what is known of the vaccine on the day, in any order.
    """
    rule = rule_for(vaccine, person, as_of)
    if rule is None:
        return None
    pieces = tuple(evidence)
    if not pieces and not person.condition_days and _is_settled(rule, person, as_of):
        return _of_the_settled(vaccine, rule, person.conditions, person.observed_from, as_of)
    return decided(vaccine, rule, person, pieces, as_of)


def decided(vaccine: str, rule: Rule, person: Person, pieces: Sequence[Evidence], as_of: date) -> Decision | None:
    """The same of a member for whom the rule holds, whatever others got."""
    doses = doses_of(pieces) if pieces else ()
    season = season_of(rule, as_of)
    path = _best(rule, doses, person, as_of, season)
    if path is None:
        return None
    forbidden = _forbidden(vaccine, person, doses, as_of) if person.conditions else None
    opens = earliest(path, person, season)
    due, overdue = (None, None) if path.complete else _dates(rule, path, person, season, opens)
    if path.complete:
        status, reason = COMPLETE, None
    else:
        status, reason = _status(rule, path, person, as_of, season, due, overdue, opens, forbidden)
    given = path if path.complete else _most_given(path, rule, doses, person, season)
    clock = [day for day in _clock(rule, path, person, season, opens, due, overdue) if day > as_of]
    return Decision(
        status=status,
        rule=rule,
        counted=given.counted,
        needed=path.needed,
        next_due=_next_due(rule, path, status, due, season),
        due_since=due if status in (DUE, OVERDUE) else None,
        refused=_refused(pieces, given) if pieces else (),
        reason=reason,
        until=min(clock) if clock else None,
    )


def rule_for(vaccine: str, person: Person, as_of: date) -> Rule | None:
    """The first rule of the vaccine that holds for the member on the day."""
    for rule in schedule().get(vaccine, ()):
        if (
            rule.valid_from <= as_of
            and (rule.valid_to is None or as_of <= rule.valid_to)
            and later(person.birth, rule.min_age) <= as_of
            and (rule.max_age is None or as_of < later(person.birth, rule.max_age))
            and (not rule.sex or rule.sex == person.sex)
            and (rule.born_from is None or person.birth >= rule.born_from)
            and (not rule.conditions or not rule.conditions.isdisjoint(person.conditions))
        ):
            return rule
    return None


def _is_settled(rule: Rule, person: Person, as_of: date) -> bool:
    """All ages of the rule were reached before it, or its season, began: the day of birth decides nothing any more."""
    began = season_of(rule, as_of) or rule.valid_from
    if any(later(person.birth, age) > began for age in _ages(rule)):
        return False
    if not rule.given_from or rule.season_start or person.observed_from is None:
        return True
    return person.observed_from > _opened(rule, person, None)


@cache
def _ages(rule: Rule) -> tuple[Period, ...]:
    """The ages of a rule and of its steps, of which one may be reached last by anybody."""
    ages = {rule.min_age, rule.given_from, *(option.open_from for option in rule.options)}
    for option in rule.options:
        for step in option.steps:
            ages |= {step.min_age, step.before_age, step.due_age}
    given = [age for age in ages if age]
    return tuple(a for a in given if not any(b.months >= a.months and b.days >= a.days and b != a for b in given))


@lru_cache(maxsize=DECISIONS_KEPT)
def _of_the_settled(
    vaccine: str, rule: Rule, conditions: frozenset[str], observed_from: date | None, as_of: date
) -> Decision | None:
    """Of all who are settled and have no evidence: one decision for many members."""
    return decided(vaccine, rule, Person(LONG_AGO, conditions=conditions, observed_from=observed_from), (), as_of)


def season_of(rule: Rule, as_of: date) -> date | None:
    """First day of the season that the day is in; None for a rule without seasons."""
    if rule.season_start is None:
        return None
    return _season(rule.season_start, as_of)


@cache
def _season(starts: tuple[int, int], as_of: date) -> date:
    """First day of the season that the day is in."""
    this_year = date(as_of.year, *starts)
    return this_year if this_year <= as_of else date(as_of.year - 1, *starts)


def _refused(pieces: Iterable[Evidence], given: Way) -> tuple[tuple[str, str], ...]:
    """Source ids that don't count, and why."""
    said = {(e.source_id, e.standing) for e in pieces if e.standing != COUNTS}
    said |= {(source, why) for dose, why in given.refused if why != OTHER_SEASON for source in dose.source_ids}
    return tuple(sorted(said))


def _best(rule: Rule, doses: Sequence[Dose], person: Person, as_of: date, season: date | None) -> Way | None:
    """The way that is complete, else the one with the fewest doses to go; of equals the most given, first listed."""
    ways = [o for o in rule.options if not o.unless or o.unless.isdisjoint(person.conditions)]
    paths = [_with_booster(rule, follow(option, doses, person, season, rule), as_of) for option in ways]
    finished = [path for path in paths if path.complete]
    if finished:
        return max(finished, key=lambda path: len(path.counted))
    open_ways = [path for path in paths if _is_open(path, person, as_of, season)]
    return min(open_ways, key=lambda path: (path.needed, -len(path.counted)), default=None)


def _most_given(path: Way, rule: Rule, doses: Sequence[Dose], person: Person, season: date | None) -> Way:
    """The way on which most doses count: a short way for those who are late does not make earlier doses void."""
    if len(path.counted) == len(doses):
        return path
    others = [follow(option, doses, person, season, rule) for option in rule.options]
    return max((path, *others), key=lambda p: len(p.counted))


def _with_booster(rule: Rule, path: Way, as_of: date) -> Way:
    """A series whose booster has come due is complete no more."""
    if rule.booster_every and path.complete and later(path.counted[-1].day, rule.booster_every) <= as_of:
        return Way(path.option, path.counted, path.refused, False)
    return path


def _is_open(path: Way, person: Person, as_of: date, season: date | None) -> bool:
    step, open_from = path.step, path.option.open_from
    if step.scope == BEFORE_SEASON or (open_from and as_of < later(person.birth, open_from)):
        return False
    if step.before_age is None:
        return True
    return max(as_of, earliest(path, person, season)) < later(person.birth, step.before_age)


def _dates(rule: Rule, path: Way, person: Person, season: date | None, opens: date) -> tuple[date | None, date | None]:
    """The day on which the next dose is due, and the one from which it is overdue; None: not known, or never.

    A rule for a risk begins with the risk, and since when a member has it is not known: until a first dose its due day
    is not either.
    """
    step = path.step
    if path.counted and len(path.counted) >= len(path.option.steps) and rule.booster_every:
        due = later(path.counted[-1].day, rule.booster_every)
    else:
        if rule.conditions and not path.counted:
            return None, None
        due = max(opens, later(person.birth, step.due_age)) if step.due_age else opens
        if path.counted and step.due_interval:
            due = max(due, later(path.counted[-1].day, step.due_interval))
        if season:
            due = max(due, _season_due(rule.season_due, season))
        if not path.counted:
            due = max(due, later(person.birth, rule.min_age), rule.valid_from)
    return due, later(due, step.overdue_after) if step.overdue_after else None


@cache
def _season_due(due_from: tuple[int, int] | None, season: date) -> date:
    """The day of the season on which doses are due."""
    month, day = due_from or (season.month, season.day)
    due = date(season.year, month, day)
    return due if due >= season else date(season.year + 1, month, day)


def _status(
    rule: Rule,
    path: Way,
    person: Person,
    as_of: date,
    season: date | None,
    due: date | None,
    overdue: date | None,
    opens: date,
    forbidden: tuple[str, str] | None,
) -> tuple[str, str | None]:
    """Status and reason of a series that is not complete; the first that holds."""
    if forbidden and forbidden[0] == CONTRAINDICATED:
        return forbidden
    if (due or opens) > as_of:
        return NOT_YET, None
    if forbidden:
        return forbidden
    if rule.when_missing == DISCUSS:
        return DISCUSS, SHARED_DECISION
    in_season = [why for _, why in path.refused if why != OTHER_SEASON] if path.refused else ()
    if not path.counted and PRODUCT_UNKNOWN in in_season:
        return DISCUSS, PRODUCT_UNKNOWN
    if not path.counted and not in_season and _may_be_elsewhere(rule, person, as_of, season):
        return NO_EVIDENCE, MAY_BE_ELSEWHERE
    if overdue and overdue <= as_of:
        return OVERDUE, None
    return DUE, None


def _may_be_elsewhere(rule: Rule, person: Person, as_of: date, season: date | None) -> bool:
    """A dose may have been given before the plan could see it."""
    if person.observed_from is None:
        return True
    if rule.booster_every and later(person.observed_from, rule.booster_every) <= as_of:
        return False
    return person.observed_from > _opened(rule, person, season)


def _opened(rule: Rule, person: Person, season: date | None) -> date:
    """The first day on which a dose that would count now was to be had."""
    first = min(later(person.birth, option.steps[0].min_age or Period()) for option in rule.options)
    opened = max(first, later(person.birth, rule.given_from or rule.min_age))
    if season:
        return max(opened, season)
    return opened if rule.given_from else max(opened, rule.valid_from)


def _forbidden(vaccine: str, person: Person, doses: Sequence[Dose], as_of: date) -> tuple[str, str] | None:
    """(effect, condition) of the strictest contraindication that holds."""
    found = {
        line.effect: line.condition
        for line in reversed(contraindications()[vaccine])
        if line.condition in person.conditions
        and line.valid_from <= as_of
        and (line.valid_to is None or as_of <= line.valid_to)
        and _concerns(line.condition, line.days_after_dose, vaccine, person, doses)
    }
    for effect in (CONTRAINDICATED, DISCUSS):
        if effect in found:
            return effect, found[effect]
    return None


def _concerns(condition: str, days: int | None, vaccine: str, person: Person, doses: Sequence[Dose]) -> bool:
    """A condition that must follow a dose follows one of this vaccine; or, in its line without days, none at all."""
    if days is not None:
        return any(_follows(day, dose.day, days) for day in _days(condition, person) for dose in doses)
    linked = [x.days_after_dose for x in contraindications()[vaccine] if x.condition == condition]
    within = max((x for x in linked if x is not None), default=None)
    if within is None:
        return True
    return any(not any(_follows(day, d, within) for d in person.dose_days) for day in _days(condition, person))


def _days(condition: str, person: Person) -> Sequence[date]:
    return person.condition_days.get(condition, ())


def _follows(day: date, dose: date, days: int) -> bool:
    return 0 <= (day - dose).days <= days


def _next_due(rule: Rule, path: Way, status: str, due: date | None, season: date | None) -> date | None:
    """When the next dose is or was due; of a complete series the next season's or the booster."""
    if status == CONTRAINDICATED:
        return None
    if not path.complete:
        return due
    if rule.booster_every:
        return later(path.counted[-1].day, rule.booster_every)
    return later(_season_due(rule.season_due, season), Period(months=12)) if season else None


def _clock(
    rule: Rule, path: Way, person: Person, season: date | None, opens: date, due: date | None, overdue: date | None
) -> Iterator[date]:
    """Days on which the status may change by itself; birthdays of rules aside."""
    yield opens
    if due:
        yield due
    if overdue:
        yield overdue
    if season:
        yield later(season, Period(months=12))
    if rule.booster_every:
        if path.counted:
            yield later(path.counted[-1].day, rule.booster_every)
        if person.observed_from:
            yield later(person.observed_from, rule.booster_every)
