"""Eligibility files read back: spans, changes, late ends, and claims only while covered."""

from collections import defaultdict
from itertools import pairwise

from claims_assets.sources.feeds import FEEDS
from claims_assets.synthetic.arrays import month_number

CONTRACT = [*FEEDS["member_eligibility"].columns]


def latest_spans(rows):
    """Member -> spans (start, end) as the last file that names them tells."""
    spans = {(r["member_id"], r["effective_date"]): r["term_date"] or "9999-12-31" for r in rows}
    by_member = defaultdict(list)
    for (member, start), end in spans.items():
        by_member[member].append((start, end))
    return {member: sorted(found) for member, found in by_member.items()}


def test_files_have_the_columns_of_the_contract(landing):
    assert all(header == CONTRACT for _, header, _ in landing.csv("member_eligibility"))


def test_the_first_file_is_full_and_later_ones_hold_changes_only(landing):
    names = [p.stem for p in landing.files("member_eligibility")]
    assert names[0] == "eligibility_2023-01_full"
    assert not any("full" in name for name in names[1:])
    sizes = defaultdict(int)
    for row in landing.rows("member_eligibility"):
        sizes[row["file"]] += 1
    assert max(n for month, n in sizes.items() if month > "2023-01") < 0.2 * sizes["2023-01"]


def test_records_and_broken_lines_reconcile(landing):
    rows = landing.rows("member_eligibility")
    broken = sum(len(fields) != len(header) for _, header, fields in landing.csv("member_eligibility"))
    assert len(rows) == landing.summary.rows["member_eligibility"]
    assert broken == landing.summary.dirt["eligibility_short_line"] > 0
    assert sum(r["birth_date"] == "00000000" for r in rows) == landing.summary.dirt["eligibility_unreadable_birth"] > 0
    assert sum(r["term_date"] == "9999-12-31" for r in rows) == landing.summary.dirt["eligibility_open_as_9999"] > 0


def test_late_ends_reconcile(landing):
    def months_late(row):
        return month_number(row["file"]) - month_number(row["term_date"][:7])

    ends = [r for r in landing.rows("member_eligibility") if r["term_date"] not in ("", "9999-12-31")]
    assert sum(months_late(r) >= 3 for r in ends) == landing.summary.dirt["retro_term"] > 0


def test_spans_of_a_member_do_not_overlap(landing):
    for spans in latest_spans(landing.rows("member_eligibility")).values():
        assert all(start <= end for start, end in spans)
        assert all(before[1] < after[0] for before, after in pairwise(spans))


def test_some_members_have_gaps_move_or_change_aid(landing):
    rows = landing.rows("member_eligibility")
    zips, aids = defaultdict(set), defaultdict(set)
    for r in rows:
        zips[r["member_id"]].add(r["zip_code"])
        aids[r["member_id"]].add(r["aid_category"])
    assert sum(len(z) > 1 for z in zips.values()) > 50
    assert sum(len(a) > 1 for a in aids.values()) > 5
    assert landing.summary.facts["gaps"] > 50


def test_labels_are_as_varied_as_in_real_feeds(landing):
    rows = landing.rows("member_eligibility")
    assert {"White", "WHITE", "Black or African American", "HISPANIC"} <= {r["race"] for r in rows}
    assert {"Not Hispanic or Latino", "NOT HISPANIC", "Hispanic", ""} <= {r["ethnicity"] for r in rows}
    assert {"F", "M", "Female", "MALE"} <= {r["gender"] for r in rows}
    assert {len(r["zip_code"]) for r in rows} == {5, 10}
    assert len({r["county"] for r in rows}) == 8
    assert {r["smoker"] for r in rows} == {"", "Y", "N"}
    assert 0.3 < sum(r["bmi"] != "" for r in rows) / len(rows) < 0.6


def test_the_death_date_comes_with_the_end_of_coverage(landing):
    dead = [r for r in landing.rows("member_eligibility") if r["death_date"]]
    assert dead
    assert all(r["term_date"] == r["death_date"] for r in dead)


def test_without_dirt_every_claim_falls_into_coverage(clean):
    spans = latest_spans(clean.rows("member_eligibility"))
    # A payer learns of new members up to two months late, so the newest may be missing.
    days = [(r["member_id"], r["service_from_date"]) for r in clean.medical]
    days += [(r["member_id"], r["fill_date"]) for r in clean.rows("pharmacy_claims")]
    inside = [any(a <= day <= b for a, b in spans.get(member, [])) for member, day in days]
    assert sum(inside) / len(inside) > 0.995
