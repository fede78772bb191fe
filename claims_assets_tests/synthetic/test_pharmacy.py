"""Pharmacy claims read back: counts of the summary, broken lines, voids."""

from decimal import Decimal

from claims_assets.sources.feeds import FEEDS
from claims_assets.synthetic.products import DRUGS
from claims_assets.synthetic.rates import AMOUNT_JUNK, DATE_JUNK

CONTRACT = [*FEEDS["pharmacy_claims"].columns]


def test_files_have_the_columns_of_the_contract_but_for_one_unknown(landing):
    headers = {path: header for path, header, _ in landing.csv("pharmacy_claims")}
    extra = [path for path, header in headers.items() if header == [*CONTRACT, "plan_code"]]
    assert all(header in (CONTRACT, [*CONTRACT, "plan_code"]) for header in headers.values())
    assert len(extra) == landing.summary.dirt["rx_extra_column"] > 0


def test_rows_and_broken_lines_reconcile(landing):
    sizes = [len(fields) - len(header) for _, header, fields in landing.csv("pharmacy_claims")]
    assert sum(s == 0 for s in sizes) == landing.summary.rows["pharmacy_claims"]
    assert sum(s < 0 for s in sizes) == landing.summary.dirt["rx_short_line"] > 0
    assert sum(s > 0 for s in sizes) == landing.summary.dirt["rx_long_line"] > 0


def test_errors_in_fills_reconcile(landing):
    rows = landing.rows("pharmacy_claims")
    found = {
        "rx_unknown_member": sum(r["member_id"] >= "M9" for r in rows),
        "rx_unreadable_date": sum(r["fill_date"] in DATE_JUNK for r in rows),
        "rx_unreadable_amount": sum(r["paid_amount"] in AMOUNT_JUNK for r in rows),
        "dashed_ndc": sum("-" in r["ndc_code"] for r in rows),
        "rx_void": sum(r["adjustment_indicator"] == "1" for r in rows),
        "rx_denied": sum(r["claim_status"] == "DENIED" for r in rows),
    }
    assert {kind: landing.summary.dirt[kind] for kind in found} == found
    assert all(count > 0 for count in found.values())


def test_a_void_mirrors_its_fill(landing):
    rows = landing.rows("pharmacy_claims")
    fills = {r["claim_id"]: r for r in rows}
    assert len(fills) == len(rows)
    for void in (r for r in rows if r["adjustment_indicator"] == "1"):
        fill = fills[void["original_claim_id"]]
        assert Decimal(void["paid_amount"]) == -Decimal(fill["paid_amount"])
        assert (void["member_id"], void["fill_date"]) == (fill["member_id"], fill["fill_date"])
        assert void["file"] >= fill["file"]


def test_ndcs_are_eleven_digits_with_leading_zeros(landing):
    codes = {r["ndc_code"].replace("-", "") for r in landing.rows("pharmacy_claims")}
    assert all(len(c) == 11 and c.isdigit() for c in codes)
    assert any(c.startswith("0") for c in codes)
    assert len({d.ndc for d in DRUGS}) == len(DRUGS)


def test_controlled_and_generic_drugs_occur(landing):
    rows = landing.rows("pharmacy_claims")
    classes = " ".join({r["therapeutic_class"] for r in rows})
    assert all(word in classes for word in ("OPIOID", "BENZODIAZEPINE", "STIMULANT", "VACCINE"))
    assert {r["generic_indicator"] for r in rows} == {"G", "B"}


def test_without_dirt_all_fills_are_plain(clean):
    rows = clean.rows("pharmacy_claims")
    assert len(rows) == sum(1 for _ in clean.csv("pharmacy_claims"))
    assert {(r["adjustment_indicator"], r["claim_status"]) for r in rows} == {("0", "PAID")}
    assert {r["member_id"] for r in rows} <= {r["member_id"] for r in clean.rows("member_eligibility")}
    assert all(Decimal(r["paid_amount"]) + Decimal(r["member_copay"]) == Decimal(r["allowed_amount"]) for r in rows)
