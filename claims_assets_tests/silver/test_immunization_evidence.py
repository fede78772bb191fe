"""Every piece of evidence is kept, with whether it counts, and from when to when it stood."""

from datetime import date

import pytest

from claims_assets.bronze.immunizations import Immunizations as Registry
from claims_assets.silver.claim_versions import ClaimVersions
from claims_assets.silver.immunization_evidence import ImmunizationEvidence, immunization_evidence
from claims_assets_tests.features.conftest import fill, line


@pytest.fixture
def evidence(rows):
    """Pieces of the given claim lines and registry records, in order."""

    def build(*lines, registry=()):
        records = [
            {"source_file": "r.csv", "source_line": n, "known_from": r["administered_date"][:7]} | r
            for n, r in enumerate(registry)
        ]
        found = immunization_evidence(rows(ClaimVersions, *lines), rows(Registry, *records))
        return found.orderBy("member_id", "vaccine", "administered_date", "code", "standing").collect()

    return build


def record(day, cvx="150", member="M", **more):
    return {"member_id": member, "administered_date": day, "cvx_code": cvx} | more


@pytest.mark.requirement("R4")
def test_what_does_not_count_is_kept_with_its_reason(evidence):
    found = evidence(
        line("A", "2024-01-10", procedure_code_1="90686"),
        line("B", "2024-01-10", procedure_code_1="90686", claim_status="DENIED"),
        fill("C", "2024-01-10", ndc_code="49281012065", claim_status="REVERSED"),
        line("D", "2024-03-10", procedure_code_1="90686", known_from="2024-02"),
        registry=[
            record("2024-01-10", member="E", status="not-done"),
            record("2024-01-10", member="F", status="entered-in-error"),
            record("2024-01-10", member="G", status=" Completed "),
            record("2024-05-10", member="H", known_from="2024-04"),
            record("2024-05-31", member="I", known_from="2024-05"),
        ],
    )
    assert {r.member_id: r.standing for r in found} == {
        "A": "counts", "B": "not_paid", "C": "not_paid", "D": "in_the_future", "E": "not_given",
        "F": "entered_in_error", "G": "counts", "H": "in_the_future", "I": "counts",
    }  # fmt: skip


def test_a_dose_of_long_ago_is_known_from_when_it_was_reported(evidence):
    (dose,) = evidence(line("M", "2023-11-02"), registry=[record("2003-06-01", cvx="3", known_from="2024-02")])
    assert (dose.vaccine, dose.administered_date, dose.code) == ("mmr", date(2003, 6, 1), "03")
    assert (dose.first_month, dose.last_month, dose.claims_from) == ("2024-02", None, "2023-11")


def test_a_stray_claim_of_long_ago_does_not_begin_the_history(evidence):
    months = ("2023-12-02", "2024-01-02", "2024-02-02")
    usual = [line("M", day, claim_line_number=n) for day in months for n in range(1, 15)]
    found = evidence(line("M", "2020-01-02"), *usual, line("M", "2024-01-10", procedure_code_1="90686"))
    assert {dose.claims_from for dose in found} == {"2023-12"}


def test_a_voided_claim_speaks_of_the_months_before_the_void(evidence):
    gone = {"procedure_code_1": "90750", "claim_id": "C1", "cancelled_on": "2024-05"}
    void = {"procedure_code_1": "90750", "claim_id": "C1", "adjustment_indicator": "1", "known_from": "2024-05"}
    (dose,) = evidence(line("M", "2024-01-10", **gone), line("M", "2024-01-10", **void))
    assert (dose.source_id, dose.first_month, dose.cancelled_on, dose.last_month) == (
        "C1",
        "2024-01",
        "2024-05",
        "2024-04",
    )


def test_two_lines_of_a_claim_are_one_piece_as_long_as_one_of_them_stands(evidence):
    code = {"procedure_code_1": "90750", "claim_id": "C1"}
    (dose,) = evidence(
        line("M", "2024-01-10", **code, cancelled_on="2024-05"), line("M", "2024-01-10", **code, claim_line_number=2)
    )
    assert dose.cancelled_on is None


def test_a_combined_vaccine_is_evidence_of_each(evidence):
    found = evidence(line("M", "2024-01-10", procedure_code_1="90697", procedure_code_2="G0008"))
    assert [(r.vaccine, r.product, r.is_administration_only) for r in found] == [
        ("dtap", "DTaP combination", False),
        ("hepatitis_b", "HepB combination", False),
        ("hib", "Hib combination", False),
        ("influenza", "influenza unspecified", True),
        ("polio", "IPV combination", False),
    ]


def test_written_evidence_keeps_the_contract(spark, rows, lake):
    frame = immunization_evidence(
        rows(ClaimVersions, line("M", "2024-01-10", procedure_code_1="90686")),
        rows(Registry, record("2024-01-10", source_file="r", source_line=1, known_from="2024-02")),
    )
    found = lake.write(frame, "silver", "immunization_evidence", ImmunizationEvidence, None)
    assert (found.rows_kept, found.rows_quarantined, found.failed_by_rule()) == (2, 0, {})


def test_evidence_of_stored_tables_is_that_of_frames_in_memory(spark, rows, lake):
    """An engine may plan a stored table otherwise, as one did for a group by its partition column."""
    claims = rows(ClaimVersions, line("M", "2024-01-10", procedure_code_1="90686", version_number=1))
    records = rows(Registry, record("2024-01-10", source_file="r", source_line=1, known_from="2024-02"))
    assert lake.write(claims, "silver", "claim_versions", ClaimVersions, ["2024-01"]).rows_kept == 1
    assert not lake.write(records, "bronze", "immunizations", Registry, None).blocked
    stored = [lake.read(spark, *name) for name in (("silver", "claim_versions"), ("bronze", "immunizations"))]
    found = [immunization_evidence(*frames).orderBy("source_id").collect() for frames in ((claims, records), stored)]
    assert len(found[0]) == 2
    assert found[0] == found[1]
