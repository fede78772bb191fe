"""Time and money of a state's month follow from rows, CPU and prices, and from nothing else."""

import pytest

from bench.scale_costs import Measured, cluster, costs
from bench.scale_sizes import StateTable

PLANNED = [
    StateTable("silver.claim_versions", rows=1_000, bytes_per_row=1, months=36),
    StateTable("silver.member_months_as_known", rows=100, bytes_per_row=1, months=36),
    StateTable("bronze.member_eligibility", rows=500, bytes_per_row=1, months=0),
    StateTable("silver.members", rows=200, bytes_per_row=1, months=0),
]


def test_a_table_reads_its_windows_and_costs_by_the_row():
    cpu = {"gold.member_conditions": Measured(rows=121, cpu_seconds=3.6), "silver.members": Measured(5, 0.36)}
    dear, cheap = costs(PLANNED, cpu)
    assert (dear.table, dear.rows) == ("gold.member_conditions", 12 * 1_000 + 100)
    assert dear.core_hours == pytest.approx(3.6 / 121 * 12_100 * 2 / 3600)
    assert (cheap.table, cheap.rows) == ("silver.members", 700)
    assert cheap.core_hours == pytest.approx(0.36 / 5 * 700 * 2 / 3600)


def test_twice_the_workers_take_half_the_time_and_save_half_the_drivers_wage():
    few, many = cluster(100, 4), cluster(100, 8)
    assert few["hours"] == pytest.approx(2 * many["hours"])
    assert few["usd"] / many["usd"] == pytest.approx(2 * 5 / 9)
