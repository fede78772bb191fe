"""Literal claim lines and members, and the features made of them."""

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from claims_assets.silver.claim_versions import ClaimVersions
from claims_assets.silver.member_months import MemberMonths
from claims_assets_tests.features.made import made_features

MONTH = "2024-06"
"""As-of month of tests that name none; its last day is 2024-06-30."""

_numbers = count(1)


def line(member: str, day: str, **given: Any) -> dict[str, Any]:
    """A paid outpatient line of 100 USD, known in its own month, of a claim of its own; `given` overrides."""
    n = next(_numbers)
    return {
        "claim_feed": "medical", "claim_id": f"C{n}", "root_claim_id": f"C{n}", "claim_line_number": 1,
        "member_id": member, "service_from_date": day, "claim_date": day, "claim_month": day[:7],
        "known_from": day[:7], "adjustment_indicator": "0", "claim_type": "OP", "claim_status": "PAID",
        "paid_amount": "100.00", "source_file": "claims.csv", "source_line": n,
    } | given  # fmt: skip


def fill(member: str, day: str, **given: Any) -> dict[str, Any]:
    """A paid fill of 20 USD for 30 days; `given` overrides."""
    drug = {
        "claim_feed": "pharmacy",
        "claim_type": "RX",
        "fill_date": day,
        "ndc_code": "00093105801",
        "days_supply": 30,
    }
    return line(member, day, paid_amount="20.00") | drug | given


@pytest.fixture
def members(rows) -> Callable[..., Any]:
    """`members(["a", "b"], ["2024-06"], age=70)`: member months, 40-year-olds unless said otherwise."""

    def build(names, months, **given):
        usual = {
            "age": 40, "age_group": "18-44", "gender": "F", "race": "Unknown", "ethnicity": "Unknown",
            "enrolled_since": "2023-07-01", "enrolled_days": 28, "days_in_month": 28, "enrolled_share": 1.0,
        } | given  # fmt: skip
        return rows(MemberMonths, *[{"member_id": n, "claim_month": m, **usual} for n in names for m in months])

    return build


@pytest.fixture
def features(rows, members) -> Callable[..., dict]:
    """`features(line(...), ...)`: the features of the lines' members, by member, or by member and month if several."""

    def build(*lines, months=(MONTH,), also=(), **given):
        names = sorted({x["member_id"] for x in lines} | set(also))
        people = members(names, months, **given)
        found = made_features(rows(ClaimVersions, *lines), people, list(months)).collect()
        if len(months) == 1:
            return {row.member_id: row for row in found}
        return {(row.member_id, row.claim_month): row for row in found}

    return build


@pytest.fixture(scope="session")
def random_claims(spark):
    """A population of 300 members and 30 months, the same in every run."""
    from claims_assets_tests.features.random_claims import random_claims

    return random_claims(spark, seed=20240601)
