"""Enrolment as known then: 27 months as the records received by the as-of month say, also of those who left."""

from datetime import date

import pytest

from claims_assets.bronze.member_eligibility import MemberEligibility
from claims_assets.contracts import compiled
from claims_assets.partitions import add_months, months_between
from claims_assets.silver.enrolment_as_known import MONTHS_TOLD, EnrolmentAsKnown, enrolled_in, enrolment_as_known
from claims_assets_tests.silver.eligibility_records import drawn, frame_of, known_by, numbered, of_random_members, span

YEAR = months_between("2024-01", "2024-12")
COLUMNS = list(compiled(EnrolmentAsKnown).columns)


@pytest.fixture
def told(rows):
    """`told(record, ..., months=)`: the enrolled months by (member, as-of month)."""

    def build(*records, months):
        frame = enrolment_as_known(rows(MemberEligibility, *numbered(list(records))), list(months))
        return {(r.member_id, r.claim_month): r for r in frame.select(*COLUMNS).collect()}

    return build


def digits(*pairs: tuple[str, int]) -> str:
    """`("0", 3), ("1", 2)` -> 00011."""
    return "".join(digit * times for digit, times in pairs)


@pytest.mark.requirement("R1")
def test_an_end_in_hindsight_counts_from_the_month_it_was_received(told):
    found = told(
        span("m", "2024-01-01", received_month="2024-01"),
        span("m", "2024-01-01", "2024-02-15", received_month="2024-05"),
        months=["2024-04", "2024-05"],
    )
    assert found["m", "2024-04"].enrolled_months == digits(("0", 23), ("1", 4))
    assert found["m", "2024-05"].enrolled_months == digits(("0", 22), ("1", 2), ("0", 3))


def test_who_left_stays_for_as_long_as_a_month_of_theirs_is_told(told):
    found = told(span("m", "2019-11-30", "2021-12-10"), months=["2022-01", "2024-01", "2024-02", "2024-03"])
    assert {month: r.enrolled_months for (_, month), r in found.items()} == {
        "2022-01": digits(("1", 26), ("0", 1)),
        "2024-01": digits(("1", 2), ("0", 25)),
        "2024-02": digits(("1", 1), ("0", 26)),
    }


def test_months_with_a_gap_within_count_once_and_death_is_told_from_when_it_was_known(told):
    found = told(
        span("m", "2024-01-01", "2024-01-05", received_month="2024-01"),
        span("m", "2024-01-20", received_month="2024-01"),
        span("m", "2024-01-20", received_month="2024-04", death_date="2024-02-11"),
        months=["2024-03", "2024-04"],
    )
    assert found["m", "2024-03"].enrolled_months.endswith("0111")
    assert found["m", "2024-03"].died_on is None
    assert found["m", "2024-04"].enrolled_months.endswith("01100")
    assert found["m", "2024-04"].died_on == date(2024, 2, 11)


def test_enrolled_in_counts_the_months_from_one_to_another(spark):
    text = digits(("1", 12), ("0", 1), ("1", 3), ("0", 8), ("1", 3))
    frame = spark.createDataFrame([(text,)], "enrolled_months string")
    asked = [(26, 15), (14, 3), (2, 0), (0, 0), (26, 0), (3, 3)]
    found = frame.select(*[enrolled_in(*ends).alias(str(n)) for n, ends in enumerate(asked)]).first()
    assert len(text) == MONTHS_TOLD
    assert list(found) == [12, 3, 3, 1, 18, 0]


def test_written_months_keep_the_contract(rows, lake):
    frame = rows(MemberEligibility, *numbered([span("a", "2024-01-05", received_month="2024-02")]))
    found = lake.write(enrolment_as_known(frame, YEAR), "silver", "enrolment_as_known", EnrolmentAsKnown, YEAR)
    assert (found.rows_kept, found.rows_quarantined, found.failed_by_rule()) == (11, 0, {})


@pytest.mark.requirement("R1")
@of_random_members
def test_months_equal_a_count_of_days_of_the_records_known_by_then(spark, members, order):
    given_rows = drawn(members)
    order.shuffle(given_rows)
    asked = ["2024-01", "2024-02", "2024-05", "2025-06"]
    found = enrolment_as_known(frame_of(spark, given_rows), asked).collect()
    expected = {}
    for month in asked:
        for member, known in known_by(given_rows, month).items():
            told = [add_months(month, -n) for n in reversed(range(MONTHS_TOLD))]
            text = "".join(str(known.months(m, m)) for m in told)
            if "1" in text:
                expected[member, month] = (text, known.died)
    assert {(r.member_id, r.claim_month): (r.enrolled_months, r.died_on) for r in found} == expected
    assert len(found) == len(expected)
