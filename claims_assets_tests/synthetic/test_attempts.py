"""Attempts agree with the last contacts that the contacts feed tells of."""

from collections import defaultdict

from claims_assets.sources.feeds import FEEDS
from claims_assets_tests.synthetic.conftest import END


def test_the_last_attempt_of_a_channel_is_its_last_contact(landing):
    attempts = defaultdict(list)
    for r in landing.rows("outreach_contacts"):
        attempts[r["member_id"], r["channel"]].append((r["contacted_at"], r["outcome"]))
    told = {
        (r["member_id"], r["channel"]): (r["last_contacted_at"], r["last_outcome"])
        for r in landing.parquet("member_contacts")
        if r["last_contacted_at"]
    }
    assert len(told) > 300
    assert {key: (max(a)[0][:10], max(a)[1]) for key, a in attempts.items()} == told
    assert max(len(a) for a in attempts.values()) == 4


def test_attempts_reconcile_and_come_in_the_month_or_the_next(landing):
    rows = landing.rows("outreach_contacts")
    assert len(rows) == landing.summary.rows["outreach_contacts"]
    assert set(rows[0]) - {"file"} == set(FEEDS["outreach_contacts"].columns)
    assert all(r["contacted_at"][:7] <= r["file"] <= END for r in rows)
    assert 0 < sum(r["contacted_at"][:7] < r["file"] for r in rows) < 0.2 * len(rows)
    assert all(8 < int(r["contacted_at"][11:13]) < 18 for r in rows), "office hours"


def test_most_attempts_name_the_list_of_the_month_before(landing):
    named = [r for r in landing.rows("outreach_contacts") if r["list_month"]]
    assert 0.7 < len(named) / landing.summary.rows["outreach_contacts"] < 0.95
    assert all(r["list_month"] < r["contacted_at"][:7] for r in named)
