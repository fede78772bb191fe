"""Which months train and test: by hand, and as laws over many months."""

import pytest

from claims_assets.models.windows import (
    HORIZON,
    JUDGED,
    LOOK_BACK,
    MOST_INDEXES,
    RUN_OUT,
    NotTrainable,
    first_training_month,
    index_of,
    is_training_month,
    require_months,
    split_for,
)
from claims_assets.partitions import add_months, months_between

HELD = months_between("2025-01", "2030-12")
"""Judged months with rows, of claims that begin in 2022-11: the first index has a look-back of twelve months."""


@pytest.mark.parametrize(
    ("first_claims", "first_training"),
    [("2022-11", "2026-04"), ("2022-01", "2025-06"), ("2020-01", "2023-06"), ("2008-01", "2011-06")],
)
def test_the_first_training_month_needs_a_look_back_and_two_outcome_years(first_claims, first_training):
    assert first_training_month(first_claims) == first_training
    held = months_between(add_months(first_claims, LOOK_BACK - 1 + JUDGED), first_training)
    assert len(split_for(first_training, held).train) == 1
    with pytest.raises(NotTrainable, match=f"first month possible is {first_training}"):
        split_for(add_months(first_training, -1), held)


@pytest.mark.parametrize(
    ("as_of", "test", "train"),
    [
        ("2026-04", "2025-01", ["2023-10"]),
        ("2026-06", "2025-03", ["2023-12"]),
        ("2026-07", "2025-04", ["2023-10", "2024-01"]),
        ("2027-01", "2025-10", ["2023-10", "2024-01", "2024-04", "2024-07"]),
    ],
)
def test_indexes_of_claims_that_begin_in_2022_11(as_of, test, train):
    split = split_for(as_of, HELD)
    assert (split.test_index, list(split.train_indexes)) == (test, train)
    assert [index_of(j) for j in split.judged] == [*train, test]


@pytest.mark.requirement("R1")
@pytest.mark.parametrize("as_of", months_between("2026-04", "2030-12"))
def test_nothing_reaches_past_what_was_known(as_of):
    split = split_for(as_of, HELD)
    assert add_months(split.test_index, HORIZON + RUN_OUT) == as_of == split.test
    assert max(split.train) <= split.test_index
    assert min(split.train) >= min(HELD)
    assert len(split.train) <= MOST_INDEXES
    assert list(split.train) == sorted(set(split.train))


def test_a_month_without_rows_is_named():
    split = split_for("2027-01", HELD)
    require_months(split, set(split.judged))
    for missing in split.judged:
        with pytest.raises(NotTrainable, match=f"gold.risk_training_rows has no rows for {missing}, which training as"):
            require_months(split, set(split.judged) - {missing})


def test_models_are_trained_at_quarter_ends():
    assert [m for m in months_between("2024-01", "2024-12") if is_training_month(m)] == [
        "2024-03", "2024-06", "2024-09", "2024-12",
    ]  # fmt: skip
