"""A member to serve: what the claim tables need to know of enrolment."""

import pytest

from claims_assets.bronze.member_eligibility import MemberEligibility
from claims_assets.silver.member_months import MemberMonths, member_months


@pytest.fixture
def enrolled(rows):
    """Member months and eligibility of M1, enrolled all of May 2024."""
    given = {"member_id": "M1", "effective_date": "2024-05-01", "term_date": "2024-05-31"}
    records = rows(MemberEligibility, given | {"source_file": "e.csv", "source_line": 2})
    months = member_months(records, ["2024-05"])
    return months.select(*MemberMonths.to_schema().columns), records
