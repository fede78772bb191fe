"""Chain ladder: a triangle by hand, a published one, and what must hold for any."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claims_assets.features.completion import completion, development, observed_ages

_ = np.nan
BY_HAND = np.array([[100.0, 150, 165, 165], [200, 320, 336, _], [100, 110, _, _], [400, _, _, _]])
TAYLOR_ASHE = """
357848 1124788 1735330 2218270 2745596 3319994 3466336 3606286 3833515 3901463
352118 1236139 2170033 3353322 3799067 4120063 4647867 4914039 5339085
290507 1292306 2218525 3235179 3985995 4132918 4628910 4909315
310608 1418858 2195047 3757447 4029929 4381982 4588268
443160 1136350 2128333 2897821 3402672 3873311
396132 1333217 2180715 2985752 3691712
440832 1288463 2419861 3483130
359480 1421128 2864498
376686 1363294
344014
"""
"""Cumulative claims of Taylor and Ashe (1983), as in Mack (1993), table 1."""
MACK_FACTORS = [3.491, 1.747, 1.457, 1.174, 1.104, 1.086, 1.054, 1.077, 1.018]
MACK_RESERVES = [0, 95, 470, 710, 985, 1419, 2178, 3920, 4279, 4626]
"""Thousands, by year of origin; Mack (1993), table 2. Their total is 18,681."""


def published() -> np.ndarray:
    rows = [[float(x) for x in line.split()] for line in TAYLOR_ASHE.split("\n") if line]
    return np.array([row + [np.nan] * (len(rows) - len(row)) for row in rows])


def plain(triangle, **given):
    """Factors of all rows."""
    return development(triangle, **{"diagonals": None, "extremes": 0, **given})


def test_a_triangle_by_hand():
    factors = plain(BY_HAND)
    # 580 / 400, 501 / 470, 165 / 165
    assert factors == pytest.approx([1.45, 501 / 470, 1.0])
    assert completion(factors, oldest=3) == pytest.approx([1 / (1.45 * 501 / 470), 470 / 501, 1.0, 1.0])


def test_the_published_factors_and_reserves_of_mack():
    triangle = published()
    factors = plain(triangle)
    assert factors == pytest.approx(MACK_FACTORS, abs=5e-4)
    latest = np.array([row[~np.isnan(row)][-1] for row in triangle])
    reserves = latest / completion(factors, 9)[::-1] - latest
    assert reserves / 1000 == pytest.approx(MACK_RESERVES, abs=0.51)
    assert reserves.sum() == pytest.approx(18_680_856, abs=1)


def test_only_the_latest_steps_count():
    assert plain(BY_HAND, diagonals=1) == pytest.approx([1.1, 1.05, 1.0])
    assert plain(BY_HAND, diagonals=2) == pytest.approx([430 / 300, 501 / 470, 1.0])


def test_the_steps_that_grew_most_and_least_are_left_out():
    late_file = np.array([[100.0, 120], [100, 900], [200, 250], [100, 100], [100, 130], [100, 140]])
    # without the month that came late (9.0) and the one that did not grow
    assert plain(late_file, extremes=1 / 6) == pytest.approx([640 / 500])
    assert plain(late_file[:5], extremes=1 / 6) == pytest.approx([1500 / 600]), "five steps are too few to choose from"


def test_a_month_that_grew_from_nothing_is_the_first_to_be_left_out():
    steps = np.array([[0.0, 500], [100, 200], [100, 201], [100, 202], [100, 203], [100, 150]])
    assert plain(steps, extremes=1 / 6) == pytest.approx([806 / 400])
    refund_first = np.array([[-10.0, -500], [100, 200], [100, 201], [100, 202], [100, 203], [100, 100]])
    assert plain(refund_first, extremes=1 / 6) == pytest.approx([703 / 400])


def test_months_before_the_first_claims_are_no_steps():
    early = np.array([[0.0, 0]] * 5 + [[100, 150]] + [[100, _]])
    assert development(early) == pytest.approx([1.5])


def test_a_factor_below_one_gives_a_share_above_one():
    taken_back = np.array([[100.0, 80], [100, _]])
    assert completion(plain(taken_back), 1) == pytest.approx([1.25, 1.0])


@pytest.mark.parametrize("steps", [[[0.0, 50]], [[-5.0, 50]], [[50.0, 0]], [[50.0, -5]], [[50.0, _]]])
def test_growth_of_nothing_or_to_nothing_is_not_computed(steps):
    factors = plain(np.array([*steps, [_, _]]))
    assert np.isnan(factors).all() and observed_ages(factors) == 0


def test_a_missing_factor_leaves_only_the_older_ages():
    assert np.isnan(completion(np.array([1.5, _, 1.1]), 3)).tolist() == [True, True, False, False]


def test_nothing_is_assumed_to_be_paid_after_the_oldest_age():
    assert completion(np.array([2.0, 1.25, _, _]), oldest=2) == pytest.approx([0.4, 0.8, 1, 1, 1])


amounts = st.lists(st.lists(st.integers(-50, 1_000), min_size=9, max_size=9), min_size=2, max_size=9)


def triangle(increments) -> np.ndarray:
    full = np.cumsum(np.array(increments, dtype=float), axis=1)
    rows, ages = np.indices(full.shape)
    return np.where(rows + ages < full.shape[0], full, np.nan)


@settings(max_examples=100, deadline=None)
@given(amounts, st.integers(1, 1_000), st.sampled_from([0, 1 / 6]))
def test_factors_do_not_depend_on_the_unit_of_amounts(increments, scale, extremes):
    one, other = triangle(increments), triangle(increments) * scale
    assert plain(other, extremes=extremes) == pytest.approx(plain(one, extremes=extremes), nan_ok=True)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(1, 10**9), min_size=2, max_size=30))
def test_months_that_are_complete_at_once_have_the_factor_one(paid):
    increments = [[x] + [0] * (len(paid) - 1) for x in paid]
    factors = development(triangle(increments))
    assert (completion(factors, observed_ages(factors)) == 1).all()
