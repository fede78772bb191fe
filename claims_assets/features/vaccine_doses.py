"""Which evidence is one dose, and which doses count for which step of a series: plain Python, no engine and no clock.

Elsewhere: the status that follows (`vaccine_status.py`), the series (`vaccine_schedule.py`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType
from typing import NamedTuple

from claims_assets.features.vaccine_rules import IGNORED, IN_SEASON, Option, Period, Rule, Step, later
from claims_assets.silver.immunization_evidence import COUNTS
from claims_assets.silver.immunizations import SAME_DOSE_DAYS

UNSPECIFIED = "unspecified"
"""Last word of a product's label where the code does not tell the product."""
PRODUCT_UNKNOWN, PRODUCT_DOES_NOT_COUNT = "product_unknown", "product_does_not_count"
BEFORE_BIRTH, UNDER_AGE, OVER_AGE = "before_birth", "under_minimum_age", "over_maximum_age"
UNDER_INTERVAL, OTHER_SEASON = "under_minimum_interval", "other_season"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One piece of evidence of a dose of the vaccine."""

    day: date
    product: str
    source_id: str
    weak: bool = False
    """The code names no product, only that a dose was given."""
    rank: int = 0
    """0 registry, 1 medical claim, 2 pharmacy claim."""
    standing: str = COUNTS


class Dose(NamedTuple):
    """All evidence of one dose."""

    day: date
    product: str
    weak: bool
    source_ids: tuple[str, ...]


class Person(NamedTuple):
    """What is known of a member on the day, vaccines apart."""

    birth: date
    sex: str = "U"
    conditions: frozenset[str] = frozenset()
    observed_from: date | None = None
    """Since when a dose that the plan pays for would be seen: enrolment without gap, and claims in the lake."""
    condition_days: Mapping[str, Sequence[date]] = MappingProxyType({})
    """Days of the conditions that must follow a dose."""
    dose_days: frozenset[date] = frozenset()
    """Days of doses of any vaccine."""


class Way(NamedTuple):
    """How far the doses go on one way through a series."""

    option: Option
    counted: tuple[Dose, ...]
    refused: tuple[tuple[Dose, str], ...]
    complete: bool

    @property
    def needed(self) -> int:
        return 0 if self.complete else max(1, len(self.option.steps) - len(self.counted))

    @property
    def step(self) -> Step:
        """The next one; of a series with a booster that is through, the last one again."""
        return self.option.steps[min(len(self.counted), len(self.option.steps) - 1)]


def doses_of(evidence: Iterable[Evidence]) -> tuple[Dose, ...]:
    """Doses in order: evidence in runs without a gap over SAME_DOSE_DAYS, of which the best piece names the product.

    A named product is better than an unnamed one, an unnamed one better than an administration alone.
    """
    pieces = sorted((e for e in evidence if e.standing == COUNTS), key=lambda e: e.day)
    runs: list[list[Evidence]] = []
    for piece in pieces:
        if runs and (piece.day - runs[-1][-1].day).days <= SAME_DOSE_DAYS:
            runs[-1].append(piece)
        else:
            runs.append([piece])
    return tuple(_dose(run) for run in runs)


def follow(option: Option, doses: Sequence[Dose], person: Person, season: date | None, rule: Rule | None) -> Way:
    """Match doses to the steps of one way through a series, each to the next step that is open.

    The earliest dose that counts for a step is as good as any later one: all that follows is measured from it.
    """
    if not doses:
        return Way(option, (), (), False)
    counted: list[Dose] = []
    refused: list[tuple[Dose, str]] = []
    for dose in doses:
        done = len(counted) >= len(option.steps)
        if done and not (rule and rule.booster_every):
            break
        step = option.steps[-1] if done else option.steps[len(counted)]
        if rule and rule.weak_evidence == IGNORED and dose.weak:
            why = PRODUCT_UNKNOWN
        else:
            why = _why_not(step, dose, () if done else counted, person, season)
        if why is None:
            counted.append(dose)
        else:
            refused.append((dose, why))
    return Way(option, tuple(counted), tuple(refused), len(counted) >= len(option.steps))


def earliest(path: Way, person: Person, season: date | None) -> date:
    """The first day on which the next dose would count, grace aside."""
    step = path.step
    day = later(person.birth, step.min_age) if step.min_age else person.birth
    if path.counted and len(path.counted) < len(path.option.steps):
        day = max(day, _after_doses(step, path.counted, person))
    if season and step.scope == IN_SEASON:
        day = max(day, season)
    return day


def _after_doses(step: Step, counted: Sequence[Dose], person: Person) -> date:
    """The day from which the intervals since the doses before allow the step."""
    first, last = counted[0].day, counted[-1].day
    shorter = step.shorter_interval and not step.shorter_if.isdisjoint(person.conditions)
    interval = step.shorter_interval if shorter else step.min_interval
    return max(later(last, interval or Period(days=1)), later(first, step.from_first or Period()))


def _why_not(step: Step, dose: Dose, counted: Sequence[Dose], person: Person, season: date | None) -> str | None:
    """Why the dose does not count for the step; None: it does."""
    if dose.day < person.birth:
        return BEFORE_BIRTH
    if season and step.scope and (dose.day >= season) != (step.scope == IN_SEASON):
        return OTHER_SEASON
    if step.products is not None and dose.product not in step.products:
        return PRODUCT_UNKNOWN if dose.product.endswith(UNSPECIFIED) else PRODUCT_DOES_NOT_COUNT
    early = dose.day + timedelta(days=step.grace_days)
    if step.min_age and early < later(person.birth, step.min_age):
        return UNDER_AGE
    if step.before_age and dose.day >= later(person.birth, step.before_age):
        return OVER_AGE
    if counted and early < _after_doses(step, counted, person):
        return UNDER_INTERVAL
    return None


def _dose(run: Sequence[Evidence]) -> Dose:
    best = min(run, key=lambda e: (e.weak, e.product.endswith(UNSPECIFIED), e.rank, e.day, e.product, e.source_id))
    return Dose(run[0].day, best.product, best.weak, tuple(sorted({e.source_id for e in run})))
