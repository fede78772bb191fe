"""Contacts are plainly invented and cover most members."""

import re
from datetime import date

from claims_assets.sources.feeds import FEEDS
from claims_assets_tests.synthetic.conftest import END

CHANNEL = {
    "phone": r"617-555-01\d\d", "mail": r"\d+ Sample Street", "email": r"member\d+@example\.org", "portal": "portal",
}  # fmt: skip


def test_contacts_reconcile_and_are_invented(landing):
    rows = landing.parquet("member_contacts")
    assert len(rows) == landing.summary.rows["member_contacts"]
    assert len({(r["member_id"], r["channel"]) for r in rows}) == len(rows)
    assert {r["channel"] for r in rows} == set(CHANNEL)
    assert all(re.fullmatch(CHANNEL[r["channel"]], r["value"]) for r in rows)


def test_a_refusal_has_a_date_and_a_contact_an_outcome(landing):
    rows = landing.parquet("member_contacts")
    assert all((r["opt_out"] == "Y") == (r["opt_out_date"] is not None) for r in rows)
    assert all((r["last_contacted_at"] is None) == (r["last_outcome"] is None) for r in rows)
    assert any(r["opt_out"] == "Y" for r in rows)


def test_the_channels_of_most_minors_are_a_guardians_and_of_adults_their_own(landing):
    born = {r["member_id"]: r["birth_date"] for r in landing.rows("member_eligibility")}
    roles = {"minor": [], "adult": []}
    for r in landing.parquet("member_contacts"):
        if born.get(r["member_id"], "0000") > "1900":
            age = int(END[:4]) - date.fromisoformat(born[r["member_id"]]).year
            if age != 18:  # who turns 18 in the last year may be either
                roles["minor" if age < 18 else "adult"].append(r["contact_role"])
    minors = roles["minor"]
    assert 0.85 < minors.count("guardian") / len(minors) < 1.0
    assert set(roles["adult"]) == {"self", None}


def test_the_columns_are_those_of_the_feed(landing):
    assert tuple(landing.parquet("member_contacts")[0]) == FEEDS["member_contacts"].columns
