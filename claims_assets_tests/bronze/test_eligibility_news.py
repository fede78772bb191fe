"""From which month on an eligibility record says something new."""

import pytest

from claims_assets.bronze.eligibility_news import with_speaks_from
from claims_assets.bronze.member_eligibility import MemberEligibility
from claims_assets.contracts import compiled
from claims_assets.silver.member_months import MemberMonths, member_months
from claims_assets_tests.silver.eligibility_records import drawn, frame_of, of_random_members

SAID = [n for n in compiled(MemberEligibility).columns if n != "speaks_from"]
MONTHS = ("2023-12", "2024-02", "2024-03", "2024-06")


def news(frame):
    """Rows with `speaks_from`, in the types of the contract."""
    kinds = compiled(MemberEligibility).columns
    landed = frame.select(*[frame[n].cast("string").alias(n) for n in SAID])
    told = with_speaks_from(landed, SAID)
    return told.select(*[told[n].try_cast(t).alias(n) for n, t in kinds.items()])


@pytest.fixture
def months_of(spark):
    """`months_of(records)`: `speaks_from` of records of one member that start in January, in the order given."""

    def build(*records):
        base = {"member_id": "M", "effective_date": "2024-01-10", "source_file": "f"}
        rows = [base | {"source_line": i} | r for i, r in enumerate(records)]
        names = ", ".join(f"{n} string" for n in SAID)
        values = [tuple(None if r.get(n) is None else str(r.get(n)) for n in SAID) for r in rows]
        found = with_speaks_from(spark.createDataFrame(values, names), SAID).collect()
        return [r.speaks_from for r in sorted(found, key=lambda r: int(r.source_line))]

    return build


def test_a_new_record_speaks_from_its_effective_date(months_of):
    assert months_of({}, {"effective_date": "2024-05-01"}) == ["2024-01", "2024-05"]


def test_an_end_speaks_from_its_month_and_a_later_end_from_the_earlier_one(months_of):
    assert months_of({}, {"term_date": "2024-06-30"}, {"term_date": "2024-09-30"}) == ["2024-01", "2024-06", "2024-06"]
    assert months_of({"term_date": "2024-06-30"}, {}) == ["2024-01", "2024-06"]


def test_what_is_taken_back_speaks_from_before_its_start(months_of):
    assert months_of({}, {"term_date": "2023-12-31"}) == ["2024-01", "2023-12"]


def test_a_repeated_record_speaks_of_no_month_and_another_attribute_of_all(months_of):
    assert months_of({"county": "A"}, {"county": "A"}, {"county": "B"}, {}) == ["2024-01", None, "2024-01", "2024-01"]


def test_the_order_is_that_of_receipt_not_of_the_rows(months_of):
    later, earlier = {"term_date": "2024-06-30", "received_month": "2024-07"}, {"received_month": "2024-01"}
    assert months_of(later, earlier) == ["2024-06", "2024-01"]


def test_records_of_a_death_speak_from_the_first_day_on_which_one_puts_it(months_of):
    first = {"death_date": "2024-03-05"}
    second = {"effective_date": "2024-05-01", "death_date": "2024-08-01"}
    assert months_of({}, first, second) == ["2024-01", "2024-01", "2024-03"]


@of_random_members
def test_months_before_are_the_same_without_the_record(spark, members, order):
    """What `silver.member_months` goes by: a month is made of the records that speak of it or of an earlier one."""
    rows = drawn(members)
    order.shuffle(rows)
    told = news(frame_of(spark, rows)).toPandas()
    columns = list(compiled(MemberMonths).columns)
    for month in MONTHS:
        heard = told[told["speaks_from"] <= month]
        keys = set(zip(heard["member_id"], heard["source_line"], strict=True))
        alone = [r for r in rows if (r["member_id"], r["source_line"]) in keys]
        found = [
            sorted(map(str, member_months(frame_of(spark, some), [month]).select(*columns).collect()))
            for some in (rows, alone)
        ]
        assert found[0] == found[1]
