"""Every version of every claim line: clean codes, dated cancellations, nothing counted twice."""

import pytest

from claims_assets.bronze.claim_links import ClaimLinks
from claims_assets.bronze.medical_claims import MedicalClaims
from claims_assets.bronze.pharmacy_claims import PharmacyClaims
from claims_assets.contracts import REJECTED
from claims_assets.silver.claim_versions import claim_versions

JANUARY, FEBRUARY = "2024-01", "2024-02"
DAY = "2024-01-15"
LINE = {
    "claim_id": "A",
    "claim_line_number": 1,
    "member_id": "M1",
    "claim_month": JANUARY,
    "claim_date": DAY,
    "service_from_date": DAY,
    "paid_date": "2024-01-20",
    "adjustment_indicator": "0",
    "known_from": JANUARY,
}
FILL = {
    "claim_id": "R",
    "member_id": "M1",
    "claim_month": JANUARY,
    "fill_date": DAY,
    "ndc_code": "00002143380",
    "adjustment_indicator": "0",
    "known_from": JANUARY,
}
LINK = {
    "claim_feed": "medical",
    "adjustment_indicator": "0",
    "root_claim_id": "A",
    "known_from": JANUARY,
    "chain_state": "linked",
}


def placed(given, defaults, source_file):
    return [defaults | {"source_file": source_file, "source_line": i} | g for i, g in enumerate(given, start=2)]


@pytest.fixture
def versions(rows):
    """Frame of claim_versions from literal bronze rows."""

    def build(medical=(), pharmacy=(), links=()):
        return claim_versions(
            rows(MedicalClaims, *placed(medical, LINE, "medical.csv")),
            rows(PharmacyClaims, *placed(pharmacy, FILL, "pharmacy.csv")),
            rows(ClaimLinks, *[LINK | k for k in links]),
        )

    return build


@pytest.fixture
def kept(versions):
    """Rows of claim_versions that are not set aside, in the order of their source lines."""
    return lambda *given, **more: [r for r in outcome(versions(*given, **more)) if not r[REJECTED]]


def outcome(frame):
    return frame.orderBy("claim_feed", "source_line").collect()


def test_codes_take_their_clean_form(kept):
    (line,) = kept(
        [
            {
                "claim_id": " A ",
                "member_id": " M1",
                "diagnosis_code_1": " e11.9 ",
                "diagnosis_code_12": "250.00",
                "diagnosis_code_2": " ",
            }
            | {
                "procedure_code_1": "g0008 ",
                "procedure_modifier_1": "a1",
                "revenue_code": "450",
                "place_of_service": "1",
                "bill_type_code": "11a",
            }
            | {
                "claim_type": "er",
                "claim_status": " paid ",
                "ndc_code": "0002-1433-80",
                "original_claim_id": "",
                "drg_code": " 470",
            }
        ]
    )
    assert (line.claim_id, line.member_id, line.original_claim_id) == ("A", "M1", None)
    assert (line.diagnosis_code_1, line.diagnosis_code_2, line.diagnosis_code_12) == ("E119", None, "25000")
    assert (line.procedure_code_1, line.procedure_modifier_1, line.bill_type_code, line.drg_code) == (
        "G0008",
        "A1",
        "011A",
        "470",
    )
    assert (line.revenue_code, line.place_of_service, line.ndc_code) == ("0450", "01", "00002143380")
    assert (line.claim_type, line.claim_status) == ("ER", "PAID")


def test_drug_codes_become_eleven_digits_where_their_form_tells_them(kept):
    written = ["0002-1433-80", "50242-040-62", "60575-4112-1", "12345-6789-01", " 00002143380 ", "0002143380", "none"]
    fills = kept(pharmacy=[{"claim_id": f"R{i}", "ndc_code": n} for i, n in enumerate(written)])
    assert [f.ndc_code for f in fills] == [
        "00002143380", "50242004062", "60575411201", "12345678901", "00002143380", "0002143380", None,
    ]  # fmt: skip


def test_a_longer_code_is_not_cut(kept):
    (line,) = kept([{"revenue_code": "04501", "place_of_service": "123"}])
    assert (line.revenue_code, line.place_of_service) == ("04501", "123")


def test_a_fill_becomes_a_line_served_on_its_day(kept):
    (fill,) = kept(
        pharmacy=[
            {
                "prescriber_id": "P1",
                "drug_name": "Insulin",
                "generic_indicator": "g",
                "therapeutic_class": "opioid",
                "quantity": "30",
            }
        ]
    )
    assert (fill.claim_feed, fill.claim_line_number, fill.claim_type, fill.provider_id) == ("pharmacy", 1, "RX", "P1")
    assert {str(d) for d in (fill.claim_date, fill.service_from_date, fill.service_to_date, fill.fill_date)} == {DAY}
    assert (fill.drug_name, fill.generic_indicator, fill.therapeutic_class) == ("Insulin", "G", "OPIOID")


def test_reversed_service_dates_stay_as_written(kept):
    (line,) = kept([{"service_to_date": "2024-01-01"}])
    assert (str(line.service_from_date), str(line.service_to_date)) == (DAY, "2024-01-01")


def test_an_unchained_line_stands_and_is_its_own_root(kept):
    (line,) = kept([{}])
    assert (line.root_claim_id, line.cancelled_on, line.cancelled_by) == ("A", None, None)


def test_every_line_of_a_version_carries_its_cancellation(kept):
    lines = kept(
        [
            {"claim_line_number": 1},
            {"claim_line_number": 2},
            {"claim_id": "B", "adjustment_indicator": " 4", "original_claim_id": "A"},
        ],
        links=[
            {"claim_id": "A", "cancelled_on": FEBRUARY, "cancelled_by": "B"},
            {"claim_id": "B", "adjustment_indicator": "4", "original_claim_id": "A", "known_from": FEBRUARY},
        ],
    )
    assert [(r.claim_id, r.root_claim_id, r.cancelled_on, r.cancelled_by) for r in lines] == [
        ("A", "A", FEBRUARY, "B"), ("A", "A", FEBRUARY, "B"), ("B", "A", None, None),
    ]  # fmt: skip


def test_the_same_id_in_the_other_feed_is_another_claim(kept):
    found = kept([{"claim_id": "A"}], [{"claim_id": "A"}], [{"claim_id": "A", "cancelled_on": FEBRUARY}])
    assert [(r.claim_feed, r.cancelled_on) for r in found] == [("medical", FEBRUARY), ("pharmacy", None)]


@pytest.mark.requirement("R8")
def test_two_claims_of_one_member_and_day_both_stay_R8(kept):
    assert len(kept([{"claim_id": "A"}, {"claim_id": "B"}])) == 2


def test_lines_indicators_and_months_tell_lines_apart(kept):
    other_month = {"claim_month": FEBRUARY, "service_from_date": "2024-02-01"}
    assert (
        len(kept([{}, {"claim_line_number": 2}, {"adjustment_indicator": "5", "claim_line_number": 3}, other_month]))
        == 4
    )


def repeats(frame):
    return [r.source_line for r in outcome(frame) if r[REJECTED] == ["line_is_not_a_repeat"]]


def test_an_exact_repeat_is_set_aside_and_the_first_known_is_kept(versions):
    assert repeats(versions([{"known_from": FEBRUARY}, {}, {"known_from": "2024-03"}])) == [2, 4]


def test_only_the_repeat_itself_is_set_aside(versions):
    medical = [{"claim_id": "X"}, {}, {}, {"source_file": "other.csv", "source_line": 4, "claim_id": "Y"}]
    found = outcome(versions(medical, [{"source_file": "medical.csv", "source_line": 4}]))
    assert [(r.claim_feed, r.claim_id, r.source_file) for r in found if r[REJECTED]] == [
        ("medical", "A", "medical.csv")
    ]


def standing(frame):
    return [r for r in outcome(frame) if not r[REJECTED] and r.cancelled_on is None]


def test_of_corrections_under_one_number_the_one_paid_last_stands_from_its_own_month_on(versions):
    given = [
        {"paid_date": "2024-02-01", "paid_amount": "5", "known_from": FEBRUARY},
        {"paid_date": None},
        {"paid_date": "2024-03-01", "known_from": "2024-03"},
    ]
    assert [(r.version_number, r.cancelled_on, r.cancelled_by, r[REJECTED]) for r in outcome(versions(given))] == [
        (2, "2024-03", "A", []),
        (1, FEBRUARY, "A", []),
        (3, None, None, []),
    ]


@pytest.mark.requirement("R8")
def test_of_repeats_paid_the_same_day_the_same_one_stands_whatever_arrives_first(versions):
    one, other = {"paid_amount": "5", "diagnosis_code_1": "E119"}, {"paid_amount": "7", "diagnosis_code_2": "E119"}

    def standing_amounts(*given):
        return [r.paid_amount for r in standing(versions([*given]))]

    early, late = {"known_from": JANUARY}, {"known_from": "2024-05"}
    answers = [
        standing_amounts(one | early, other | late),
        standing_amounts(other | early, one | late),
        standing_amounts(one | late, other | early),
    ]
    assert answers[0] == answers[1] == answers[2]
    assert len(answers[0]) == 1


@pytest.mark.requirement("R7")
def test_a_line_taken_back_by_its_negative_and_issued_anew_leaves_what_was_issued_last_R7(versions):
    again = {"paid_date": "2024-02-20", "known_from": FEBRUARY}
    given = [{"paid_amount": "100"}, {"paid_amount": "-100"} | again, {"paid_amount": "80"} | again]
    found = outcome(versions(given))
    assert [(r.paid_amount, r.cancelled_on, r[REJECTED]) for r in found] == [
        (100, FEBRUARY, []),
        (-100, FEBRUARY, []),
        (80, None, []),
    ]
    assert sum(r.paid_amount for r in found) == 80


def test_a_reversal_of_what_the_member_owed_is_told_by_the_allowed_amount(versions):
    owed = {"paid_amount": "0", "allowed_amount": "40"}
    given = [owed, owed | {"allowed_amount": "-40", "paid_date": "2024-02-20", "known_from": FEBRUARY}]
    assert standing(versions(given)) == []


def test_a_partial_reversal_and_a_conflict_are_set_aside_with_their_reasons(versions):
    given = [
        {"paid_amount": "100"},
        {"paid_amount": "-30", "paid_date": "2024-01-25"},
        {"claim_id": "B", "paid_amount": "100"},
        {"claim_id": "B", "paid_amount": "90"},
    ]
    assert [r[REJECTED] for r in outcome(versions(given))] == [
        [],
        ["reversal_matches_its_line"],
        [],
        ["line_has_no_conflicting_version"],
    ]


def test_a_negative_payment_alone_stays(kept):
    assert [r.paid_amount for r in kept([{"paid_amount": "-20"}])] == [-20]


@pytest.mark.requirement("R18")
def test_a_fill_sent_again_as_reversed_does_not_stand_R18(versions):
    given = [{"paid_amount": "9"}, {"paid_amount": "9", "claim_status": "reversed", "known_from": FEBRUARY}]
    assert standing(versions(pharmacy=given)) == []


@pytest.mark.parametrize(
    ("given", "indicator"),
    [
        ({"paid_amount": "-100"}, "1"),
        ({"paid_amount": "0", "allowed_amount": "-100"}, "1"),
        ({"paid_amount": "100", "claim_status": "reversed"}, "1"),
        ({"paid_amount": "100"}, "0"),
        ({"paid_amount": "-100", "adjustment_indicator": "4"}, "4"),
        ({"paid_amount": "-100", "original_claim_id": "V"}, "0"),
        ({"paid_amount": "-100", "original_claim_id": "000"}, "0"),
        ({"paid_amount": "-100", "original_claim_id": None}, "0"),
    ],
)
def test_a_line_that_names_another_claim_and_takes_back_acts_as_its_void(kept, given, indicator):
    link = {"claim_id": "V", "adjustment_indicator": indicator}
    (line,) = kept([{"claim_id": "V", "original_claim_id": "A"} | given], links=[link])
    assert line.adjustment_indicator == indicator


def test_a_line_is_cancelled_by_its_chain_or_by_its_number_whichever_was_known_first(kept):
    numbers = [{"paid_amount": "100"}, {"paid_amount": "90", "paid_date": "2024-03-01", "known_from": "2024-03"}]
    for month, first in ((FEBRUARY, (FEBRUARY, "B")), ("2024-04", ("2024-03", "A"))):
        found = kept(numbers, links=[{"claim_id": "A", "cancelled_on": month, "cancelled_by": "B"}])
        assert [(r.cancelled_on, r.cancelled_by) for r in found] == [first, (month, "B")]


def test_denied_lines_and_encounters_paid_with_zero_are_kept_apart(kept):
    denied, encounter = {"claim_status": "DENIED", "paid_amount": "0"}, {"claim_id": "B", "paid_amount": "0"}
    assert [(r.claim_id, r.claim_status) for r in kept([denied, encounter])] == [("A", "DENIED"), ("B", None)]


def test_an_original_and_an_unreadable_indicator_of_one_line_repeat_each_other(versions):
    assert len(repeats(versions([{}, {"adjustment_indicator": "9"}]))) == 1


@pytest.mark.parametrize(
    ("indicator", "link", "reasons"),
    [
        ("0", {"chain_state": "chain_has_a_cycle"}, ["claim_chain_has_no_cycle"]),
        ("1", {"chain_state": "original_is_unknown"}, ["voided_claim_is_known"]),
        ("4", {"chain_state": "original_is_unknown"}, []),
        ("0", {"chain_state": "original_is_unknown"}, []),
        ("4", {"claim_id": "somebody else"}, ["adjustment_is_linked"]),
        ("0", {"claim_id": "somebody else"}, []),
    ],
)
def test_what_a_chain_says_decides_what_is_set_aside(versions, indicator, link, reasons):
    (line,) = outcome(
        versions(
            [{"adjustment_indicator": indicator}], links=[{"claim_id": "A", "adjustment_indicator": indicator} | link]
        )
    )
    assert line[REJECTED] == reasons
