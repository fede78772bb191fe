"""Counts of 1 to 10 stay unknown to a reader who solves for them with everything that is shown."""

import itertools
from math import log1p
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

from claims_assets.outreach.disclosure import Sum, hidden_cells, is_small

COUNT = st.one_of(st.just(0), st.integers(1, 10), st.integers(11, 60), st.integers(100, 5_000))


def largest(values, sums, hidden, cell):
    """The largest number that a hidden count may have, for all that a reader knows: what is shown, the sums, and that
    a zero would be shown. Solved from scratch, with whole numbers."""
    cells = sorted(values, key=repr)
    at = {c: i for i, c in enumerate(cells)}
    matrix = np.zeros((len(sums), len(cells)))
    for row, s in enumerate(sums):
        matrix[row, at[s.total]] = -1
        matrix[row, [at[p] for p in s.parts]] += 1
    shown: Any = np.array([values[c] if c not in hidden else 1 for c in cells], dtype=float)
    most: Any = np.array([values[c] if c not in hidden else 1e6 for c in cells], dtype=float)
    goal = np.zeros(len(cells))
    goal[at[cell]] = -1
    found = milp(
        goal, integrality=np.ones(len(cells)), bounds=Bounds(shown, most), constraints=LinearConstraint(matrix, 0, 0)
    )
    assert found.success
    return round(-found.fun)


def table(rows, columns, numbers):
    """A table with its margins, and one number in the corner."""
    values: dict[Any, int] = {
        (r, c): n for (r, c), n in zip(itertools.product(range(rows), range(columns)), numbers, strict=True)
    }
    sums: list[Sum[Any]] = [Sum((r, "all"), tuple((r, c) for c in range(columns))) for r in range(rows)]
    sums += [Sum(("all", c), tuple((r, c) for r in range(rows))) for c in range(columns)]
    sums += [Sum(("all", "all"), tuple((r, "all") for r in range(rows)))]
    sums += [Sum(("all", "all"), tuple(("all", c) for c in range(columns)))]
    for s in sums:
        values[s.total] = sum(values[p] for p in s.parts)
    return values, sums


TABLES = st.tuples(st.integers(1, 4), st.integers(1, 4)).flatmap(
    lambda size: st.lists(COUNT, min_size=size[0] * size[1], max_size=size[0] * size[1]).map(
        lambda numbers: table(*size, numbers)
    )
)


@pytest.mark.requirement("R15")
@settings(max_examples=30, deadline=None)
@given(TABLES)
def test_every_small_count_may_be_large_for_all_that_a_reader_knows(made):
    values, sums = made
    hidden = hidden_cells(values, sums)
    for cell, n in values.items():
        if is_small(n):
            assert cell in hidden
            assert largest(values, sums, hidden, cell) >= 11
    assert not [c for c in hidden if values[c] == 0], "zeros are shown"


def test_hiding_the_small_counts_alone_would_not_do():
    values, sums = table(2, 2, [5, 40, 30, 50])
    assert largest(values, sums, {(0, 0)}, (0, 0)) == 5


def test_one_small_count_costs_three_more_and_the_smallest_ones():
    values, sums = table(3, 3, [5, 400, 20, 900, 800, 700, 30, 600, 50])
    assert hidden_cells(values, sums) == {(0, 0), (0, 2), (2, 0), (2, 2)}


def test_where_nothing_is_small_nothing_is_hidden():
    values, sums = table(2, 2, [0, 11, 30, 50])
    assert hidden_cells(values, sums) == frozenset()


def test_a_plan_of_a_few_members_shows_no_total_either():
    values, sums = table(2, 2, [1, 2, 0, 3])
    assert hidden_cells(values, sums) == {c for c, n in values.items() if n}


def test_two_small_counts_that_add_up_to_little_are_not_enough_for_each_other():
    values, sums = table(1, 3, [2, 3, 500])
    assert (0, 2) in hidden_cells(values, sums), "else both would be known to be at most 4"


@settings(max_examples=8, deadline=None)
@given(TABLES, st.randoms())
def test_the_order_of_the_counts_decides_nothing(made, chance):
    values, sums = made
    mixed = list(values.items())
    chance.shuffle(mixed)
    assert hidden_cells(dict(mixed), sums) == hidden_cells(values, sums)


@settings(max_examples=5, deadline=None)
@given(st.lists(st.integers(11, 300), min_size=8, max_size=8), st.integers(1, 10))
def test_no_cheaper_choice_protects_a_single_small_count(others, small):
    """Against every choice of other cells of a small table."""
    values, sums = table(3, 3, [small, *others])
    inner = [(r, c) for r in range(3) for c in range(3) if (r, c) != (0, 0)]
    ours = hidden_cells(values, sums)
    lost = sum(log1p(values[c]) for c in ours)
    for more in itertools.combinations(inner, 3):
        chosen = {(0, 0), *more}
        if largest(values, sums, chosen, (0, 0)) >= 11:
            assert len(ours) <= len(chosen)
            assert lost <= sum(log1p(values[c]) for c in chosen) + 1e-9
