"""The call lists: the contacts of a tier, whole households, and no more of a member than a contact needs."""

import pyarrow.parquet as pq
import pytest

from claims_assets.outreach.immunization_tier_outreach import COLUMNS, NAMES
from claims_assets.outreach.published_counts import TIER_NAMES
from claims_assets_tests.outreach.made_targeting import MONTH, member

FIRST, SECOND, *_ = TIER_NAMES


def test_each_listed_member_is_in_one_list_in_the_order_of_the_list(extracted):
    rows = [
        member(1, outreach_rank=2, outreach_tier=FIRST),
        member(2, outreach_rank=1, outreach_tier=FIRST),
        member(3),
        member(4, disposition="excluded", outreach_tier=FIRST),
        member(5, claim_month="2025-02", outreach_tier=FIRST),
    ]
    _, first = extracted(NAMES[0], rows)
    assert [r["member_id"] for r in first] == ["M000002", "M000001"]
    lists = [extracted(name)[1] for name in NAMES]
    assert [len(rows) for rows in lists] == [2, 1, 0, 0]


def test_a_household_whom_one_contact_serves_stays_together(extracted):
    rows = [
        member(1, outreach_tier=FIRST, household_id="H", contact_member_id="M000001"),
        member(2, contact_tier=FIRST, household_id="H", contact_member_id="M000001", age=7),
    ]
    _, first = extracted(NAMES[0], rows)
    assert [(r["member_id"], r["contact_member_id"], r["outreach_tier"]) for r in first] == [
        ("M000001", "M000001", FIRST),
        ("M000002", "M000001", SECOND),
    ]


@pytest.mark.requirement("R15")
def test_a_caller_gets_what_a_contact_needs_and_no_more(extracted, folder):
    extracted(NAMES[1], [member(1)])
    names = pq.read_schema(folder.of_month(NAMES[1], MONTH) / f"{NAMES[1]}.parquet").names
    assert tuple(names) == COLUMNS
    unneeded = ("race", "ethnicity", "gender", "county", "zip", "score", "cost", "condition", "risk", "complete")
    assert not [n for n in names if n == "reason" or any(word in n for word in unneeded)]


@pytest.mark.requirement("R15")
def test_what_to_say_names_vaccines_and_nothing_of_the_member(extracted):
    rows = [
        member(
            1,
            vaccines_overdue=["zoster"],
            vaccines_due=["influenza", "zoster"],
            vaccines_no_evidence=["rsv", "td_tdap"],
            reason="Due: rsv (rule rsv_60_risk). Score 89.60 (risk tier High, 3 or more conditions).",
        ),
        member(2),
    ]
    _, listed = extracted(NAMES[1], rows)
    assert [r["offer"] for r in listed] == [
        "Overdue: zoster. Due: influenza. Ask whether given elsewhere: rsv, td_tdap.",
        "Due: influenza.",
    ]
    assert not [r for r in listed if "rsv_60_risk" in str(r) or "89.60" in str(r)]
