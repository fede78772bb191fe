"""Enrolment spans: however records are split, repeated or ordered, the same days come out."""

from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pyspark.sql import functions as F

from claims_assets.silver.eligibility import enrolment_spans

DAY_0 = date(2024, 1, 1)
UNTIL = DAY_0 + timedelta(120)
SCHEMA = "member_id string, effective_date date, ends_on date"
SPAN = st.tuples(st.integers(-30, 150), st.one_of(st.none(), st.integers(0, 60)))
"""First day and length; None: open."""
MEMBERS = st.lists(st.lists(SPAN, min_size=1, max_size=7), min_size=30, max_size=50)


def days_of(frame):
    """(member, first day, last day) of spans."""
    return sorted((r.member_id, r.span_start, r.span_end) for r in frame.collect())


def as_records(spans):
    return spans.select("member_id", F.col("span_start").alias("effective_date"), F.col("span_end").alias("ends_on"))


def expected(members):
    """The same by marking days: runs of marked days are spans."""
    found = []
    for number, spans in enumerate(members):
        marked = set()
        for start, length in spans:
            stop = UNTIL if length is None else min(UNTIL, DAY_0 + timedelta(start + length))
            marked |= {DAY_0 + timedelta(n) for n in range(start, (stop - DAY_0).days + 1)}
        firsts = [d for d in marked if d - timedelta(1) not in marked]
        lasts = [d for d in marked if d + timedelta(1) not in marked]
        found += [(str(number), *days) for days in zip(sorted(firsts), sorted(lasts), strict=True)]
    return sorted(found)


# Without shrinking: each step would be a job of the engine, and a failure would take minutes.
@pytest.mark.requirement("R11")
@settings(
    max_examples=5,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(members=MEMBERS, order=st.randoms(use_true_random=False), cut=st.floats(0.1, 0.9))
def test_merging_spans_knows_no_order_and_no_grouping_and_once_is_enough(spark, members, order, cut):
    given_rows = [
        (str(n), DAY_0 + timedelta(start), None if length is None else DAY_0 + timedelta(start + length))
        for n, spans in enumerate(members)
        for start, length in spans
    ]
    order.shuffle(given_rows)
    frame = spark.createDataFrame(given_rows, SCHEMA)
    merged = enrolment_spans(frame, UNTIL)
    assert days_of(merged) == expected(members)
    assert days_of(enrolment_spans(as_records(merged), UNTIL)) == days_of(merged)
    at = max(1, int(cut * len(given_rows)))
    left, right = (spark.createDataFrame(part, SCHEMA) for part in (given_rows[:at], given_rows[at:]))
    grouped = as_records(enrolment_spans(left, UNTIL)).unionByName(right)
    assert days_of(enrolment_spans(grouped, UNTIL)) == days_of(merged)
