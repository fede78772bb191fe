"""Claim fraud features on literal lines: each derived input, what excludes itself, and months alone or together."""

import pytest

from claims_assets.features.claim_fraud_features import claim_fraud_features
from claims_assets.silver.medical_claims import MedicalClaims
from claims_assets.silver.member_months import MemberMonths
from claims_assets.silver.providers import Providers

PERSON = {"gender": "F", "birth_date": "1980-06-15", "county": "Suffolk", "zip_code": "02118"}
PROVIDERS = [
    {"provider_id": "P1", "active_from": "2020-01-01", "active_to": "2024-05-31", "specialty": "Family Medicine",
     "zip_code": "02101"},
    {"provider_id": "P1", "active_from": "2024-06-01", "specialty": "Cardiology", "zip_code": "01101"},
    {"provider_id": "P2", "specialty": "General Dentistry"},
]  # fmt: skip


def line(claim, day, **given):
    """A paid office visit of member M1 at provider P1."""
    usual = {
        "claim_id": claim, "claim_line_number": 1, "claim_month": day[:7], "member_id": "M1", "provider_id": "P1",
        "service_from_date": day, "service_to_date": day, "claim_type": "PROF", "claim_status": "PAID",
        "procedure_code_1": "99213", "diagnosis_code_1": "J069", "place_of_service": "11", "billed_amount": "100.00",
        "allowed_amount": "60.00", "paid_amount": "60.00", "service_units": 1, "inpatient_flag": False,
    }  # fmt: skip
    return usual | given


def covered(*months, **given):
    return [PERSON | {"member_id": "M1", "claim_month": m} | given for m in months]


@pytest.fixture
def features(rows):
    """`features(lines, people, months)`: claim id -> row of the asked months."""

    def build(lines, people=(), months=("2024-06",)):
        frame = claim_fraud_features(
            rows(MedicalClaims, *lines), rows(MemberMonths, *people), rows(Providers, *PROVIDERS), months=list(months)
        )
        found = frame.collect()
        assert {r.claim_month for r in found} <= set(months)
        assert len({(r.claim_id, r.claim_month) for r in found}) == len(found)
        return {r.claim_id: r for r in found}

    return build


def test_a_claim_adds_up_its_lines_and_speaks_by_its_dearest_one(features):
    lines = [
        line("A", "2024-06-03", billed_amount="40.00", procedure_code_1="36415", procedure_modifier_1="59"),
        line("A", "2024-06-04", claim_line_number=2, billed_amount="300.50", procedure_code_1="99214",
             service_to_date="2024-06-08", service_units=10),
    ]  # fmt: skip
    row = features(lines)["A"]
    assert (row.claim_amount, row.allowed_amount, row.line_count) == (340.5, 120.0, 2)
    assert (row.procedure_code, row.separate_lines, row.service_units, row.units_per_day) == ("99214", 1, 10.0, 2.0)
    assert (str(row.service_from_date), row.claim_duration_days) == ("2024-06-03", 6)


@pytest.mark.parametrize(
    ("given", "amount", "allowed"),
    [
        ({}, 100.0, 60.0),
        ({"billed_amount": None}, 60.0, 60.0),
        ({"billed_amount": None, "allowed_amount": None}, 60.0, None),
        ({"claim_status": "DENIED", "allowed_amount": "0.00"}, 100.0, None),
        ({"claim_status": None}, 100.0, 60.0),
    ],
)
def test_the_amount_is_what_was_billed_or_else_the_next_best(features, given, amount, allowed):
    row = features([line("A", "2024-06-03", **given)])["A"]
    assert (row.claim_amount, row.allowed_amount) == (amount, allowed)


def test_history_is_of_the_365_days_before_the_first_day(features):
    lines = [
        line("over a year", "2023-06-10", billed_amount="9000.00"),
        line("a year", "2023-06-11", billed_amount="10.00", provider_id="P2"),
        line("May", "2024-05-20", billed_amount="20.00"),
        line("June", "2024-06-08", billed_amount="60.00"),
        line("same day", "2024-06-10", billed_amount="500.00"),
        line("A", "2024-06-10"),
        line("later", "2024-06-11", billed_amount="7000.00"),
        line("of another", "2024-06-09", member_id="M2", billed_amount="4000.00"),
    ]
    row = features(lines)["A"]
    assert (row.num_previous_claims, row.average_claim_amount, row.days_since_last_claim) == (3, 30.0, 2)
    assert (row.claims_same_day, row.claims_week, row.claims_month) == (2, 3, 4)
    assert (row.previous_claims_with_provider, row.provider_claims_same_day) == (2, 2)


def test_a_first_claim_has_no_history(features):
    row = features([line("A", "2024-06-10")])["A"]
    assert (row.num_previous_claims, row.average_claim_amount, row.days_since_last_claim) == (0, None, None)


def test_member_and_provider_are_as_they_were(features):
    lines = [line("before", "2024-05-31"), line("after", "2024-06-30"), line("dentist", "2024-06-14", provider_id="P2")]
    found = features(lines, covered("2024-05", "2024-06"), ["2024-05", "2024-06"])
    before, after, dentist = found["before"], found["after"], found["dentist"]
    assert (before.provider_specialty, after.provider_specialty) == ("Family Medicine", "Cardiology")
    assert (before.is_provider_of_region, after.is_provider_of_region) == (True, False)
    assert before.provider_experience_years == pytest.approx(1612 / 365.25)
    assert dentist.provider_experience_years is None, "the feed gives no first day"
    assert (before.patient_age, dentist.patient_age, after.patient_age) == (43, 43, 44)
    assert (after.patient_gender, after.geographic_region) == ("F", "SUFFOLK")


def test_without_enrolment_the_member_is_unknown(features):
    row = features([line("A", "2024-06-10")])["A"]
    assert (row.patient_age, row.patient_gender, row.geographic_region) == (None, None, None)
    assert row.impossible_combinations == []


def test_parts_of_a_day_are_counted_over_claims(features):
    lines = [
        line("A", "2024-06-10", procedure_code_1="80053"),
        line("A", "2024-06-10", claim_line_number=2, procedure_code_1="85025"),
        line("B", "2024-06-10", procedure_code_1="80053"),
        line("C", "2024-06-10", procedure_code_1="80061", provider_id="P2"),
    ]
    found = features(lines)
    assert (found["A"].distinct_procedures, found["A"].repeated_lines) == (2, 1)
    assert (found["B"].distinct_procedures, found["C"].distinct_procedures) == (2, 1)


@pytest.mark.parametrize(
    ("given", "person", "name"),
    [
        ({"diagnosis_code_1": "O80"}, {"gender": "M"}, "sex_and_diagnosis"),
        ({"diagnosis_code_1": "C61"}, {}, "sex_and_diagnosis"),
        ({"diagnosis_code_1": "O80"}, {"birth_date": "1950-01-01"}, "age_and_diagnosis"),
        ({"diagnosis_code_1": "Z3800"}, {}, "age_and_diagnosis"),
        ({"procedure_code_1": "99392"}, {}, "age_and_procedure"),
        ({"procedure_code_1": "99395"}, {"birth_date": "2015-01-01"}, "age_and_procedure"),
        ({"service_units": 2}, {}, "more_units_than_a_day"),
        ({"procedure_code_1": "T1019", "service_units": 97}, {}, "more_units_than_a_day"),
        ({}, {"death_date": "2024-06-09"}, "outside_of_life"),
    ],
)
def test_what_excludes_itself_is_named(features, given, person, name):
    row = features([line("A", "2024-06-10", **given)], covered("2024-06", **person))["A"]
    assert (row.impossible_combinations, row.impossible_count) == ([name], 1)


@pytest.mark.parametrize(
    ("given", "person"),
    [
        ({}, {}),
        ({"diagnosis_code_1": "O80"}, {}),
        ({"diagnosis_code_1": "Z3800"}, {"birth_date": "2024-06-10"}),
        ({"procedure_code_1": "99394"}, {"birth_date": "2004-01-01"}),
        ({"procedure_code_1": "T1019", "service_units": 96}, {}),
        ({"service_units": 3, "service_to_date": "2024-06-12"}, {}),
        ({}, {"death_date": "2024-06-10"}),
    ],
)
def test_what_is_possible_is_not(features, given, person):
    assert features([line("A", "2024-06-10", **given)], covered("2024-06", **person))["A"].impossible_combinations == []


@pytest.mark.parametrize(
    ("day", "inside"), [("2024-06-03", False), ("2024-06-04", True), ("2024-06-07", True), ("2024-06-08", False)]
)
def test_nobody_is_in_an_office_in_the_middle_of_a_stay(features, day, inside):
    stay = line(
        "stay", "2024-05-31", claim_type="IP", inpatient_flag=True, place_of_service="21", provider_id="P2",
        admit_date="2024-06-03", discharge_date="2024-06-08",
    )  # fmt: skip
    row = features([stay, line("A", day)])["A"]
    assert row.impossible_combinations == (["during_hospital_stay"] if inside else [])


def test_a_month_is_the_same_alone_and_with_others(features):
    lines = [line(f"{m}-{d}", f"{m}-{d:02d}", billed_amount=f"{d}.10") for m in (
        "2023-03", "2023-12", "2024-04", "2024-05", "2024-06", "2024-07") for d in (1, 9, 28)]  # fmt: skip
    stay = {"claim_type": "IP", "inpatient_flag": True, "admit_date": "2023-03-02", "discharge_date": "2024-06-20"}
    lines.append(line("stay", "2023-03-02", **stay))
    alone = features([x for x in lines if "2023-06" <= x["claim_month"] <= "2024-06"])
    together = features(lines, months=["2024-04", "2024-05", "2024-06", "2024-07"])
    assert alone == {claim: row for claim, row in together.items() if row.claim_month == "2024-06"}
    assert len(alone) == 3
