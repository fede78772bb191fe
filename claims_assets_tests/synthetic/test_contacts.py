"""Contacts are plainly invented and cover most members."""

import re

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
