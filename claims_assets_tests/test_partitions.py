"""Month arithmetic, and the one partitions definition."""

from datetime import datetime

import pytest

from claims_assets.partitions import add_months, claim_months, month_index, month_of_index, months_between


@pytest.mark.parametrize(
    ("month", "n", "expected"),
    [("2024-01", -1, "2023-12"), ("2024-12", 1, "2025-01"), ("2024-05", -11, "2023-06"), ("2024-05", 0, "2024-05")],
)
def test_adding_months_crosses_years(month, n, expected):
    assert add_months(month, n) == expected


def test_months_between_includes_both_ends():
    assert months_between("2023-11", "2024-02") == ["2023-11", "2023-12", "2024-01", "2024-02"]
    assert months_between("2024-02", "2024-01") == []


def test_an_index_and_its_month_are_inverse():
    assert month_of_index(month_index("1999-12") + 1) == "2000-01"


def test_the_open_month_can_be_requested():
    keys = claim_months.get_partition_keys(current_time=datetime(2024, 5, 17))
    assert keys[0] == "2022-01"
    assert keys[-1] == "2024-05"
