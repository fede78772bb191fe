"""Months looked at only where something changed give what every month by itself gives; what is known later is not."""

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from claims_assets.features.vaccine_doses import Evidence
from claims_assets.features.vaccine_months import (
    NEVER,
    ConditionDay,
    Known,
    Member,
    Month,
    last_day,
    present,
    stretches,
)
from claims_assets.features.vaccine_schedule import coded_conditions
from claims_assets.partitions import month_index
from claims_assets.sources.code_sets import VACCINES, vaccine_codes

FIRST, LAST = month_index("2022-11"), month_index("2026-10")
PRODUCTS = {v: sorted({c.product for c in vaccine_codes() if c.vaccine == v}) for v in VACCINES}
FLAGS = ["has_diabetes", "charlson_congestive_heart_failure", "charlson_diabetes_complicated"]
CODED = ["hiv", "transplant", "vaccine_anaphylaxis", "pregnancy", "immunosuppressed", "smoking"]

months = st.integers(FIRST, LAST)


@st.composite
def known_evidence(draw, birth):
    vaccine = draw(st.sampled_from(VACCINES))
    day = draw(st.dates(max(birth, date(2015, 1, 1)), date(2026, 9, 30)))
    piece = Evidence(day, draw(st.sampled_from(PRODUCTS[vaccine])), f"{draw(st.integers(0, 999))}")
    first = max(draw(months), day.year * 12 + day.month - 1)
    return Known(vaccine, piece, first, draw(st.sampled_from([NEVER, NEVER, first + 5])))


@st.composite
def condition_days(draw):
    day = draw(st.dates(date(2021, 1, 1), date(2026, 9, 30)))
    first = day.year * 12 + day.month - 1 + draw(st.integers(0, 4))
    return ConditionDay(
        draw(st.sampled_from(CODED)), day, draw(st.booleans()), first, draw(st.sampled_from([NEVER, first + 3]))
    )


@st.composite
def members(draw):
    """Three years and more of a member: flags that come and go, doses and conditions known early or late."""
    birth = draw(st.dates(date(1940, 1, 1), date(2026, 6, 30)))
    flagged = draw(st.frozensets(st.sampled_from(FLAGS)))
    turn, seen = draw(months), draw(st.none() | st.dates(date(2018, 1, 1), date(2026, 1, 1)))
    asked = [Month(m, flagged if m >= turn else frozenset(), seen) for m in range(FIRST, LAST + 1)]
    evidence = draw(st.lists(known_evidence(birth), max_size=8))
    return Member(
        "m", birth, draw(st.sampled_from("FM")), asked, evidence, draw(st.lists(condition_days(), max_size=4))
    )


def by_month(member):
    """(vaccine, month) -> what the table would say; the day it may change by itself is no part of it."""
    return {(s.vaccine, m): s.decision._replace(until=None) for s in stretches(member) for m in s.months}


@settings(max_examples=60, deadline=None)
@given(members())
def test_a_month_is_the_same_whichever_months_are_asked_for(member):
    together = by_month(member)
    for month in member.months:
        alone = by_month(replace(member, months=[month]))
        assert alone == {key: found for key, found in together.items() if key[1] == month.number}


@settings(max_examples=60, deadline=None)
@given(members(), st.data())
def test_a_dose_known_later_changes_no_earlier_month(member, data):
    later = data.draw(known_evidence(member.birth))
    more = by_month(replace(member, evidence=[*member.evidence, later]))
    before = by_month(member)
    assert {k: v for k, v in more.items() if k[1] < later.first} == {
        k: v for k, v in before.items() if k[1] < later.first
    }


@settings(max_examples=40, deadline=None)
@given(members())
def test_a_cancelled_dose_is_none_from_then_on(member):
    gone = [replace(k, end=k.first + 2) for k in member.evidence]
    after = max((k.end for k in gone), default=0)
    never = by_month(replace(member, evidence=[]))
    found = by_month(replace(member, evidence=gone))
    assert {k: v for k, v in found.items() if k[1] >= after} == {k: v for k, v in never.items() if k[1] >= after}


def test_a_condition_needs_one_inpatient_or_two_outpatient_days_known_by_then():
    transplant, pregnancy = coded_conditions()["transplant"], coded_conditions()["pregnancy"]
    day = date(2020, 3, 5)
    out = ConditionDay("transplant", day, False, month_index("2020-03"))
    other = replace(out, day=day + timedelta(days=1), first=month_index("2020-06"))
    assert not present(transplant, [out, out], month_index("2026-10"))
    assert not present(transplant, [out, other], month_index("2020-05"))
    assert present(transplant, [out, other], month_index("2020-06"))
    assert present(transplant, [out, other], month_index("2026-10")), "a transplant is for life"
    assert present(transplant, [replace(out, inpatient=True)], month_index("2020-03"))
    assert not present(transplant, [replace(out, inpatient=True, end=month_index("2020-05"))], month_index("2020-05"))
    assert present(pregnancy, [out], month_index("2020-05"))
    assert not present(pregnancy, [out], month_index("2020-06")), "a pregnancy is not"


def test_the_last_day_of_a_month():
    assert [last_day(month_index(m)) for m in ("2024-02", "2023-02", "2023-12")] == [
        date(2024, 2, 29),
        date(2023, 2, 28),
        date(2023, 12, 31),
    ]
