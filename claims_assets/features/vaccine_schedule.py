"""The vaccine schedule as data: which rule holds for whom and when, by which doses it is met, what forbids a dose.

Here: the loader of the four lists in `sources/code_sets/` (`vaccine_schedule.csv`, `vaccine_series.csv`,
`vaccine_contraindications.csv`, `vaccine_condition_codes.csv`), which refuses what it can't read. A new season, rule or
product is a new line there and no code. Elsewhere: the types (`vaccine_rules.py`), what a rule says of one member
(`vaccine_status.py`), the rules in words (docs/vaccines.md).
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from functools import cache
from typing import TypeVar

from claims_assets.contracts import compiled
from claims_assets.features.member_conditions import MemberConditions
from claims_assets.features.vaccine_rules import (
    BEFORE_SEASON,
    CONTRAINDICATED,
    COUNTS,
    DISCUSS,
    DUE,
    IGNORED,
    IN_SEASON,
    CodedCondition,
    Contraindication,
    Option,
    Period,
    Rule,
    Step,
    period,
)
from claims_assets.sources.code_sets import DIAGNOSIS_SYSTEMS, TRUTH, VACCINES, fingerprint, rows_of, vaccine_codes

SCHEDULE, SERIES = "vaccine_schedule.csv", "vaccine_series.csv"
CONTRAINDICATIONS, CONDITION_CODES = "vaccine_contraindications.csv", "vaccine_condition_codes.csv"
ANY = "any"
"""Every product of the vaccine, or every vaccine."""
Value = TypeVar("Value")


@cache
def schedule() -> dict[str, tuple[Rule, ...]]:
    """Vaccine -> its rules in the order of the list: of several that hold for a member the first decides.

    Raises:
        ValueError: a line can't be read or names what does not exist; it is named.
    """
    series, named = _series(), set(condition_names())
    rules: dict[str, list[Rule]] = {}
    for where, row in _lines(SCHEDULE):
        _one_of(row["vaccine"], VACCINES, f"{where}: vaccine")
        _one_of(row["series"], tuple(series), f"{where}: series")
        _one_of(row["when_missing"], (DUE, DISCUSS), f"{where}: when_missing")
        _one_of(row["weak_evidence"], (COUNTS, IGNORED), f"{where}: weak_evidence")
        rule = Rule(
            rule=row["rule"],
            version=row["version"],
            vaccine=row["vaccine"],
            who=row["who"],
            min_age=_read(period, row, "min_age", where) or Period(),
            max_age=_read(period, row, "max_age", where),
            sex=row["sex"],
            born_from=_read(date.fromisoformat, row, "born_from", where),
            conditions=_conditions(row["conditions"], named, where),
            given_from=_read(period, row, "given_from", where),
            options=series[row["series"]],
            season_start=_read(_month_and_day, row, "season_start", where),
            season_due=_read(_month_and_day, row, "season_due", where),
            booster_every=_read(period, row, "booster_every", where),
            when_missing=row["when_missing"],
            weak_evidence=row["weak_evidence"],
            valid_from=_needed(date.fromisoformat, row, "valid_from", where),
            valid_to=_read(date.fromisoformat, row, "valid_to", where),
            source=row["source"],
            verified=TRUTH[row["verified"]],
        )
        if any(rule.rule == other.rule for several in rules.values() for other in several):
            raise ValueError(f"{where}: rule {rule.rule!r} is there twice: give one of them another name.")
        rules.setdefault(rule.vaccine, []).append(rule)
    return {vaccine: tuple(found) for vaccine, found in rules.items()}


def series_of(name: str) -> tuple[Option, ...]:
    """The ways to complete a series, in the order of the list."""
    return _series()[name]


@cache
def contraindications() -> dict[str, tuple[Contraindication, ...]]:
    """Vaccine -> what forbids it, the lines for every vaccine included."""
    found: dict[str, list[Contraindication]] = {vaccine: [] for vaccine in VACCINES}
    for where, row in _lines(CONTRAINDICATIONS):
        _one_of(row["vaccine"], (*VACCINES, ANY), f"{where}: vaccine")
        _one_of(row["effect"], (CONTRAINDICATED, DISCUSS), f"{where}: effect")
        _one_of(row["condition"], tuple(condition_names()), f"{where}: condition")
        line = Contraindication(
            vaccine=row["vaccine"],
            condition=row["condition"],
            days_after_dose=_read(int, row, "days_after_dose", where),
            effect=row["effect"],
            valid_from=_needed(date.fromisoformat, row, "valid_from", where),
            valid_to=_read(date.fromisoformat, row, "valid_to", where),
            source=row["source"],
            verified=TRUTH[row["verified"]],
        )
        for vaccine in VACCINES if line.vaccine == ANY else (line.vaccine,):
            found[vaccine].append(line)
    return {vaccine: tuple(lines) for vaccine, lines in found.items()}


@cache
def coded_conditions() -> dict[str, CodedCondition]:
    """The conditions that have a code list of their own, by name."""
    found: dict[str, CodedCondition] = {}
    for where, row in _lines(CONDITION_CODES):
        _one_of(row["code_system"], DIAGNOSIS_SYSTEMS, f"{where}: code_system")
        months, days = _read(int, row, "look_back_months", where), _needed(int, row, "days_needed", where)
        earlier = found.get(row["condition"])
        if earlier and (earlier.look_back_months, earlier.days_needed) != (months, days):
            raise ValueError(f"{where}: {row['condition']} asks for other months or days than in its line before.")
        codes = (*(earlier.codes if earlier else ()), (row["code_system"], row["code"]))
        found[row["condition"]] = CodedCondition(row["condition"], months, days, codes)
    return found


@cache
def condition_names() -> tuple[str, ...]:
    """Every condition that a rule may name: those coded here, and the flags of `gold.member_conditions`."""
    flags = [n for n, t in compiled(MemberConditions).columns.items() if t.simpleString() == "boolean"]
    return (*coded_conditions(), *flags)


@cache
def member_flags() -> tuple[str, ...]:
    """Flags of `gold.member_conditions` that a rule or contraindication names."""
    used: set[str] = {line.condition for lines in contraindications().values() for line in lines}
    for rules in schedule().values():
        for rule in rules:
            used |= rule.conditions
            for option in rule.options:
                used |= option.unless.union(*(step.shorter_if for step in option.steps))
    return tuple(sorted(used - coded_conditions().keys()))


def schedule_version() -> str:
    """Hash of all lists that decide, for the `code_version` of the tables made of them."""
    names = (SCHEDULE, SERIES, CONTRAINDICATIONS, CONDITION_CODES)
    return "-".join(fingerprint(name)[:8] for name in names)


@cache
def _series() -> dict[str, tuple[Option, ...]]:
    found: dict[str, dict[str, Option]] = {}
    products, named = {v.product for v in vaccine_codes()}, set(coded_conditions()) | set(condition_names())
    for where, row in _lines(SERIES):
        step = Step(
            products=_products(row["products"], products, where),
            min_age=_read(period, row, "min_age", where),
            before_age=_read(period, row, "before_age", where),
            min_interval=_read(period, row, "min_interval", where),
            shorter_interval=_read(period, row, "shorter_interval", where),
            shorter_if=_conditions(row["shorter_if"], named, where),
            from_first=_read(period, row, "from_first", where),
            due_age=_read(period, row, "due_age", where),
            due_interval=_read(period, row, "due_interval", where),
            overdue_after=_read(period, row, "overdue_after", where),
            scope=_one_of(row["scope"], ("", IN_SEASON, BEFORE_SEASON), f"{where}: scope"),
            grace_days=_needed(int, row, "grace_days", where),
        )
        options = found.setdefault(row["series"], {})
        whole = Option(
            row["option"], _conditions(row["unless"], named, where), _read(period, row, "open_from", where), ()
        )
        earlier = options.get(row["option"], whole)
        same = (earlier.unless, earlier.open_from) == (whole.unless, whole.open_from)
        if _needed(int, row, "step", where) != len(earlier.steps) + 1 or not same:
            raise ValueError(
                f"{where}: the steps of an option stand in order, 1 first, all with its unless, open_from."
            )
        options[row["option"]] = replace(earlier, steps=(*earlier.steps, step))
    return {name: tuple(options.values()) for name, options in found.items()}


def _lines(name: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Where a line stands, for messages, and its values."""
    for line, row in rows_of(name):
        where = f"code_sets/{name} line {line}"
        if None in row.values() or None in row:
            raise ValueError(f"{where}: it has more or fewer cells than the header; quote a cell that holds a comma.")
        _one_of(row["verified"], tuple(TRUTH), f"{where}: verified")
        if not row["source"]:
            raise ValueError(f"{where}: it names no source.")
        yield where, row


def _read(read: Callable[[str], Value], row: dict[str, str], column: str, where: str) -> Value | None:
    """The cell as `read` reads it; None where it is empty."""
    if not row[column]:
        return None
    try:
        return read(row[column])
    except ValueError as error:
        raise ValueError(f"{where}: {column}: {error}") from None


def _needed(read: Callable[[str], Value], row: dict[str, str], column: str, where: str) -> Value:
    """The same of a cell that must not be empty."""
    value = _read(read, row, column, where)
    if value is None:
        raise ValueError(f"{where}: {column} is empty: fill it.")
    return value


def _month_and_day(text: str) -> tuple[int, int]:
    day = date.fromisoformat(f"2001-{text}")
    return day.month, day.day


def _products(cell: str, known: set[str], where: str) -> frozenset[str] | None:
    if cell == ANY:
        return None
    products = frozenset(cell.split("|"))
    if unknown := products - known:
        raise ValueError(f"{where}: no code of vaccine_codes.csv has the product {min(unknown)!r}.")
    return products


def _conditions(cell: str, known: set[str], where: str) -> frozenset[str]:
    names = frozenset(cell.split())
    if unknown := names - known:
        raise ValueError(
            f"{where}: condition {min(unknown)!r} is neither in {CONDITION_CODES} nor a flag of gold.member_conditions."
        )
    return names


def _one_of(value: str, legal: tuple[str, ...], what: str) -> str:
    if value not in legal:
        raise ValueError(f"{what} {value!r} is not one of {', '.join(x or 'empty' for x in legal)}.")
    return value
