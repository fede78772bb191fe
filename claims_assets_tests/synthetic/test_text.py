"""Integers become exact text."""

import numpy as np
import pytest

from claims_assets.synthetic import text
from claims_assets.synthetic.arrays import counter, first_day, month_number, month_of_day, month_text, stack


@pytest.mark.parametrize(
    ("cents", "words"), [(0, "0.00"), (5, "0.05"), (-5, "-0.05"), (123456, "1234.56"), (-100, "-1.00"), (10, "0.10")]
)
def test_cents_are_written_exactly(cents, words):
    assert text.amounts(np.array([cents])).to_list() == [words]


def test_ids_keep_their_leading_zeros_and_missing_ones_are_null():
    assert text.claim_ids(np.array([7, -1])).to_list() == ["000000000007", None]
    assert text.member_ids(np.array([12])).to_list() == ["M00000012"]


def test_dates_before_1970_need_their_own_writer():
    assert text.birth_dates(np.array([-1, 0])).to_list() == ["1969-12-31", "1970-01-01"]
    assert text.dates(np.array([-1, 0])).to_list() == [None, "1970-01-01"]


def test_diagnoses_are_written_in_four_styles():
    written = text.diagnoses(("", "E11.9"), np.array([1, 1, 1, 1, 0]), np.array([0, 1, 2, 3, 1]))
    assert written.to_list() == ["E11.9", "E119", "e11.9", "E11.9  ", None]


def test_months_and_days_convert_both_ways():
    assert month_text(month_number("2024-02")) == "2024-02"
    assert month_of_day(first_day(np.array([month_number("2024-02")])) + 28).tolist() == [month_number("2024-02")]


def test_counter_restarts_with_each_group():
    assert counter(np.array([4, 4, 9, 9, 9, 4])).tolist() == [0, 1, 0, 1, 2, 0]


def test_stack_fills_missing_columns_with_defaults():
    joined = stack(
        [{"a": np.array([1])}, {"a": np.array([2]), "b": np.array([3])}], {"a": np.int64(0), "b": np.int64(-1)}
    )
    assert {k: v.tolist() for k, v in joined.items()} == {"a": [1, 2], "b": [-1, 3]}
