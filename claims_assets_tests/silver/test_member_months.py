"""Member months: merged spans, days, ages, and attributes as of the month."""

import re
from collections import defaultdict
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from claims_assets.bronze.member_eligibility import MemberEligibility
from claims_assets.contracts import compiled
from claims_assets.partitions import month_index, months_between
from claims_assets.silver.demographics import AGE_GROUPS, age_group
from claims_assets.silver.eligibility import enrolment_spans, standing_records
from claims_assets.silver.member_months import MemberMonths, member_months

YEAR = months_between("2024-01", "2024-12")


@pytest.fixture
def month_rows(rows):
    """Member months of eligibility records given as dicts, by (member, month)."""

    def build(*records, months=YEAR):
        numbered = [{"source_file": "a.csv", "source_line": i} | r for i, r in enumerate(records)]
        frame = member_months(rows(MemberEligibility, *numbered), months)
        found = {(r.member_id, r.claim_month): r for r in frame.select(*compiled(MemberMonths).columns).collect()}
        assert len(found) == frame.count(), "the grain is unique"
        return found

    return build


def span(member, start, end=None, **more):
    return {"member_id": member, "effective_date": start, "term_date": end} | more


def days(found, member):
    return {month: r.enrolled_days for (m, month), r in sorted(found.items()) if m == member}


@pytest.mark.requirement("R11")
def test_overlapping_adjacent_and_separate_spans_count_each_day_once(month_rows):
    """R11: one row for each member and month, however the spans lie."""
    found = month_rows(
        span("overlap", "2024-01-10", "2024-02-20"),
        span("overlap", "2024-02-01", "2024-02-25"),
        span("inside", "2024-01-01", "2024-03-31"),
        span("inside", "2024-02-10", "2024-02-12"),
        span("adjacent", "2024-01-01", "2024-01-31"),
        span("adjacent", "2024-02-01", "2024-02-29"),
        span("gap", "2024-01-01", "2024-01-10"),
        span("gap", "2024-01-12", "2024-01-20"),
        span("one day", "2024-05-31", "2024-05-31"),
    )
    assert days(found, "overlap") == {"2024-01": 22, "2024-02": 25}
    assert days(found, "inside") == {"2024-01": 31, "2024-02": 29, "2024-03": 31}
    assert days(found, "adjacent") == {"2024-01": 31, "2024-02": 29}
    assert days(found, "gap") == {"2024-01": 19}
    assert days(found, "one day") == {"2024-05": 1}
    assert found["adjacent", "2024-02"].enrolled_since == date(2024, 1, 1)
    assert found["inside", "2024-03"].enrolled_since == date(2024, 1, 1)
    assert found["gap", "2024-01"].enrolled_since == date(2024, 1, 12)
    assert found["overlap", "2024-01"].enrolled_share == 22 / 31


def test_an_open_span_reaches_the_end_of_the_asked_months(month_rows):
    found = month_rows(
        span("open", "2023-06-15"), span("sentinel", "2023-06-15", "9999-12-31"), months=["2024-01", "2024-03"]
    )
    for member in ("open", "sentinel"):
        assert days(found, member) == {"2024-01": 31, "2024-03": 31}
        assert found[member, "2024-03"].enrolled_since == date(2023, 6, 15)


def test_a_month_is_the_same_whichever_months_are_asked_with_it(month_rows):
    records = [
        span("a", "2023-01-01", "2024-03-10", county="x"),
        span("a", "2024-03-05", "2024-06-30", county="y"),
        span("a", "2024-06-15", county="z", death_date="2024-09-09"),
    ]
    whole = month_rows(*records)
    for month in YEAR:
        alone = month_rows(*records, months=[month])
        assert alone == {key: row for key, row in whole.items() if key[1] == month}


def test_nobody_is_enrolled_after_death(month_rows):
    found = month_rows(
        span("dies", "2024-01-01", "2024-03-31"),
        span("dies", "2024-04-01", death_date="2024-04-10"),
        span("was dead", "2024-06-01", death_date="2024-05-01"),
    )
    assert days(found, "dies") == {"2024-01": 31, "2024-02": 29, "2024-03": 31, "2024-04": 10}
    assert days(found, "was dead") == {}


@pytest.mark.requirement("R1")
def test_no_month_knows_of_a_later_death(month_rows):
    """R1: what lies in the future of a month must not be in its row."""
    found = month_rows(span("m", "2024-01-01", death_date="2024-03-10"))
    assert [found["m", month].death_date for month in YEAR[:3]] == [None, None, date(2024, 3, 10)]


def test_a_later_record_for_the_same_first_day_replaces_the_earlier_one(month_rows):
    ended = [
        span("m", "2024-01-01", received_month="2024-01", county="old"),
        span("m", "2024-01-01", "2024-02-15", received_month="2024-04", county="new"),
    ]
    taken_back = [
        span("n", "2024-01-01", "2024-12-31", received_month="2024-01"),
        span("n", "2024-01-01", "2023-12-31", received_month="2024-02"),
    ]
    undated = [
        span("o", "2024-01-01", "2024-01-31", source_file="b.csv", source_line=1),
        span("o", "2024-01-01", "2024-02-29", source_file="b.csv", source_line=2),
        span("o", "2024-01-01", "2024-03-31", source_file="a.csv", source_line=3),
    ]
    for records in ([*ended, *taken_back, *undated], [*undated, *taken_back, *ended][::-1]):
        found = month_rows(*[{"source_file": "a.csv", "source_line": 1} | r for r in records])
        assert days(found, "m") == {"2024-01": 31, "2024-02": 15}
        assert found["m", "2024-02"].county == "new"
        assert days(found, "n") == {}
        assert days(found, "o") == {"2024-01": 31, "2024-02": 29}


def test_attributes_are_those_of_the_latest_record_in_force_in_the_month(month_rows):
    found = month_rows(
        span("m", "2024-01-01", "2024-12-31", county="long", dual_eligible="false"),
        span("m", "2024-03-15", "2024-04-15", county="short", dual_eligible="true"),
        span("n", "2024-01-01", "2024-12-31", county="first"),
        span("n", "2024-03-20", county="second"),
        span("n", "2024-03-25", "2024-03-26", county="third"),
    )
    counties = {k: r.county for k, r in found.items()}
    assert [counties["m", m] for m in YEAR[:6]] == ["long", "long", "short", "short", "long", "long"]
    assert [counties["n", m] for m in YEAR[:5]] == ["first", "first", "third", "second", "second"]
    assert found["m", "2024-04"].dual_eligible is True
    assert found["m", "2024-05"].dual_eligible is False
    assert days(found, "m") == {m: found["n", m].days_in_month for m in YEAR}


def test_dual_ltss_and_aid_of_a_month_are_those_of_the_record_in_force_then(month_rows):
    """A later record, also one that arrived first, changes no month before its own first day."""
    found = month_rows(
        span("m", "2024-04-16", dual_eligible="true", ltss_indicator="false", aid_category="aged"),
        span("m", "2024-01-01", "2024-02-15", dual_eligible="false", ltss_indicator="true", aid_category="adult"),
        span("m", "2024-03-01", "2024-04-15"),
    )
    said = [(r.dual_eligible, r.ltss_indicator, r.aid_category) for (_, month), r in sorted(found.items())][:5]
    adult, aged, silent = (False, True, "adult"), (True, False, "aged"), (None, None, None)
    assert said == [adult, adult, silent, aged, aged]


def test_ages_are_completed_years_on_the_last_day_of_the_month(month_rows):
    months = ["2024-02", "2024-03", "2025-02", "2025-03"]
    found = month_rows(
        span("leap", "2024-01-01", birth_date="2004-02-29"),
        span("last day", "2024-01-01", birth_date="2004-03-31"),
        span("next day", "2024-01-01", birth_date="2004-03-01"),
        span("newborn", "2024-01-01", birth_date="2024-03-15"),
        span("unknown", "2024-01-01"),
        months=months,
    )
    ages = {
        m: [found[m, month].age for month in months] for m in ("leap", "last day", "next day", "newborn", "unknown")
    }
    assert ages == {
        "leap": [20, 20, 20, 21],
        "last day": [19, 20, 20, 21],
        "next day": [19, 20, 20, 21],
        "newborn": [0, 0, 0, 1],
        "unknown": [None] * 4,
    }
    assert found["unknown", "2024-02"].age_group is None
    assert found["leap", "2024-02"].age_group == "18-44"


def test_age_groups_meet_without_gap(spark):
    from pyspark.sql import functions as F

    ages = spark.createDataFrame([(a,) for a in (0, 17, 18, 44, 45, 64, 65, 110)], "age int")
    groups = [r.g for r in ages.select("age", age_group(F.col("age")).alias("g")).orderBy("age").collect()]
    assert groups == [g for g in AGE_GROUPS for _ in range(2)]


GENDERS = {
    "M": ["M", "male", " Male ", "1", "m"],
    "F": ["F", "FEMALE", "female", "2"],
    "U": ["U", "unk", "X", "O", "other", "Q", None],
}
RACES = {
    "White": ["white", "WHITE", "Caucasian", "1", "White, Non-Hispanic"],
    "Black": ["Black or African American", "BLACK/AFRICAN AMERICAN", "african american", "2"],
    "Asian": ["asian", "Asian Indian", "4"],
    "Hispanic": ["Hispanic", "hispanic or latino", "5"],
    "Native American": ["American Indian or Alaska Native", "NATIVE AMERICAN", "native", "6"],
    "Pacific Islander": [
        "Native Hawaiian or Other Pacific Islander",
        "NATIVE HAWAIIAN OR OTHER PACIFIC ISLANDER",
        "native hawaiian/other pacific islander",
        "Pacific Islander",
    ],
    "Two or More Races": ["Two or more races", "multiracial", "2 or more races"],
    "Unknown": ["3", "other", "unknown", "martian", "", None],
}
ETHNICITIES = {
    "Hispanic": ["HISPANIC", "Hispanic or Latino", "latino", "H", "2135-2"],
    "Not Hispanic": ["NOT HISPANIC", "not hispanic or latino", "Non-Hispanic", "nonhispanic", "N", "2186-5"],
    "Unknown": ["unknown", "declined", "?", None],
}


@pytest.mark.requirement("R10")
@pytest.mark.parametrize(
    ("name", "groups"), [("gender", GENDERS), ("race", RACES), ("ethnicity", ETHNICITIES)], ids=lambda x: str(x)[:9]
)
def test_words_fall_into_their_group_whatever_their_case(month_rows, name, groups):
    """R10: 'NOT HISPANIC' is not Hispanic, and a Native Hawaiian is no Native American."""
    cases = [(group, word) for group, words in groups.items() for word in words]
    found = month_rows(*[span(str(i), "2024-01-01", **{name: w}) for i, (_, w) in enumerate(cases)], months=["2024-01"])
    got = {word: getattr(found[str(i), "2024-01"], name) for i, (_, word) in enumerate(cases)}
    assert got == {word: group for group, word in cases}


def test_zip_codes_are_five_digits_with_their_zeros(month_rows):
    words = {"02139": "02139", "02139-1234": "02139", "021391234": "02139", " 00601 ": "00601", "2139": "02139"}
    words |= {"601": "00601", "K1A 0B1": None, "12": None, "123456": None, None: None}
    found = month_rows(*[span(str(i), "2024-01-01", zip_code=w) for i, w in enumerate(words)], months=["2024-01"])
    assert [found[str(i), "2024-01"].zip_code for i in range(len(words))] == list(words.values())


def test_member_ids_are_trimmed_and_keep_their_zeros(month_rows):
    assert {m for m, _ in month_rows(span(" 0012 ", "2024-01-01", "2024-01-31"), span("0012", "2024-02-01"))} == {
        "0012"
    }


def test_an_absent_feed_is_an_empty_table(rows, lake, spark):
    frame = member_months(rows(MemberEligibility), ["2024-01"])
    found = lake.write(frame, "silver", "member_months", MemberMonths, ["2024-01"])
    assert not found.blocked
    kept = lake.read(spark, "silver", "member_months")
    assert kept.columns == list(compiled(MemberMonths).columns)
    assert kept.count() == 0


def test_months_of_a_stored_table_are_those_of_a_frame_in_memory(rows, lake, spark):
    """An engine may push a filter into a stored table, where it can fail although it works in memory."""
    records = [span("a", "2024-01-05", "2024-03-31"), span("a", "2024-03-01", county="x"), span("b", "2023-01-01")]
    frame = rows(MemberEligibility, *[r | {"source_file": "f", "source_line": i} for i, r in enumerate(records)])
    lake.write(frame, "bronze", "member_eligibility", MemberEligibility, None)
    stored = lake.read(spark, "bronze", "member_eligibility")
    kept = [
        member_months(f, YEAR).select(*compiled(MemberMonths).columns).orderBy("member_id", "claim_month").collect()
        for f in (stored, frame)
    ]
    assert len(kept[0]) == 24
    assert kept[0] == kept[1]


def test_written_months_keep_the_contract(rows, lake):
    records = [span("a", "2024-01-05", gender="M", birth_date="1950-05-05", bmi="31.5"), span("b", "2024-02-01")]
    frame = member_months(rows(MemberEligibility, *[r | {"source_file": "f", "source_line": 1} for r in records]), YEAR)
    found = lake.write(frame, "silver", "member_months", MemberMonths, YEAR)
    assert (found.rows_kept, found.rows_quarantined, found.failed_by_rule()) == (23, 0, {})
    assert (found.kept["2024-01"], found.kept["2024-02"]) == (1, 2)


DAY_0 = date(2024, 1, 1)
FIRST_MONTHS = months_between("2024-01", "2024-06")
RECORD = st.tuples(
    st.integers(-40, 200),
    st.one_of(st.none(), st.integers(-3, 90)),
    st.one_of(st.none(), st.sampled_from(["2024-01", "2024-02"])),
    st.integers(0, 9),
)
"""First day, length, received month, and a number that orders records received together."""
MEMBER = st.tuples(
    st.lists(RECORD, max_size=6, unique_by=(lambda r: (r[0], r[2], r[3]))), st.one_of(st.none(), st.integers(0, 200))
)


def expected_days(records, death):
    """Days enrolled, one at a time: the slow way round."""
    newest = {}
    for record in sorted(records, key=lambda r: (r[2] or "", r[3])):
        newest[record[0]] = record[1]
    last = date(2024, 6, 30)
    died = DAY_0 + timedelta(death) if death is not None and newest else last
    enrolled = set()
    for start, length in newest.items():
        day = DAY_0 + timedelta(start)
        end = last if length is None else min(last, day + timedelta(length))
        while day <= min(end, died):
            enrolled.add(day)
            day += timedelta(1)
    return enrolled


def expected_year(enrolled, month):
    """Digits of the month, then days, gaps, longest gap and continuity of the year up to its end, from marked days."""
    number = month_index(month)
    after = date((number + 1) // 12, (number + 1) % 12 + 1, 1)
    day, digits = date((number - 11) // 12, (number - 11) % 12 + 1, 1), ""
    while day < after:
        digits += "1" if day in enrolled else "0"
        day += timedelta(1)
    gaps = [len(gap) for gap in re.findall("0+", digits)]
    longest = max(gaps, default=0)
    own = digits[-(after - timedelta(1)).day :]
    return own, digits.count("1"), len(gaps), longest, len(gaps) < 2 and longest <= 45


def expected_months(records, death):
    """Month -> days, first day of the enrolment that reaches latest into it by walking back, and `expected_year`."""
    enrolled = expected_days(records, death)
    by_month = defaultdict(list)
    for day in enrolled:
        by_month[f"{day:%Y-%m}"].append(day)
    expected = {}
    for month, month_days in by_month.items():
        first = max(month_days)
        while first - timedelta(1) in enrolled:
            first -= timedelta(1)
        expected[month] = (len(month_days), first, *expected_year(enrolled, month))
    return {month: value for month, value in expected.items() if month in FIRST_MONTHS}


# Without shrinking: each step would be a job of the engine, and a failure would take minutes.
@pytest.mark.requirement("R11")
@settings(
    max_examples=6,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(members=st.lists(MEMBER, min_size=30, max_size=60), order=st.randoms(use_true_random=False))
def test_months_equal_a_count_of_days_in_any_order_of_records(spark, members, order):
    columns = compiled(MemberEligibility).columns
    given_rows = []
    for number, (records, death) in enumerate(members):
        died = None if death is None else DAY_0 + timedelta(death)
        for start, length, received, line in records:
            first = DAY_0 + timedelta(start)
            end = None if length is None else first + timedelta(length)
            row = {"member_id": str(number), "effective_date": first, "term_date": end, "death_date": died}
            given_rows.append(row | {"received_month": received, "source_file": "f", "source_line": line})
    order.shuffle(given_rows)
    schema = ", ".join(f"{n} {t.simpleString()}" for n, t in columns.items())
    frame = spark.createDataFrame([tuple(r.get(n) for n in columns) for r in given_rows], schema)
    got = defaultdict(dict)
    for r in member_months(frame, FIRST_MONTHS).select(*compiled(MemberMonths).columns).collect():
        assert 1 <= r.enrolled_days <= r.days_in_month
        assert month_index(r.claim_month) >= month_index(f"{r.enrolled_since:%Y-%m}")
        year = (r.enrolled_days_12mo, r.gap_count_12mo, r.longest_gap_days_12mo, r.continuously_enrolled_12mo)
        got[int(r.member_id)][r.claim_month] = (r.enrolled_days, r.enrolled_since, r.enrolment_by_day, *year)
    merged = enrolment_spans(standing_records(frame), date(2024, 6, 30)).where("span_end >= '2024-01-01'").collect()
    days_merged = sum((s.span_end - max(s.span_start, DAY_0)).days + 1 for s in merged)
    assert sum(value[0] for months in got.values() for value in months.values()) == days_merged
    assert dict(got) == {n: e for n, m in enumerate(members) if (e := expected_months(*m))}
