"""Members of claims whom no eligibility record knows."""

from claims_assets.bronze.member_eligibility import MemberEligibility
from claims_assets.silver.claim_versions import ClaimVersions
from claims_assets.silver.unknown_members import unknown_members


def test_a_member_is_unknown_in_each_month_of_claims_unless_some_record_names_them(rows):
    lines = [
        ("known", "2024-01"),
        ("nobody", "2024-01"),
        ("nobody", "2024-01"),
        ("nobody", "2024-03"),
        ("back", "2024-03"),
    ]
    claims = rows(
        ClaimVersions,
        *[
            {"member_id": member, "claim_month": month, "claim_id": f"C{i}", "claim_line_number": 1}
            for i, (member, month) in enumerate(lines)
        ],
    )
    records = rows(
        MemberEligibility,
        {"member_id": " known ", "effective_date": "2020-01-01"},
        {"member_id": "back", "effective_date": "2024-05-01", "term_date": "2024-04-30"},
    )
    found = unknown_members(claims, records).collect()
    assert sorted((r.member_id, r.claim_month) for r in found) == [("nobody", "2024-01"), ("nobody", "2024-03")]
