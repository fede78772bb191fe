"""Members over time: versions, their days, and the current record."""

from datetime import date
from itertools import pairwise

import pytest

from claims_assets.bronze.member_eligibility import MemberEligibility
from claims_assets.contracts import compiled
from claims_assets.silver.members import Members, members


@pytest.fixture
def versions(rows, lake, spark):
    """Written versions of eligibility records given as dicts, by member, in order."""

    def build(*records):
        numbered = [{"source_file": "a.csv", "source_line": i} | r for i, r in enumerate(records)]
        found = lake.write(members(rows(MemberEligibility, *numbered)), "silver", "members", Members, None)
        assert not found.blocked
        assert not found.rows_quarantined
        by_member = {}
        for r in lake.read(spark, "silver", "members").orderBy("member_id", "effective_from").collect():
            by_member.setdefault(r.member_id, []).append(r)
        return by_member

    return build


def span(member, start, end=None, **more):
    return {"member_id": member, "effective_date": start, "term_date": end} | more


def test_a_version_begins_where_an_attribute_changes(versions):
    found = versions(
        span("m", "2022-01-01", "2022-12-31", county="a", gender="F"),
        span("m", "2023-01-01", "2023-12-31", county="a", gender="female"),
        span("m", "2024-01-01", "2024-03-31", county="b", gender="F"),
        span("m", "2024-06-01", county=None, gender="F"),
    )["m"]
    days = [(v.effective_from, v.effective_to, v.county, v.is_current_record) for v in found]
    assert days == [
        (date(2022, 1, 1), date(2024, 1, 1), "a", False),
        (date(2024, 1, 1), date(2024, 6, 1), "b", False),
        (date(2024, 6, 1), None, None, True),
    ]


def test_every_tracked_attribute_makes_a_version(versions):
    changes = {
        "birth_date": "1990-01-01",
        "gender": "M",
        "race": "White",
        "ethnicity": "Hispanic",
        "zip_code": "02139",
        "county": "c",
        "language": "es",
        "eligibility_category": "e",
        "aid_category": "a",
        "household_id": "h",
        "dual_eligible": "true",
        "ltss_indicator": "false",
        "smoker": "true",
        "bmi": "31.5",
        "death_date": "2024-12-31",
    }
    records = [span(name, "2024-01-01") for name in changes]
    records += [span(name, "2024-02-01", **{name: value}) for name, value in changes.items()]
    assert {m: len(v) for m, v in versions(*records).items()} == dict.fromkeys(changes, 2)


def test_each_member_has_one_current_record_and_versions_do_not_overlap(versions):
    found = versions(
        span("a", "2022-01-01", "2022-06-30", county="x"),
        span("a", "2022-03-01", "2022-12-31", county="y"),
        span("a", "2022-03-01", "2022-11-30", county="z", received_month="2022-05"),
        span("b", "2022-01-01"),
    )
    for history in found.values():
        assert [v.is_current_record for v in history] == [False] * (len(history) - 1) + [True]
        for earlier, later in pairwise(history):
            assert earlier.effective_to == later.effective_from
    assert [v.county for v in found["a"]] == ["x", "z"]


def test_enrolled_through_is_the_last_day_of_the_last_enrolment(versions):
    found = versions(
        span("open", "2022-01-01"),
        span("open", "2022-02-01", "2022-12-31", county="x"),
        span("sentinel", "2022-01-01", "9999-12-31"),
        span("ended", "2022-01-01", "2023-06-30"),
        span("ended", "2022-02-01", "2022-12-31", county="x"),
        span("died", "2022-01-01", death_date="2022-05-05"),
    )
    through = {m: {v.enrolled_through for v in history} for m, history in found.items()}
    assert through == {
        "open": {None},
        "sentinel": {None},
        "ended": {date(2023, 6, 30)},
        "died": {date(2022, 5, 5)},
    }


def test_a_record_that_was_taken_back_is_no_version(versions):
    found = versions(
        span("m", "2022-01-01", county="a"),
        span("m", "2022-06-01", county="b", received_month="2022-06"),
        span("m", "2022-06-01", "2022-05-31", county="b", received_month="2022-07"),
    )["m"]
    assert [(v.county, v.is_current_record) for v in found] == [("a", True)]


def test_an_absent_feed_is_an_empty_table(versions, lake, spark):
    assert versions() == {}
    assert lake.read(spark, "silver", "members").columns == list(compiled(Members).columns)
