"""Which months train and test: by hand, and as laws over many months."""

import pytest

from claims_assets.models.windows import (
    HORIZON,
    LOOK_BACK,
    MOST_INDEXES,
    RUN_OUT,
    NotTrainable,
    first_training_month,
    is_training_month,
    outcome_month,
    require_months,
    split_for,
)
from claims_assets.partitions import add_months, months_between


@pytest.mark.parametrize(
    ("first_claims", "first_training"),
    [("2022-11", "2026-04"), ("2022-01", "2025-06"), ("2020-01", "2023-06"), ("2008-01", "2011-06")],
)
def test_the_first_training_month_needs_a_look_back_and_two_outcome_years(first_claims, first_training):
    assert first_training_month(first_claims) == first_training
    assert len(split_for(first_training, first_claims).train) == 1
    with pytest.raises(NotTrainable, match=f"first month possible is {first_training}"):
        split_for(add_months(first_training, -1), first_claims)


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
    split = split_for(as_of, "2022-11")
    assert (split.test, list(split.train)) == (test, train)


@pytest.mark.requirement("R1")
@pytest.mark.parametrize("as_of", months_between("2026-04", "2030-12"))
def test_nothing_reaches_past_what_was_known(as_of):
    split = split_for(as_of, "2022-11")
    assert add_months(outcome_month(split.test), RUN_OUT) == as_of
    assert all(add_months(outcome_month(i), RUN_OUT) <= split.test for i in split.train)
    assert min(split.train) >= add_months("2022-11", LOOK_BACK - 1)
    assert len(split.train) <= MOST_INDEXES
    assert max(split.service_months) == add_months(as_of, -RUN_OUT)
    assert min(split.service_months) == add_months(min(split.train), 1)


def test_service_months_are_the_outcome_years_and_no_others():
    split = split_for("2026-04", "2022-11")
    assert split.service_months == months_between("2023-11", "2024-10") + months_between("2025-02", "2026-01")
    assert len(split.service_months) == 2 * HORIZON


@pytest.mark.parametrize("table", ["gold.member_features", "silver.claim_versions"])
def test_a_month_without_rows_is_named(table):
    split = split_for("2026-04", "2022-11")
    held = {"gold.member_features": set(split.indexes), "silver.claim_versions": set(split.service_months)}
    require_months(split, *held.values())
    held[table].remove(max(held[table]))
    with pytest.raises(NotTrainable, match=f"{table} has no rows for 202[56]-01"):
        require_months(split, *held.values())


def test_models_are_trained_at_quarter_ends():
    assert [m for m in months_between("2024-01", "2024-12") if is_training_month(m)] == [
        "2024-03", "2024-06", "2024-09", "2024-12",
    ]  # fmt: skip
