"""What is doubtful about a line: diagnoses against the shipped list, headers within a claim, the form of a claim."""

import random
from typing import Any

import pyarrow.compute as pc
import pytest

from claims_assets.silver.claim_findings import (
    HEADER,
    claim_form,
    with_diagnosis_findings,
    with_header_findings,
)
from claims_assets.silver.claim_versions import MedicalColumns
from claims_assets.silver.codes import normal_diagnosis
from claims_assets.sources.code_sets import diagnosis_code_list

ICD_9_DAY, ICD_10_DAY = "2015-09-30", "2015-10-01"
"""Last day of ICD-9-CM, first day of ICD-10-CM (45 CFR 162.1002)."""
NEITHER, HEADING, KNOWN = (1, 0), (0, 1), (0, 0)
"""Unknown and heading diagnoses of a line with one diagnosis."""
DIAGNOSES = [
    ("U07.1", "2020-04-01", KNOWN),
    ("U07.1", "2019-09-30", NEITHER),
    ("U09.9", "2024-05-15", KNOWN),
    ("E119", "2024-05-15", KNOWN),
    ("e11.9", "2024-05-15", KNOWN),
    ("E11", "2024-05-15", HEADING),
    ("C4A.9", "2024-05-15", KNOWN),
    ("C4A", "2024-05-15", HEADING),
    ("Z3A.20", "2024-05-15", KNOWN),
    ("Z3A", "2024-05-15", HEADING),
    ("M1A.9XX0", "2024-05-15", KNOWN),
    ("M1A", "2024-05-15", HEADING),
    ("Z66", "2026-05-15", KNOWN),
    ("ZZZ99", "2024-05-15", NEITHER),
    ("?", "2024-05-15", NEITHER),
    # A code that was split is complete until the day of the split: Parkinson's disease, 2023-10-01.
    ("G20", "2023-09-30", KNOWN),
    ("G20", "2023-10-01", HEADING),
    ("G20.A1", "2023-09-30", NEITHER),
    ("G20.A1", "2023-10-01", KNOWN),
    # After the list was made, what was last in force still is.
    ("E11.9", "2030-01-01", KNOWN),
    # Each side of the change of revision.
    ("250.00", ICD_9_DAY, KNOWN),
    ("250.00", ICD_10_DAY, NEITHER),
    ("E11.9", ICD_9_DAY, NEITHER),
    ("E11.9", ICD_10_DAY, KNOWN),
    ("V58.61", ICD_9_DAY, KNOWN),
    ("V58.61", ICD_10_DAY, NEITHER),
    ("E849.0", ICD_9_DAY, KNOWN),
    ("E849", ICD_9_DAY, HEADING),
    # E80.0 of the one revision and E800 of the other are written alike.
    ("E80.0", ICD_10_DAY, KNOWN),
    ("E800", ICD_9_DAY, HEADING),
    ("250.0", ICD_9_DAY, HEADING),
    (None, "2024-05-15", (None, None)),
    (" ", "2024-05-15", (None, None)),
]
"""Diagnosis as written, day of service, what is found."""


def line(number: Any = 1, **given: Any) -> dict[str, Any]:
    day = given.get("service_from_date", "2024-05-15")
    about = {"claim_id": "A", "claim_month": day[:7], "claim_line_number": number, "member_id": "M1"}
    return about | {"service_from_date": day, "claim_type": "OP"} | given


@pytest.fixture
def judged(spark, rows):
    """Lines with their diagnosis findings, against the shipped list cut down to what the lines may name."""

    def judge(*lines):
        frame = rows(MedicalColumns, *lines)
        columns = [f"diagnosis_code_{i}" for i in range(1, 13)]
        clean = frame.withColumns({n: normal_diagnosis(frame[n]) for n in columns})
        listed = diagnosis_code_list()
        written = {"E119"} | {(given.get(n) or "").upper().replace(".", "") for given in lines for n in columns}
        listed = listed.filter(pc.is_in(listed["code"], value_set=pc.cast(sorted(written), "string")))  # pyright: ignore[reportAttributeAccessIssue]  # made at run time
        found = with_diagnosis_findings(clean, spark.createDataFrame(listed)).orderBy("claim_id").collect()
        return [(r.unknown_diagnosis_count, r.heading_diagnosis_count) for r in found]

    return judge


@pytest.mark.requirement("R37")
def test_a_diagnosis_is_held_against_the_list_in_force_on_its_day_R37(judged):
    lines = [
        line(claim_id=f"{i:03d}", diagnosis_code_1=code, service_from_date=day)
        for i, (code, day, _) in enumerate(DIAGNOSES)
    ]
    found = dict(zip([(code, day) for code, day, _ in DIAGNOSES], judged(*lines), strict=True))
    assert found == {(code, day): expected for code, day, expected in DIAGNOSES}


def test_all_twelve_positions_are_judged(judged):
    positions = [line(claim_id=f"{i:02d}", **{f"diagnosis_code_{i}": "ZZZ99"}) for i in range(1, 13)]
    assert judged(*positions) == [NEITHER] * 12
    every = {f"diagnosis_code_{i}": code for i, code in enumerate(["E119", "E11", "ZZZ99", "YYY"] * 3, start=1)}
    assert judged(line(**every)) == [(6, 3)]


def test_an_inpatient_bill_uses_the_codes_of_its_last_day(judged):
    stay = {"service_from_date": ICD_9_DAY, "diagnosis_code_1": "E119"}
    found = judged(
        line(claim_id="A", claim_type="IP", discharge_date="2015-10-03", **stay),
        line(claim_id="B", claim_type="IP", service_to_date="2015-10-03", **stay),
        line(claim_id="C", claim_type="IP", discharge_date="2015-09-01", **stay),
        line(claim_id="D", claim_type="OP", service_to_date="2015-10-03", **stay),
    )
    assert found == [KNOWN, KNOWN, NEITHER, NEITHER]


@pytest.fixture
def headers(rows):
    """Header findings by claim, month and line."""

    def find(*lines):
        found = with_header_findings(rows(MedicalColumns, *lines)).collect()
        return {(r.claim_id, r.claim_month, r.claim_line_number): (r.header_conflicts, r.has_line_gap) for r in found}

    return find


@pytest.mark.parametrize(
    ("column", "one", "other"),
    [
        ("member_id", "M1", "M2"),
        ("claim_type", "OP", "ER"),
        ("bill_type_code", "0131", "0111"),
        ("admit_date", "2024-05-01", "2024-05-02"),
        ("discharge_date", "2024-05-03", "2024-05-04"),
        ("drg_code", "065", "470"),
    ],
)
def test_lines_that_name_two_values_of_a_header_column_conflict(headers, column, one, other):
    found = headers(
        line(1, **{column: one}), line(2, **{column: other}), line(3, **{column: one}), line(claim_id="B"),
        line(claim_id="A", service_from_date="2024-06-01"),
    )  # fmt: skip
    assert {key: conflicts for key, (conflicts, _) in found.items()} == {
        ("A", "2024-05", 1): [column], ("A", "2024-05", 2): [column], ("A", "2024-05", 3): [column],
        ("B", "2024-05", 1): [], ("A", "2024-06", 1): [],
    }  # fmt: skip


def test_a_line_that_leaves_the_header_out_is_no_conflict_and_providers_may_differ(headers):
    first = {"bill_type_code": "0111", "drg_code": "065", "admit_date": "2024-05-01", "provider_id": "P1"}
    found = headers(line(1, **first), line(2, provider_id="P2"))
    assert set(map(str, found.values())) == {"([], False)"}


def test_a_feed_of_one_line_a_claim_is_complete(headers):
    found = headers(*[line(claim_id=c, bill_type_code=f"01{i}1") for i, c in enumerate("ABC", start=1)])
    assert list(map(str, found.values())) == ["([], False)"] * 3


@pytest.mark.parametrize(
    ("numbers", "has_gap"), [((1, 2, 3), False), ((2, 1), False), ((1, 3), True), ((2, 3), False), ((7,), False)]
)
def test_a_missing_line_between_others_is_a_gap(headers, numbers, has_gap):
    """The first number is not asked for: the lines before may lie in another claim month."""
    assert {gap for _, gap in headers(*[line(n) for n in numbers]).values()} == {has_gap}


def test_header_findings_agree_with_a_plain_count(headers):
    rng = random.Random(7)
    values = {n: ["2024-05-01", "2024-05-02", None] if n.endswith("date") else ["X", "Y", None] for n in HEADER}
    values["member_id"] = ["M1", "M1", "M1", "M2"]
    lines = [
        line(number, claim_id=f"C{claim}", **{n: rng.choice(v[: rng.randint(1, len(v))]) for n, v in values.items()})
        for claim in range(60)
        for number in rng.sample(range(1, 5), rng.randint(1, 3))
    ]
    found = headers(*lines)
    for claim in {given["claim_id"] for given in lines}:
        own = [given for given in lines if given["claim_id"] == claim]
        numbers = [given["claim_line_number"] for given in own]
        differing = [n for n in HEADER if len({given[n] for given in own} - {None}) > 1]
        expected = (differing, set(range(min(numbers), max(numbers) + 1)) != set(numbers))
        assert {str(found[claim, "2024-05", n]) for n in numbers} == {str(expected)}


@pytest.mark.parametrize(
    ("given", "form"),
    [
        ({"bill_type_code": "0131", "place_of_service": "22"}, "institutional"),
        ({"drg_code": "065"}, "institutional"),
        ({"revenue_code": "0450"}, "institutional"),
        ({"admit_date": "2024-05-01"}, "institutional"),
        ({"place_of_service": "11"}, "professional"),
        ({"place_of_service": "21", "admit_date": "2024-05-01"}, "professional"),
        ({"procedure_code_1": "99213"}, None),
    ],
)
def test_the_form_follows_from_what_only_one_form_carries(rows, given, form):
    (found,) = rows(MedicalColumns, line(**given)).select(claim_form().alias("form")).collect()
    assert found.form == form
