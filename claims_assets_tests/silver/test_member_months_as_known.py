"""Member months as known then: what the records received by the end of a month said of that month, and no others."""

from datetime import date

import pytest

from claims_assets.bronze.member_eligibility import MemberEligibility
from claims_assets.contracts import compiled
from claims_assets.partitions import months_between
from claims_assets.silver.known_records import records_as_known
from claims_assets.silver.member_months import MemberMonths, member_months
from claims_assets.silver.member_months_as_known import MemberMonthsAsKnown, member_months_as_known
from claims_assets_tests.silver.eligibility_records import (
    drawn,
    frame_of,
    known_month,
    numbered,
    of_random_members,
    span,
)

YEAR = months_between("2024-01", "2024-12")
HALF = YEAR[:6]
COLUMNS = list(compiled(MemberMonths).columns)


@pytest.fixture
def known(rows):
    """Member months as known, of records given as dicts, by (member, month)."""

    def build(*records, months=YEAR):
        frame = member_months_as_known(rows(MemberEligibility, *numbered(list(records))), months)
        found = {(r.member_id, r.claim_month): r for r in frame.select(*COLUMNS).collect()}
        assert len(found) == frame.count(), "the grain is unique"
        return found

    return build


def days(found, member):
    return {month: r.enrolled_days for (m, month), r in sorted(found.items()) if m == member}


@pytest.mark.requirement("R1")
def test_an_end_in_hindsight_takes_no_month_before_it_was_received(known):
    """R1: who was thought to be enrolled is in the month, and out of it from the month that knew better."""
    found = known(
        span("m", "2024-01-01", received_month="2024-01"),
        span("m", "2024-01-01", "2024-02-15", received_month="2024-05"),
    )
    assert days(found, "m") == {"2024-01": 31, "2024-02": 29, "2024-03": 31, "2024-04": 30}


@pytest.mark.requirement("R1")
def test_an_enrolment_in_hindsight_is_in_no_month_before_it_was_received(known):
    found = known(span("m", "2024-01-10", received_month="2024-04"))
    assert days(found, "m") == {m: r.days_in_month for (_, m), r in found.items() if m >= "2024-04"}
    assert min(days(found, "m")) == "2024-04"
    # From then on the earlier days are known too.
    assert found["m", "2024-04"].enrolled_since == date(2024, 1, 10)
    assert found["m", "2024-04"].enrolled_days_12mo == 22 + 29 + 31 + 30


@pytest.mark.requirement("R1")
def test_a_death_is_known_from_the_month_its_record_was_received(known):
    found = known(
        span("m", "2024-01-01", received_month="2024-01"),
        span("m", "2024-01-01", received_month="2024-04", death_date="2024-02-10"),
        span("dies in time", "2024-01-01", received_month="2024-01"),
        span("dies in time", "2024-01-01", received_month="2024-02", death_date="2024-02-10"),
        span("was no death", "2024-01-01", received_month="2024-01", death_date="2024-02-10"),
        span("was no death", "2024-01-01", received_month="2024-04"),
    )
    assert days(found, "m") == {"2024-01": 31, "2024-02": 29, "2024-03": 31}
    assert {r.death_date for (m, _), r in found.items() if m == "m"} == {None}
    assert days(found, "dies in time") == {"2024-01": 31, "2024-02": 10}
    assert found["dies in time", "2024-02"].death_date == date(2024, 2, 10)
    assert list(days(found, "was no death"))[:3] == ["2024-01", "2024-02", "2024-04"]


def test_attributes_are_those_known_in_the_month(known):
    found = known(
        span("m", "2024-01-01", received_month="2024-01", county="thought"),
        span("m", "2024-01-01", received_month="2024-04", county="corrected"),
        span("m", "2024-03-01", received_month="2024-06", county="moved"),
    )
    counties = [found["m", month].county for month in HALF]
    assert counties == ["thought", "thought", "thought", "corrected", "corrected", "moved"]


def test_without_a_month_of_receipt_a_record_is_known_from_its_effective_date(known):
    found = known(
        span("m", "2024-01-10", "2024-03-31"),
        # The record of a death counts from its own effective date, not before.
        span("dies", "2024-01-01", "2024-06-30"),
        span("dies", "2024-04-01", death_date="2024-02-20"),
    )
    assert days(found, "m") == {"2024-01": 22, "2024-02": 29, "2024-03": 31}
    assert days(found, "dies") == {"2024-01": 31, "2024-02": 29, "2024-03": 31}


def test_a_record_received_in_advance_begins_with_its_first_day(known):
    found = known(span("m", "2024-04-01", received_month="2023-12"))
    assert min(days(found, "m")) == "2024-04"


@pytest.mark.requirement("R8")
def test_a_roster_that_is_sent_again_each_month_says_nothing_new(rows, known):
    """And takes one span of months, not one for each month of receipt."""
    again = [span("m", "2023-01-01", received_month=m, county="x") for m in YEAR]
    assert known(*again) == known(again[0])
    frame = records_as_known(rows(MemberEligibility, *numbered(again)), YEAR)
    assert frame.count() == 1


def test_months_that_know_nothing_in_hindsight_are_those_of_today(rows):
    records = [
        span("a", "2024-01-05", "2024-03-31", received_month="2024-01", birth_date="1990-03-31"),
        span("a", "2024-03-01", received_month="2024-02", county="x"),
        span("b", "2023-01-01"),
        span("b", "2024-06-10", "2024-06-20", smoker="true"),
    ]
    frame = rows(MemberEligibility, *numbered(records))
    known, today = (
        t(frame, YEAR).select(*COLUMNS).orderBy("member_id", "claim_month").collect()
        for t in (member_months_as_known, member_months)
    )
    assert len(known) == 24
    assert known == today


def test_written_months_keep_the_contract(rows, lake):
    frame = rows(MemberEligibility, *numbered([span("a", "2024-01-05", received_month="2024-02")]))
    found = lake.write(
        member_months_as_known(frame, YEAR), "silver", "member_months_as_known", MemberMonthsAsKnown, YEAR
    )
    assert (found.rows_kept, found.rows_quarantined, found.failed_by_rule()) == (11, 0, {})


@pytest.mark.requirement("R1", "R11")
@of_random_members
def test_each_month_is_what_the_records_known_by_its_end_say_alone(spark, members, order):
    """The same months from the records cut at each month, one month at a time, by the table of today's truth."""
    given_rows = drawn(members)
    order.shuffle(given_rows)
    together = member_months_as_known(frame_of(spark, given_rows), HALF).select(*COLUMNS).collect()
    apart = [
        row
        for month in HALF
        for row in member_months(frame_of(spark, [r for r in given_rows if known_month(r) <= month]), [month])
        .select(*COLUMNS)
        .collect()
    ]
    assert sorted(together, key=str) == sorted(apart, key=str)
