"""Emergency visits and inpatient stays made of claim lines."""

from collections import Counter
from hashlib import sha256
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from claims_assets.silver.encounters import Encounters, encounters
from claims_assets.silver.medical_claims import MedicalClaims

MAY, JUNE, JULY = "2024-05", "2024-06", "2024-07"
LINE = {
    "claim_line_number": 1,
    "member_id": "M1",
    "adjustment_indicator": "0",
    "known_from": "2024-05",
    "source_file": "medical.csv",
    "source_line": 2,
    "provider_id": "H1",
    "paid_amount": "100",
    "emergency_flag": False,
    "inpatient_flag": False,
    "high_cost_flag": False,
    "is_encounter_record": False,
    "claim_year": 2024,
    "claim_quarter": 2,
}
NUMBERS = count(1)


def line(day, **given):
    """A paid line with a claim id of its own, served on the day (`MM-DD` of 2024)."""
    day = f"2024-{day}"
    dates = {"service_from_date": day, "service_to_date": day, "claim_date": day, "claim_month": day[:7]}
    claim = f"C{next(NUMBERS)}"
    return LINE | dates | {"claim_id": claim, "root_claim_id": claim} | given


def visit(day, **given):
    """A facility line of an emergency visit."""
    return line(day, **{"claim_type": "ER", "emergency_flag": True, "bill_type_code": "0131"} | given)


def physician(day, **given):
    """A professional line of an emergency visit."""
    return visit(day, **{"claim_type": "PROF", "bill_type_code": None, "provider_id": "D1"} | given)


def stay(admit, discharge, first=None, last=None, **given):
    """An inpatient line from admission to discharge, or of the days `first` to `last` of a stay that goes on."""
    dates = {"admit_date": f"2024-{admit}", "service_to_date": f"2024-{last or discharge}"}
    if discharge:
        dates["discharge_date"] = f"2024-{discharge}"
    facts = {"claim_type": "IP", "inpatient_flag": True, "bill_type_code": "0111"}
    return line(first or admit, **dates | facts | given)


@pytest.fixture
def encounters_of(rows):
    """Rows of encounters of the asked months, from lines of any months."""
    order = ("claim_month", "encounter_type", "start_date", "encounter_id")
    return lambda *given, months=(MAY,): encounters(rows(MedicalClaims, *given), list(months)).orderBy(*order).collect()


@pytest.mark.requirement("R9")
def test_facility_and_professional_lines_of_a_day_are_one_visit_R9(encounters_of):
    (found,) = encounters_of(
        visit("05-10", claim_id="F"), visit("05-10", claim_id="F", claim_line_number=2), physician("05-10")
    )
    assert (found.encounter_type, found.facility_id, str(found.start_date)) == ("ED", "H1", "2024-05-10")
    assert (found.claim_count, found.line_count, found.paid_amount) == (2, 3, 300)
    assert (found.end_date, found.length_of_stay, found.is_admitted) == (found.start_date, None, False)


def test_two_facilities_members_or_days_are_two_visits(encounters_of):
    assert len(encounters_of(visit("05-10"), visit("05-10", provider_id="H2"))) == 2
    assert len(encounters_of(visit("05-10"), visit("05-10", member_id="M2"))) == 2
    assert len(encounters_of(visit("05-10"), visit("05-11"))) == 2


def test_professional_lines_go_to_the_first_facility_of_the_day(encounters_of):
    found = encounters_of(visit("05-10", provider_id="H2"), visit("05-10"), physician("05-10"), physician("05-10"))
    assert {r.facility_id: r.line_count for r in found} == {"H1": 3, "H2": 1}


def test_professional_lines_alone_are_a_visit_without_facility(encounters_of):
    (found,) = encounters_of(physician("05-10"), physician("05-10", provider_id="D2"))
    assert (found.facility_id, found.claim_count) == (None, 2)


def test_a_line_with_neither_type_nor_bill_nor_revenue_code_is_professional(encounters_of):
    unknown = {"claim_type": None, "bill_type_code": None, "provider_id": "X9"}
    assert [r.facility_id for r in encounters_of(visit("05-10"), visit("05-10", **unknown))] == ["H1"]
    (billed,) = encounters_of(visit("05-10", **unknown, revenue_code="0450"))
    assert billed.facility_id == "X9"


def test_a_facility_line_without_provider_makes_no_second_visit(encounters_of):
    (found,) = encounters_of(visit("05-10"), visit("05-10", provider_id=None))
    assert (found.facility_id, found.line_count) == ("H1", 2)


def test_denied_and_pending_lines_tell_of_no_encounter(encounters_of):
    assert encounters_of(visit("05-10", claim_status="DENIED"), stay("05-10", "05-12", claim_status="PENDING")) == []
    assert len(encounters_of(visit("05-10", claim_status="PAID"), stay("05-20", "05-22"))) == 2


def test_other_lines_tell_of_no_encounter(encounters_of):
    assert encounters_of(line("05-10", claim_type="OP"), line("05-10", claim_type="PROF")) == []


@pytest.mark.parametrize(("discharge", "nights"), [("05-10", 0), ("05-11", 1), ("05-13", 3), ("06-02", 23)])
def test_a_stay_lasts_from_admission_to_discharge(encounters_of, discharge, nights):
    (found,) = encounters_of(stay("05-10", discharge))
    assert (found.length_of_stay, str(found.end_date)) == (nights, f"2024-{discharge}")
    assert found.is_admitted and not found.ed_led_to_admission


@pytest.mark.parametrize(("admit", "stays"), [("05-12", 1), ("05-13", 1), ("05-14", 1), ("05-15", 2)])
def test_an_admission_until_the_day_after_the_discharge_goes_on_with_the_stay(encounters_of, admit, stays):
    found = encounters_of(stay("05-10", "05-13"), stay(admit, "05-20", provider_id="H2"))
    assert len(found) == stays
    assert found[0].facility_id == "H1"
    if stays == 1:
        assert (found[0].length_of_stay, found[0].claim_count, found[0].line_count) == (10, 2, 2)


def test_a_short_bill_within_a_long_one_does_not_end_the_stay(encounters_of):
    (found,) = encounters_of(stay("05-01", "05-20"), stay("05-03", "05-05"), stay("05-19", "05-25"))
    assert (found.length_of_stay, found.claim_count) == (24, 3)


def test_stays_of_two_members_are_two(encounters_of):
    assert len(encounters_of(stay("05-10", "05-13"), stay("05-10", "05-13", member_id="M2"))) == 2


def test_interim_bills_are_one_stay(encounters_of):
    (found,) = encounters_of(
        stay("05-02", None, last="05-10", bill_type_code="0112"),
        stay("05-02", None, first="05-11", last="05-20", bill_type_code="0113"),
        stay("05-02", "05-29", first="05-21", bill_type_code="0114"),
    )
    assert (found.length_of_stay, found.claim_count, found.continues_encounter_id) == (27, 3, None)


def test_interim_bills_without_admission_are_joined_by_their_days(encounters_of):
    (found,) = encounters_of(
        stay("05-02", None, last="05-10", bill_type_code="0112", admit_date=None),
        stay("05-11", "05-20", bill_type_code="0114", admit_date=None),
    )
    assert (found.length_of_stay, str(found.start_date)) == (18, "2024-05-02")


def test_nights_billed_so_far_count_while_the_stay_goes_on(encounters_of):
    (found,) = encounters_of(stay("05-02", None, last="05-10", bill_type_code="0112"))
    assert (found.length_of_stay, str(found.end_date)) == (9, "2024-05-10")


def test_without_discharge_the_length_is_unknown(encounters_of):
    (missing,) = encounters_of(stay("05-02", None, last="05-10"))
    (reversed_,) = encounters_of(stay("05-08", "05-02", last="05-10"))
    assert (missing.length_of_stay, str(missing.end_date)) == (None, "2024-05-10")
    (last,) = encounters_of(stay("05-02", None, last="05-10", bill_type_code="0114"))
    (transferred,) = encounters_of(stay("05-02", "05-05"), stay("05-06", None, last="05-10"))
    assert (reversed_.length_of_stay, str(reversed_.start_date)) == (None, "2024-05-08")
    assert (last.length_of_stay, transferred.length_of_stay) == (None, None)


LONG_STAY = [
    stay("05-17", None, last="05-31", bill_type_code="0112", paid_amount="10", known_from="2024-09"),
    stay("05-17", None, first="06-01", last="06-30", bill_type_code="0113", paid_amount="20"),
    stay("05-17", "07-04", first="07-01", bill_type_code="0114", paid_amount="30", known_from="2024-08"),
]


def test_a_stay_counts_in_its_first_month_and_later_bills_are_parts_of_it(encounters_of):
    found = encounters_of(*LONG_STAY, months=[MAY, JUNE, JULY])
    assert [r.claim_month for r in found] == [MAY, JUNE, JULY]
    assert [r.continues_encounter_id for r in found] == [None, found[0].encounter_id, found[0].encounter_id]
    assert [str(r.start_date)[5:] for r in found] == ["05-17", "06-01", "07-01"]
    assert [r.length_of_stay for r in found] == [15, 30, 3], "they add up to 48: 17 May to 4 July"
    assert [r.paid_amount for r in found] == [10, 20, 30]
    assert [r.known_from for r in found] == ["2024-09", MAY, "2024-08"]


def test_a_month_is_the_same_whichever_months_are_asked_for_and_read(encounters_of):
    lines = [*LONG_STAY, visit("05-16"), visit("05-31"), stay("06-01", "06-03", member_id="M2"), visit("07-04")]
    lines += [visit("05-31", member_id="M2"), stay("07-05", "07-08"), stay("07-04", "07-09", member_id="M2")]
    together = encounters_of(*lines, months=[MAY, JUNE, JULY])
    alone = []
    for month in (MAY, JUNE, JULY):
        alone += encounters_of(*[x for x in lines if x["claim_month"] <= month], months=[month])
    assert alone == together


def test_a_transfer_after_the_end_of_the_month_is_part_of_the_stay(encounters_of):
    found = encounters_of(stay("05-29", "05-31"), stay("06-01", "06-06", provider_id="H2"), months=[MAY, JUNE])
    assert [r.length_of_stay for r in found] == [2, 6], "they add up to 8: 29 May to 6 June"
    assert [r.facility_id for r in found] == ["H1", "H2"]
    assert found[1].continues_encounter_id == found[0].encounter_id


def test_a_last_bill_without_the_ones_before_it_is_the_stay(encounters_of):
    (found,) = encounters_of(LONG_STAY[-1], months=[JULY])
    assert (found.continues_encounter_id, str(found.start_date), found.length_of_stay) == (None, "2024-07-01", 48)


def test_dates_more_than_a_year_off_join_nothing(encounters_of):
    wrong = stay("05-10", "05-12", admit_date="2022-05-10", discharge_date="2202-05-12")
    found = encounters_of(wrong, stay("05-20", "05-22"))
    assert [str(r.start_date) for r in found] == ["2024-05-10", "2024-05-20"]
    assert [r.length_of_stay for r in found] == [None, 2]


def test_an_admission_that_cannot_be_right_is_the_first_day_of_service(encounters_of):
    (too_early,) = encounters_of(stay("05-10", "05-12", admit_date="2022-05-10"))
    (after_discharge,) = encounters_of(stay("05-10", "05-12", admit_date="2024-05-20"))
    (in_a_later_month,) = encounters_of(stay("05-30", "06-04", admit_date="2024-06-01"))
    assert [r.length_of_stay for r in (too_early, after_discharge, in_a_later_month)] == [2, 2, 5]
    assert str(in_a_later_month.start_date) == "2024-05-30"


def test_a_month_without_a_bill_of_the_stay_has_no_row_of_it(encounters_of):
    assert encounters_of(stay("05-10", "05-12"), months=[JUNE]) == []
    assert [r.claim_month for r in encounters_of(LONG_STAY[0], LONG_STAY[2], months=[JUNE, JULY])] == [JULY]


@pytest.mark.parametrize(("begun", "is_seen"), [("2023-05-31", False), ("2023-06-01", True)])
def test_a_month_sees_eleven_months_back_however_many_are_read(encounters_of, begun, is_seen):
    day = {"claim_month": begun[:7], "service_from_date": begun}
    bill = stay("05-01", "05-29", **day, admit_date=begun)
    (found,) = encounters_of(bill, stay("05-30", "05-31"))
    assert (found.continues_encounter_id is not None) == is_seen
    (led,) = encounters_of(visit("05-01", **day), stay("05-29", "05-31", admit_date=begun))
    assert led.ed_led_to_admission == is_seen


@pytest.mark.parametrize(("day", "led"), [("05-08", False), ("05-09", True), ("05-10", True), ("05-11", False)])
def test_a_visit_on_the_day_of_the_admission_or_before_led_to_it(encounters_of, day, led):
    visited, stayed = encounters_of(visit(day), stay("05-10", "05-13"))
    assert (visited.encounter_type, visited.is_admitted, visited.ed_led_to_admission) == ("ED", led, False)
    assert (stayed.encounter_type, stayed.is_admitted, stayed.ed_led_to_admission) == ("INPATIENT", True, led)


def test_a_visit_of_someone_else_leads_to_nothing(encounters_of):
    visited, stayed = encounters_of(visit("05-10", member_id="M2"), stay("05-10", "05-13"))
    assert not visited.is_admitted and not stayed.ed_led_to_admission


def test_the_emergency_line_of_an_inpatient_bill_is_of_the_stay(encounters_of):
    bill = {"claim_id": "S", "revenue_code": "0450", "emergency_flag": True}
    (found,) = encounters_of(stay("05-10", "05-13", claim_id="S"), stay("05-10", "05-13", **bill, claim_line_number=2))
    assert (found.encounter_type, found.ed_led_to_admission, found.line_count) == ("INPATIENT", True, 2)


def test_a_visit_on_the_last_day_of_a_month_is_known_to_the_stay_only(encounters_of):
    visited, stayed = encounters_of(visit("05-31"), stay("06-01", "06-03"), months=[MAY, JUNE])
    assert (visited.is_admitted, stayed.ed_led_to_admission) == (False, True)


def test_the_diagnosis_is_that_of_the_facility_line(encounters_of):
    (found,) = encounters_of(
        physician("05-10", claim_id="A", diagnosis_code_1="R51"),
        visit("05-10", claim_id="B", claim_line_number=1),
        visit("05-10", claim_id="B", claim_line_number=2, diagnosis_code_1="S060"),
        visit("05-10", claim_id="B", claim_line_number=3, diagnosis_code_1="A09"),
    )
    assert found.primary_diagnosis_code == "S060"
    (alone,) = encounters_of(physician("05-10", diagnosis_code_1="R51"))
    assert alone.primary_diagnosis_code == "R51"
    first, last = stay("05-10", "05-13", diagnosis_code_1="J189"), stay("05-13", "05-15", diagnosis_code_1="I509")
    assert [r.primary_diagnosis_code for r in encounters_of(last, first)] == ["J189"]


def test_ids_never_change(encounters_of):
    (found,) = encounters_of(visit("05-10"))
    assert found.encounter_id == sha256(b"M1|ED|2024-05-10|H1").hexdigest()[:32]


LINES = st.builds(
    lambda kind, member, start, nights, given: (
        stay(f"05-{start:02}", f"05-{start + nights:02}", member_id=member, **given)
        if kind == "stay"
        else {"visit": visit, "physician": physician, "line": line}[kind](f"05-{start:02}", member_id=member, **given)
    ),
    kind=st.sampled_from(["stay", "visit", "physician", "line"]),
    member=st.sampled_from(["M1", "M2"]),
    start=st.integers(1, 20),
    nights=st.integers(0, 6),
    given=st.fixed_dictionaries(
        {
            "provider_id": st.sampled_from(["H1", "H2", None]),
            "claim_id": st.sampled_from(["A", "B", "C", "D"]),
            "claim_line_number": st.integers(1, 3),
            "diagnosis_code_1": st.sampled_from(["A09", "I10", None]),
        }
    ),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(LINES, min_size=1, max_size=12), data=st.data())
def test_every_line_is_in_one_encounter_and_the_order_of_rows_never_matters(encounters_of, lines, data):
    found = encounters_of(*lines)
    counted = Counter()
    for r in found:
        counted[r.member_id, r.encounter_type] += r.line_count
    expected = Counter(
        (x["member_id"], "INPATIENT" if x["inpatient_flag"] else "ED")
        for x in lines
        if x["inpatient_flag"] or x["emergency_flag"]
    )
    assert counted == expected
    assert sum(r.paid_amount for r in found) == 100 * sum(expected.values())
    assert len({r.encounter_id for r in found}) == len(found)
    assert encounters_of(*data.draw(st.permutations(lines))) == found


def test_the_table_keeps_its_contract(rows, lake):
    lines = [*LONG_STAY, visit("05-16"), physician("05-20"), visit("05-31", provider_id=None)]
    frame = encounters(rows(MedicalClaims, *lines), [MAY, JUNE, JULY])
    found = lake.write(frame, "silver", "encounters", Encounters, [MAY, JUNE, JULY])
    assert (found.rows_kept, found.blocked, found.failed_by_rule()) == (6, [], {})
