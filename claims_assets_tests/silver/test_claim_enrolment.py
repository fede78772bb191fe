"""Enrolment on the day of service: every line gets one word, none is lost, and both claim tables warn alike."""

import pytest

from claims_assets.bronze.diagnosis_codes import DiagnosisCodes
from claims_assets.bronze.member_eligibility import MemberEligibility
from claims_assets.silver.claim_enrolment import with_enrolment
from claims_assets.silver.claim_versions import ClaimVersions
from claims_assets.silver.medical_claims import MedicalClaims, medical_claims
from claims_assets.silver.member_months import member_months
from claims_assets.silver.pharmacy_claims import PharmacyClaims, pharmacy_claims

MONTHS = ["2024-04", "2024-05", "2024-06"]
SPANS = (
    ("M1", "2024-04-10", "2024-05-20"),
    ("M1", "2024-05-25", "2024-05-25"),
    (" 0012 ", "2024-05-01", None),
    ("taken back", "2024-05-01", "2024-04-30"),
)


@pytest.fixture
def records(rows):
    names = ("member_id", "effective_date", "term_date")
    given = [dict(zip(names, s, strict=True)) | {"source_file": "e.csv", "source_line": i} for i, s in enumerate(SPANS)]
    return rows(MemberEligibility, *given)


@pytest.fixture
def judged(spark, records):
    """Words for lines given as (member, day)."""

    def build(*lines, months=MONTHS):
        given = [(i, member, day[:7], day) for i, (member, day) in enumerate(lines)]
        frame = spark.createDataFrame(given, "i int, member_id string, claim_month string, day string")
        frame = frame.withColumn("day", frame["day"].cast("date"))
        found = with_enrolment(frame, "day", member_months(records, months), records).orderBy("i").collect()
        assert [r.i for r in found] == list(range(len(lines))), "each line comes out once"
        return [r.enrolment for r in found]

    return build


def test_a_line_is_judged_on_its_day_by_the_days_of_its_member(judged):
    days = ["2024-04-09", "2024-04-10", "2024-05-01", "2024-05-20", "2024-05-21", "2024-05-25", "2024-05-26"]
    no, yes = "NOT_ENROLLED", "ENROLLED"
    assert judged(*[("M1", day) for day in days]) == [no, yes, yes, yes, no, yes, no]
    assert judged(("M1", "2024-06-01")) == [no]
    assert judged(("0012", "2024-05-31"), ("0012", "2024-04-30"), ("12", "2024-05-31")) == [yes, no, "UNKNOWN_MEMBER"]


def test_a_member_whose_record_was_taken_back_is_known_but_not_enrolled(judged):
    assert judged(("taken back", "2024-05-05"), ("nobody", "2024-05-05")) == ["NOT_ENROLLED", "UNKNOWN_MEMBER"]


@pytest.mark.requirement("R12")
def test_a_word_is_the_same_whichever_months_are_asked_with_it(judged):
    lines = [("M1", "2024-05-20"), ("M1", "2024-05-21"), ("0012", "2024-05-01"), ("nobody", "2024-05-01")]
    assert judged(*lines, months=["2024-05"]) == judged(*lines, months=MONTHS)


@pytest.mark.parametrize(
    ("table", "contract", "feed"),
    [(medical_claims, MedicalClaims, "medical"), (pharmacy_claims, PharmacyClaims, "pharmacy")],
)
def test_both_claim_tables_keep_and_count_what_is_outside_enrolment(rows, lake, records, table, contract, feed):
    days = {"M1": ["2024-05-20", "2024-05-21", "2024-05-22"], "nobody": ["2024-05-20"]}
    lines = [
        {"member_id": m, "service_from_date": d, "claim_date": d, "fill_date": d if feed == "pharmacy" else None}
        for m, dates in days.items()
        for d in dates
    ]
    same = {"claim_feed": feed, "claim_line_number": 1, "claim_month": "2024-05", "adjustment_indicator": "0"}
    same |= {"root_claim_id": "A", "known_from": "2024-05", "source_file": "f.csv"}
    given = [same | line | {"claim_id": f"C{i}", "source_line": i} for i, line in enumerate(lines)]
    codes = [rows(DiagnosisCodes)] if feed == "medical" else []
    frame = table(rows(ClaimVersions, *given), member_months(records, ["2024-05"]), records, *codes)
    found = lake.write(frame, "silver", table.name, contract, ["2024-05"])
    assert (found.rows_kept, found.rows_quarantined) == (4, 0)
    assert found.failed_by_rule() == {"member_is_known": 1, "member_is_enrolled_on_service_date": 2}
