"""Medical claims read back: every count of the summary, the chains of adjustments, and the shape of a claim."""

import re
from collections import Counter, defaultdict
from decimal import Decimal

from claims_assets.sources.feeds import FEEDS
from claims_assets.synthetic.care import CLAIMS
from claims_assets.synthetic.codes import CLAIM_TYPES, DIAGNOSES, STATUSES
from claims_assets.synthetic.rates import AMOUNT_JUNK, DATE_JUNK, DIAGNOSIS_JUNK, RATES

CONTRACT = {*FEEDS["medical_claims"].columns}
AMOUNTS = ("billed_amount", "allowed_amount", "paid_amount", "member_liability")


def first_sends(rows):
    """The rows without later re-sends of the same line."""
    seen, kept = set(), []
    for row in rows:
        key = (row["claim_id"], row["claim_line_number"], row["adjustment_indicator"])
        if key not in seen:
            seen.add(key)
            kept.append(row)
    return kept


def claims_of(rows):
    """Rows by (claim id, indicator)."""
    claims = defaultdict(list)
    for row in rows:
        claims[row["claim_id"], row["adjustment_indicator"]].append(row)
    return claims


def test_files_have_the_columns_of_the_contract(landing):
    assert all(row.keys() - {"file"} == CONTRACT for row in landing.medical)


def test_every_contract_column_is_filled_somewhere(landing):
    rows = landing.medical
    # No member has more than nine conditions, so the last slots stay empty.
    empty = {c for c in CONTRACT if all(row[c] is None for row in rows)}
    assert empty <= {f"diagnosis_code_{k}" for k in range(7, 13)}


def test_the_summary_counts_the_lines(landing):
    assert landing.summary.rows["medical_claims"] == len(landing.medical)


def test_a_files_name_is_the_month_of_payment(landing):
    for row in first_sends(landing.medical):
        on_time = "batch" not in row["file"]
        if on_time and row["paid_date"]:
            assert row["paid_date"][:7] == row["file"]


def test_statuses_reconcile(landing):
    originals = [c[0] for (_, indicator), c in claims_of(first_sends(landing.medical)).items() if indicator == "0"]
    found = Counter(claim["claim_status"] for claim in originals)
    assert found["DENIED"] == landing.summary.dirt["denied"]
    assert found["PENDING"] == landing.summary.dirt["pending"]
    assert set(found) == {"PAID", "DENIED", "PENDING"}
    facts = landing.summary.facts
    assert len(originals) == facts["original_claims"] + facts["added_claims"]


def test_denied_claims_are_paid_nothing_and_pending_ones_have_no_amount_yet(landing):
    for row in landing.medical:
        if row["claim_status"] == "DENIED":
            assert row["paid_amount"] == row["allowed_amount"] == "0.00" < row["billed_amount"]
        if row["claim_status"] == "PENDING":
            assert row["paid_amount"] is row["paid_date"] is None


def test_capitated_encounters_reconcile(landing):
    claims = claims_of(first_sends(landing.medical))
    free = [
        c
        for (_, i), c in claims.items()
        if i == "0" and {(r["claim_status"], r["allowed_amount"]) for r in c} == {("PAID", "0.00")}
    ]
    assert len(free) == landing.summary.dirt["capitated"]


def test_every_adjustment_names_an_existing_claim_of_the_same_member(landing):
    claims = claims_of(landing.medical)
    standing = {claim: rows for (claim, indicator), rows in claims.items() if indicator != "1"}
    named = 0
    for (_, indicator), rows in claims.items():
        original = rows[0]["original_claim_id"]
        assert (original is not None) == (indicator in ("1", "4"))
        if original:
            named += 1
            assert standing[original][0]["member_id"] == rows[0]["member_id"]
    assert named > 100


def test_voids_and_replacements_reconcile(landing):
    claims = claims_of(first_sends(landing.medical))
    indicator_of = {claim: indicator for claim, indicator in claims if indicator != "1"}
    found: Counter[str] = Counter()
    for (claim, indicator), rows in claims.items():
        original = rows[0]["original_claim_id"]
        if indicator == "1" and original == claim:
            found["same_id_void"] += 1
        elif indicator == "1":
            found["void_of_replacement" if indicator_of[original] == "4" else "void"] += 1
    replacements = {c: rows[0]["original_claim_id"] for (c, i), rows in claims.items() if i == "4"}
    second = {c for c, o in replacements.items() if o in replacements}
    named_first = Counter(o for o in replacements.values() if o not in replacements)
    found["second_replacement"] = len(second) + sum(n - 1 for n in named_first.values())
    found["replacement"] = len(replacements) - found["second_replacement"]
    assert {kind: landing.summary.dirt[kind] for kind in found} == found


def test_a_void_mirrors_what_it_cancels(landing):
    claims = claims_of(first_sends(landing.medical))
    moved = 0
    for (_, indicator), rows in claims.items():
        if indicator == "1":
            original = next(c for c in (claims.get((rows[0]["original_claim_id"], i)) for i in "04") if c)
            assert {r["claim_status"] for r in rows} == {"REVERSED"}
            for name in AMOUNTS:
                assert sum(Decimal(r[name]) for r in rows) == -sum(Decimal(r[name]) for r in original)
            moved += rows[0]["service_from_date"][:7] != original[0]["service_from_date"][:7]
    assert moved == landing.summary.dirt["moved_void"] > 0


def test_a_replacement_changes_the_amounts_and_arrives_later(landing):
    claims = claims_of(first_sends(landing.medical))
    changed = 0
    for (_, indicator), rows in claims.items():
        if indicator == "4":
            original = claims.get((rows[0]["original_claim_id"], "0")) or claims[rows[0]["original_claim_id"], "4"]
            assert len(rows) == len(original)
            assert rows[0]["file"][:7] > original[0]["file"][:7]
            changed += sum(Decimal(r["paid_amount"]) for r in rows) != sum(Decimal(r["paid_amount"]) for r in original)
    assert changed > 50


def test_duplicates_are_exact_and_later(landing):
    by_file = defaultdict(dict)
    for row in landing.medical:
        key = (row["claim_id"], row["adjustment_indicator"])
        by_file[key].setdefault(row["file"], []).append({**row, "file": None})
    again = {key: files for key, files in by_file.items() if len(files) > 1}
    assert len(again) == landing.summary.dirt["duplicate"] > 0
    for files in again.values():
        first, second = files.values()
        assert first == second
        assert len({month[:7] for month in files}) == 2


def test_a_late_month_arrives_in_a_file_of_its_own(landing):
    late = [p.stem for p in landing.files("medical_claims") if "batch_of" in p.stem]
    assert len(late) == landing.summary.dirt["late_file"] > 0
    for name in late:
        received, month = re.fullmatch(r"claims_(\d{4}-\d{2})_batch_of_(\d{4}-\d{2})", name).groups()
        assert received > month


def test_errors_in_lines_reconcile(landing):
    rows = landing.medical
    known = {r["member_id"] for r in landing.rows("member_eligibility")}
    found = {
        "missing_member": sum(r["member_id"] is None for r in rows),
        "unknown_member": sum(r["member_id"] is not None and r["member_id"] >= "M9" for r in rows),
        "unreadable_date": sum(r["service_from_date"] in DATE_JUNK for r in rows),
        "future_date": sum(r["service_to_date"] > "2050" for r in rows),
        "unreadable_amount": sum(r["paid_amount"] in AMOUNT_JUNK for r in rows),
        "unknown_claim_type": sum(r["claim_type"] == "??" for r in rows),
        "odd_diagnosis": sum(r["diagnosis_code_1"] in DIAGNOSIS_JUNK for r in rows),
    }
    assert {kind: landing.summary.dirt[kind] for kind in found} == found
    assert all(count > 0 for count in found.values())
    assert not known & {r["member_id"] for r in rows if r["member_id"] and r["member_id"] >= "M9"}


def test_writing_styles_of_diagnoses_reconcile(landing):
    claims = claims_of(first_sends(landing.medical))
    codes = [
        {r[f"diagnosis_code_{k}"] for r in c for k in range(1, 13)} - {None, *DIAGNOSIS_JUNK} for c in claims.values()
    ]
    padded = sum(any(c.endswith("  ") for c in found) for found in codes)
    lower = sum(any(c != c.upper() for c in found) for found in codes)
    assert padded == landing.summary.dirt["padded_diagnosis"]
    assert lower == landing.summary.dirt["lower_case_diagnosis"]
    plain = {c.replace(".", "") for c in DIAGNOSES}
    assert {c.strip().upper().replace(".", "") for found in codes for c in found} <= plain
    assert any("." in c for found in codes for c in found) and any(c in plain and len(c) > 3 for f in codes for c in f)


def test_claims_outside_enrolment_reconcile(landing):
    spans = defaultdict(list)
    for r in landing.rows("member_eligibility"):
        spans[r["member_id"], r["effective_date"]] = [r["effective_date"], r["term_date"] or "9999-12-31"]
    covered = defaultdict(list)
    for (member, _), span in spans.items():
        covered[member].append(span)
    outside = 0
    for (_, indicator), rows in claims_of(first_sends(landing.medical)).items():
        row = next((r for r in rows if r["member_id"] in covered and "2022" < r["service_from_date"] < "2025"), None)
        if indicator == "0" and row:
            outside += not any(a <= row["service_from_date"] <= b for a, b in covered[row["member_id"]])
    assert abs(outside - landing.summary.dirt["outside_enrolment"]) <= 0.1 * landing.summary.dirt["outside_enrolment"]


def test_stays_are_claims_of_hospitals_with_ordered_days(landing):
    stays = [r for r in landing.medical if r["claim_type"] == "IP" and r["service_from_date"] not in DATE_JUNK]
    assert stays
    for r in stays:
        assert r["drg_code"] and r["revenue_code"] and r["bill_type_code"] in ("0111", "0112", "0114")
        assert r["admit_date"] <= r["service_to_date"] or r["service_to_date"] > "2050"


def test_lines_are_numbered_from_one(landing):
    for rows in claims_of(first_sends(landing.medical)).values():
        assert sorted(int(r["claim_line_number"]) for r in rows) == list(range(1, len(rows) + 1))


def test_without_dirt_all_claims_are_plain(clean):
    rows = clean.medical
    known = {r["member_id"] for r in clean.rows("member_eligibility")}
    assert {r["adjustment_indicator"] for r in rows} == {"0"}
    assert {r["claim_status"] for r in rows} == {"PAID"}
    assert {r["claim_type"] for r in rows} <= set(CLAIM_TYPES)
    assert {r["member_id"] for r in rows} <= known
    assert {r[f"diagnosis_code_{k}"] for r in rows for k in range(1, 13)} <= {*DIAGNOSES, None}
    assert all(Decimal(r["paid_amount"]) + Decimal(r["member_liability"]) == Decimal(r["allowed_amount"]) for r in rows)
    assert len(first_sends(rows)) == len(rows)
    assert set(clean.summary.dirt.values()) == {0}


def test_shares_are_near_their_stated_rates(landing):
    dirt, facts = landing.summary.dirt, landing.summary.facts
    for kind in ("denied", "pending", "capitated", "outside_enrolment"):
        assert abs(dirt[kind] / facts["original_claims"] - RATES[kind].share) < 0.001
    # Adjustments that would arrive after the last month are not written.
    for kind in ("void", "same_id_void", "replacement"):
        assert 0.6 < dirt[kind] / facts["original_claims"] / RATES[kind].share <= 1.01
    assert abs(dirt["duplicate"] / facts["original_claims"] / RATES["duplicate"].share - 1) < 0.1


def test_declarations_name_known_codes():
    assert {claim.type for claim in CLAIMS.values()} == set(CLAIM_TYPES)
    assert len(set(STATUSES)) == 4
