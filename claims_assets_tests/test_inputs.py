"""Windows: which months an asked one reads, and which months read one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claims_assets.features.risk_training_rows import AtIndex, IndexAndJudged, OutcomeYear
from claims_assets.inputs import Window
from claims_assets.partitions import add_months, months_between

WINDOWS = st.builds(Window, months=st.integers(1, 24), lag=st.integers(0, 24), step=st.integers(1, 15))


def test_a_lag_leaves_out_the_newest_months():
    assert Window(1, lag=15).reach(["2024-06"]) == ["2023-03"]
    assert Window(3, lag=2).reach(["2024-06"]) == ["2024-02", "2024-03", "2024-04"]
    assert Window(2, lag=1).reach(["2024-03", "2024-06"]) == ["2024-01", "2024-02", "2024-04", "2024-05"]
    assert Window(3, lag=2).reached_by("2024-02") == ["2024-04", "2024-05", "2024-06"]
    assert Window(None, lag=2).reach(["2024-06"]) is None


@given(window=WINDOWS, month=st.sampled_from(months_between("2020-01", "2024-12")), back=st.integers(-3, 60))
def test_a_month_reaches_those_and_only_those_that_are_reached_by_it(window, month, back):
    earlier = add_months(month, -back)
    assert (earlier in window.reach([month])) == (month in window.reached_by(earlier))
    assert window.newest(month) == max(window.reach([month]))
    assert len(window.reach([month])) == window.months


@pytest.mark.parametrize(
    ("annotated", "first", "last"),
    [(AtIndex, "2023-03", "2023-03"), (OutcomeYear, "2023-04", "2024-03")],
)
def test_training_rows_read_the_index_the_year_after_it_and_the_run_out(annotated, first, last):
    (window,) = annotated.__metadata__
    assert window.reach(["2024-06"]) == months_between(first, last)


def test_training_rows_read_the_index_and_the_judged_month_where_they_need_no_other():
    (window,) = IndexAndJudged.__metadata__
    assert window.reach(["2024-06"]) == ["2023-03", "2024-06"]
