"""Visits and nights as they were known: once each, however many bills tell of them."""

from itertools import product

from claims_assets.features.pmpm import _lines
from claims_assets.features.visits_and_nights import may_tell, visit_movements
from claims_assets.partitions import month_of_index
from claims_assets.silver.claim_versions import ClaimVersions
from claims_assets.silver.service_categories import EMERGENCY, INPATIENT, service_category
from claims_assets_tests.features.conftest import line


def moves(rows, *lines, window=25):
    """(column, month of service, month of movement) -> change, without those after the window."""
    found = {}
    for row in visit_movements(_lines(rows(ClaimVersions, *lines)), window).collect():
        for name in ("ed_visits", "inpatient_days"):
            if row[name] and row.moved - row.incurred < window - 1:
                key = (name, month_of_index(row.incurred), month_of_index(row.moved))
                found[key] = found.get(key, 0) + row[name]
    return {k: n for k, n in found.items() if n}


def stay(member, admit, discharge, **given):
    return line(
        member, admit, claim_type="IP", admit_date=admit, discharge_date=discharge, bill_type_code="0111", **given
    )


def test_facility_and_physician_of_one_day_are_one_visit(rows):
    lines = [
        line("a", "2024-03-05", claim_type="ER"),
        line("a", "2024-03-05", claim_type="PROF", procedure_code_1="99284", known_from="2024-05"),
        line("a", "2024-03-06", claim_type="ER"),
        line("b", "2024-03-05", claim_type="ER", known_from="2024-04"),
        line("b", "2024-03-09", claim_type="OP"),
    ]
    assert moves(rows, *lines) == {("ed_visits", "2024-03", "2024-03"): 2, ("ed_visits", "2024-03", "2024-04"): 1}


def test_a_visit_lasts_as_long_as_any_bill_of_it_stands(rows):
    lines = [
        line("a", "2024-03-05", claim_type="ER", cancelled_on="2024-06"),
        line("a", "2024-03-05", claim_type="ER", known_from="2024-05", cancelled_on="2024-08"),
    ]
    assert moves(rows, *lines) == {("ed_visits", "2024-03", "2024-03"): 1, ("ed_visits", "2024-03", "2024-08"): -1}


def test_nights_lie_in_the_month_in_which_they_fall(rows):
    lines = [stay("a", "2024-03-30", "2024-04-03", known_from="2024-04")]
    assert moves(rows, *lines) == {
        ("inpatient_days", "2024-03", "2024-04"): 2,
        ("inpatient_days", "2024-04", "2024-04"): 2,
    }


def test_transfers_repeats_and_interim_bills_tell_of_a_night_once(rows):
    lines = [
        stay("a", "2024-03-01", "2024-03-05"),
        stay("a", "2024-03-05", "2024-03-09"),  # transfer
        stay("a", "2024-03-02", "2024-03-04"),  # inside
        line("a", "2024-03-20", claim_type="IP", bill_type_code="0112", service_to_date="2024-03-25"),
        line("a", "2024-03-26", claim_type="IP", bill_type_code="0114", admit_date="2024-03-20",
             discharge_date="2024-03-28"),
    ]  # fmt: skip
    assert moves(rows, *lines) == {("inpatient_days", "2024-03", "2024-03"): 8 + 8}


def test_a_stay_of_one_day_or_without_known_end_has_no_nights(rows):
    lines = [
        stay("a", "2024-03-01", "2024-03-01"),
        stay("a", "2024-03-05", None),
        stay("a", "2024-03-08", "2024-03-02"),
        stay("a", "2024-03-08", "2029-03-12"),  # a typing error, not five years
    ]
    assert moves(rows, *lines) == {}


def test_a_bill_counts_only_in_the_window_in_which_its_month_is_read(rows):
    lines = [stay("a", "2024-03-30", "2024-05-02", known_from="2024-05")]
    assert moves(rows, *lines, window=4) == {
        ("inpatient_days", "2024-03", "2024-05"): 2,
        ("inpatient_days", "2024-04", "2024-05"): 30,
        ("inpatient_days", "2024-05", "2024-05"): 1,
        ("inpatient_days", "2024-05", "2024-07"): -1,
    }


def test_whatever_tells_of_a_visit_or_a_night_may_tell(rows):
    codes = {
        "claim_type": [None, "IP", "OP", "ER", "PROF", "RX", "XX"],
        "bill_type_code": [None, "0111", "111", "0131", "0411"],
        "revenue_code": [None, "0450", "0981", "0300"],
        "place_of_service": [None, "23", "11"],
    }
    lines = [
        line(f"m{n}", "2024-06-01", **dict(zip(codes, x, strict=True))) for n, x in enumerate(product(*codes.values()))
    ]
    telling = _lines(rows(ClaimVersions, *lines)).where(service_category().isin(EMERGENCY, INPATIENT))
    assert telling.count() > 50 and telling.where(~may_tell()).count() == 0
