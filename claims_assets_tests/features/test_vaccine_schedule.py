"""The lists of the schedule: read, consistent, dated, and refused with a sentence where they are not."""

import re
from datetime import date
from pathlib import Path

import pytest

from claims_assets.features import vaccine_schedule as lists
from claims_assets.features.childhood_immunization_status import COMBO_10
from claims_assets.features.vaccine_rules import Period, later, period
from claims_assets.features.vaccine_schedule import (
    coded_conditions,
    condition_names,
    contraindications,
    member_flags,
    schedule,
    series_of,
)
from claims_assets.sources.code_sets import VACCINES, diagnosis_code_list, rows_of, vaccine_codes

CACHED = (
    lists.schedule,
    lists.contraindications,
    lists.coded_conditions,
    lists.condition_names,
    lists.member_flags,
    lists._series,
)
LISTS = (lists.SCHEDULE, lists.SERIES, lists.CONTRAINDICATIONS, lists.CONDITION_CODES)


def test_every_vaccine_has_a_rule_and_every_line_a_source():
    assert set(schedule()) == set(VACCINES)
    for name in LISTS:
        assert all(row["source"] and row["verified"] in ("true", "false") for _, row in rows_of(name))


def test_rules_are_dated_and_those_of_one_vaccine_stand_in_order_of_precedence():
    for rules in schedule().values():
        assert all(rule.valid_to is None or rule.valid_from <= rule.valid_to for rule in rules)
        # A rule for all of an age before one for some of it would leave the second without effect.
        for n, rule in enumerate(rules):
            hidden = [
                other.rule
                for other in rules[n + 1 :]
                if not rule.conditions
                and not rule.sex
                and rule.born_from is None
                and later(date(2000, 1, 1), rule.min_age) <= later(date(2000, 1, 1), other.min_age)
                and (rule.max_age is None or (other.max_age and rule.max_age.months >= other.max_age.months))
                and rule.valid_from <= other.valid_from
                and rule.valid_to is None
            ]
            assert hidden == []


def test_the_combinations_have_a_series_each():
    doses = {v: min(len(option.steps) for option in series_of(f"cis_{v}")) for v in COMBO_10}
    assert doses == {
        "dtap": 4, "polio": 3, "mmr": 1, "hib": 3, "hepatitis_b": 3, "varicella": 1, "pneumococcal": 4,
        "hepatitis_a": 1, "rotavirus": 2, "influenza": 2,
    }  # fmt: skip


def test_every_code_of_a_condition_begins_a_diagnosis_code():
    known = [d["code"] for d in diagnosis_code_list().to_pylist() if d["code_system"] == "ICD-10-CM"]
    text = "\n" + "\n".join(known)
    wrong = [code for c in coded_conditions().values() for system, code in c.codes if f"\n{code}" not in text]
    assert wrong == []


def test_every_coded_condition_decides_something():
    used = {line.condition for lines in contraindications().values() for line in lines}
    for rules in schedule().values():
        for rule in rules:
            used |= rule.conditions
            used |= {n for o in rule.options for s in o.steps for n in (*o.unless, *s.shorter_if)}
    childhood = {"scid", "immunodeficiency", "hiv", "hematologic_malignancy", "intussusception"}
    assert set(coded_conditions()) == (used | childhood) & set(coded_conditions())
    assert set(member_flags()) == used - set(coded_conditions())
    assert set(member_flags()) <= set(condition_names())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2 years", Period(24)),
        ("15 weeks", Period(0, 105)),
        ("2 years 1 day", Period(24, 1)),
        ("6 months", Period(6)),
        ("0 days", Period()),
    ],
)
def test_periods(text, expected):
    assert period(text) == expected


@pytest.mark.parametrize("text", ["", "two years", "2", "2 yrs", "years 2", "2 years -1 day"])
def test_what_is_no_period_is_refused(text):
    with pytest.raises(ValueError, match="is no period such as"):
        period(text)


@pytest.mark.parametrize(
    ("day", "by", "expected"),
    [
        ("2024-02-29", "1 year", "2025-03-01"),
        ("2024-02-29", "4 years", "2028-02-29"),
        ("2024-08-31", "6 months", "2025-03-01"),
        ("2023-12-31", "2 months", "2024-03-01"),
        ("2023-10-31", "1 month", "2023-12-01"),
        ("2023-12-15", "1 month", "2024-01-15"),
        ("2024-01-15", "42 days", "2024-02-26"),
        ("2022-02-28", "2 years 1 day", "2024-02-29"),
    ],
)
def test_a_day_that_does_not_exist_is_the_first_of_the_next_month(day, by, expected):
    assert later(date.fromisoformat(day), period(by)) == date.fromisoformat(expected)


@pytest.fixture
def changed(monkeypatch):
    """`changed(list, column="value")` gives the second line of a list another value."""

    def put(name, **cells):
        def rows(asked):
            lines = list(rows_of(asked))
            if asked == name:
                lines = [lines[0], (lines[1][0], lines[1][1] | cells), *lines[2:]]
            return iter(lines)

        monkeypatch.setattr(lists, "rows_of", rows)
        for cached in CACHED:
            cached.cache_clear()

    yield put
    for cached in CACHED:
        cached.cache_clear()


@pytest.mark.parametrize(
    ("name", "cells", "sentence"),
    [
        (
            lists.SCHEDULE,
            {"vaccine": "plague"},
            "vaccine_schedule.csv line 3: vaccine 'plague' is not one of influenza",
        ),
        (lists.SCHEDULE, {"series": "x"}, "line 3: series 'x' is not one of"),
        (lists.SCHEDULE, {"when_missing": "call"}, "line 3: when_missing 'call' is not one of due, discuss"),
        (lists.SCHEDULE, {"min_age": "old"}, "line 3: min_age: 'old' is no period"),
        (lists.SCHEDULE, {"conditions": "gout"}, "line 3: condition 'gout' is neither in vaccine_condition_codes.csv"),
        (lists.SCHEDULE, {"rule": "influenza_child"}, "line 3: rule 'influenza_child' is there twice"),
        (lists.SCHEDULE, {"valid_from": ""}, "line 3: valid_from is empty: fill it"),
        (lists.SCHEDULE, {"valid_to": "soon"}, "line 3: valid_to: "),
        (lists.SERIES, {"grace_days": "few"}, "line 3: grace_days: "),
        (lists.SCHEDULE, {"source": ""}, "line 3: it names no source"),
        (lists.SCHEDULE, {"verified": "maybe"}, "line 3: verified 'maybe' is not one of true, false"),
        (lists.SCHEDULE, {"season_start": "13-01"}, "line 3: season_start: "),
        (lists.SCHEDULE, {"verified": None}, "line 3: it has more or fewer cells than the header"),
        (lists.SERIES, {"products": "PCV99"}, "line 3: no code of vaccine_codes.csv has the product 'PCV99'"),
        (lists.SERIES, {"step": "3"}, "line 3: the steps of an option stand in order, 1 first"),
        (lists.SERIES, {"scope": "winter"}, "line 3: scope 'winter' is not one of empty, season, before_season"),
        (lists.CONTRAINDICATIONS, {"effect": "none"}, "line 3: effect 'none' is not one of contraindicated, discuss"),
        (lists.CONTRAINDICATIONS, {"condition": "gout"}, "line 3: condition 'gout' is not one of"),
        (lists.CONDITION_CODES, {"code_system": "ICD"}, "line 3: code_system 'ICD' is not one of"),
        (
            lists.CONDITION_CODES,
            {"condition": "asplenia", "days_needed": "1"},
            "asplenia asks for other months or days",
        ),
    ],
)
def test_a_bad_line_is_refused_by_name(changed, name, cells, sentence):
    changed(name, **cells)
    with pytest.raises(ValueError, match=re.escape(sentence)):
        _read_all()


def _read_all() -> None:
    schedule()
    contraindications()


def test_the_document_names_every_rule_and_what_is_not_verified():
    text = (Path(lists.__file__).parents[2] / "docs" / "vaccines.md").read_text(encoding="utf-8")
    rules = {rule.rule for several in schedule().values() for rule in several}
    assert {rule for rule in rules if f"| `{rule}` |" not in text} == set()
    open_points = text.split("## Not verified")[1].split("## Not covered")[0]
    columns = {lists.SCHEDULE: "rule", lists.SERIES: "series", lists.CONDITION_CODES: "condition"}
    columns |= {lists.CONTRAINDICATIONS: "condition"}
    for name, column in columns.items():
        names = {row[column] for _, row in rows_of(name) if row["verified"] == "false"}
        assert {n for n in names if f"`{n}`" not in open_points} == set()
    for code in vaccine_codes():
        if not code.verified and code.code_system != "NDC":
            assert code.code in open_points
