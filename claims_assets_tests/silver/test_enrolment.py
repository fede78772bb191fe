"""Days and gaps of enrolment: the digits of a month, and the rule of continuous enrolment at its edges."""

from calendar import monthrange
from datetime import date
from itertools import pairwise

import pytest

from claims_assets.bronze.member_eligibility import MemberEligibility
from claims_assets.silver.enrolment import LONGEST_ALLOWED_GAP_DAYS, enrolled_on
from claims_assets.silver.member_months import member_months


@pytest.fixture
def in_month(rows):
    """Rows of one month by member, from eligibility spans (member, first day, last day)."""

    def build(month, *spans):
        names = ("member_id", "effective_date", "term_date")
        records = [dict(zip(names, s, strict=True)) | {"source_line": i} for i, s in enumerate(spans)]
        frame = member_months(rows(MemberEligibility, *[{"source_file": "f"} | r for r in records]), [month])
        return {r.member_id: r for r in frame.collect()}

    return build


def test_a_digit_stands_for_each_day_of_the_month(in_month):
    found = in_month(
        "2024-02",
        ("all", "2023-01-01", None),
        ("last", "2024-02-29", None),
        ("first", "2024-01-15", "2024-02-01"),
        ("parts", "2024-02-02", "2024-02-04"),
        ("parts", "2024-02-06", "2024-02-06"),
    )
    assert {member: r.enrolment_by_day for member, r in found.items()} == {
        "all": "1" * 29,
        "last": "0" * 28 + "1",
        "first": "1" + "0" * 28,
        "parts": "011101" + "0" * 23,
    }


def test_whether_a_member_is_enrolled_on_a_day_is_read_from_the_digits(spark):
    digits = "1" + "0" * 28 + "01"
    given = [(digits, date(2024, 5, d)) for d in (1, 2, 30, 31)] + [(digits, None), (None, date(2024, 5, 1))]
    frame = spark.createDataFrame([(i, *g) for i, g in enumerate(given)], "i int, enrolment_by_day string, day date")
    answers = frame.select("i", enrolled_on(frame["day"]).alias("yes")).orderBy("i").collect()
    assert [r.yes for r in answers] == [True, False, False, True, False, False]


def test_a_gap_of_45_days_is_allowed_once_in_the_twelve_months_up_to_the_months_end(in_month):
    found = in_month(
        "2024-12",
        ("always", "2020-01-01", None),
        ("45 days", "2023-06-01", "2024-03-31"),
        ("45 days", "2024-05-16", None),
        ("46 days", "2023-06-01", "2024-03-31"),
        ("46 days", "2024-05-17", None),
        ("two gaps", "2023-06-01", "2024-03-31"),
        ("two gaps", "2024-04-02", "2024-08-31"),
        ("two gaps", "2024-09-02", None),
        ("gap before the year", "2022-01-01", "2023-05-31"),
        ("gap before the year", "2024-01-01", None),
        ("gap into the year", "2022-01-01", "2023-05-31"),
        ("gap into the year", "2024-01-11", None),
        ("newcomer in time", "2024-02-15", None),
        ("newcomer", "2024-02-16", None),
        ("leaves", "2022-01-01", "2024-12-10"),
        ("leaves after the month", "2022-01-01", "2025-01-10"),
        ("comes back after the month", "2024-01-01", "2024-12-31"),
        ("comes back after the month", "2025-03-01", None),
    )
    year = {
        m: (r.enrolled_days_12mo, r.gap_count_12mo, r.longest_gap_days_12mo, r.continuously_enrolled_12mo)
        for m, r in found.items()
    }
    assert year == {
        "always": (366, 0, 0, True),
        "45 days": (321, 1, 45, True),
        "46 days": (320, 1, 46, False),
        "two gaps": (364, 2, 1, False),
        "gap before the year": (366, 0, 0, True),
        "gap into the year": (356, 1, 10, True),
        "newcomer in time": (321, 1, 45, True),
        "newcomer": (320, 1, 46, False),
        "leaves": (345, 1, 21, True),
        "leaves after the month": (366, 0, 0, True),
        "comes back after the month": (366, 0, 0, True),
    }


def test_the_limit_in_days_says_one_month_where_enrolment_is_verified_by_the_month():
    lengths = [monthrange(year, month)[1] for year in (2023, 2024) for month in range(1, 13)]
    assert max(lengths) <= LONGEST_ALLOWED_GAP_DAYS < min(a + b for a, b in pairwise(lengths))
