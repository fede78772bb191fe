"""Doses: which records are evidence, which evidence is of one dose, and what the dose keeps of it."""

from datetime import date

import pytest

from claims_assets.bronze.immunizations import Immunizations as Registry
from claims_assets.contracts import compiled
from claims_assets.silver.immunizations import Immunizations, immunizations

MEDICAL = (
    "claim_id string, member_id string, service_from_date date, claim_month string, procedure_code_1 string,"
    " procedure_code_2 string, ndc_code string, claim_status string, known_from string"
)
PHARMACY = (
    "claim_id string, member_id string, fill_date date, claim_month string, ndc_code string, claim_status string,"
    " known_from string"
)
FLU_NDC = "49281012065"
COLUMNS = list(compiled(Immunizations).columns)


@pytest.fixture
def doses(spark, rows):
    """Doses of evidence given as dicts (the month follows from the day), in order."""

    def frame(schema, day, given):
        names = [field.split()[0] for field in schema.split(", ")]
        whole = [
            r | {"claim_month": f"{r[day]:%Y-%m}", "known_from": r.get("known_from", f"{r[day]:%Y-%m}")} for r in given
        ]
        return spark.createDataFrame([tuple(r.get(n) for n in names) for r in whole], schema)

    def build(medical=(), pharmacy=(), registry=(), months=("2024-01",)):
        lines = [
            {"source_file": "r.csv", "source_line": i, "known_from": "2024-12"} | r for i, r in enumerate(registry)
        ]
        found = immunizations(
            frame(MEDICAL, "service_from_date", medical),
            frame(PHARMACY, "fill_date", pharmacy),
            rows(Registry, *lines),
            list(months),
        )
        return found.select(*COLUMNS).orderBy("member_id", "vaccine", "administered_date").collect()

    return build


def shot(day, code="90686", claim="C1", member="M", **more):
    return {"claim_id": claim, "member_id": member, "service_from_date": day, "procedure_code_1": code} | more


def fill(day, ndc=FLU_NDC, claim="R1", member="M", **more):
    return {"claim_id": claim, "member_id": member, "fill_date": day, "ndc_code": ndc} | more


def record(day, cvx="150", member="M", **more):
    return {"member_id": member, "administered_date": day, "cvx_code": cvx} | more


@pytest.mark.requirement("R4")
def test_each_source_alone_is_evidence(doses):
    day = date(2024, 1, 10)
    found = doses(
        medical=[shot(day, member="A"), shot(day, code="99213", member="none"), shot(day, code=None, member="none")],
        pharmacy=[fill(day, member="B"), fill(day, ndc="00093505698", member="none")],
        registry=[record(day, member="C"), record(day, cvx="114", member="none")],
    )
    assert [(r.member_id, r.evidence, r.code_system, r.code, r.source_id) for r in found] == [
        ("A", "medical_claim", "CPT", "90686", "C1"),
        ("B", "pharmacy_claim", "NDC", FLU_NDC, "R1"),
        ("C", "registry", "CVX", "150", "r.csv:0"),
    ]
    assert {(r.vaccine, r.administered_date, r.claim_month) for r in found} == {("influenza", day, "2024-01")}


def test_the_code_may_stand_in_any_code_column(doses):
    day = date(2024, 1, 10)
    found = doses(
        medical=[
            shot(day, code="99213", procedure_code_2="90750", member="A"),
            shot(day, code=None, ndc_code="49281-0120-65", member="B"),
        ],
        registry=[record(day, cvx=None, ndc_code="58160-0819-12", member="C"), record(day, cvx="3", member="D")],
    )
    assert [(r.member_id, r.vaccine, r.product) for r in found] == [
        ("A", "zoster", "RZV"),
        ("B", "influenza", "influenza high dose"),
        ("C", "zoster", "RZV"),
        ("D", "mmr", "MMR"),
    ]


def test_only_paid_lines_are_evidence(doses):
    day = date(2024, 1, 10)
    statuses = ("PAID", None, "DENIED", "PENDING", "REVERSED")
    found = doses(
        medical=[shot(day, member=f"A {s}", claim_status=s) for s in statuses],
        pharmacy=[fill(day, member=f"B {s}", claim_status=s) for s in statuses],
    )
    assert [r.member_id for r in found] == ["A None", "A PAID", "B None", "B PAID"]


def test_a_dose_not_given_is_no_dose(doses):
    day = date(2024, 1, 10)
    statuses = ("completed", " Completed", None, "not-done", "NOT-DONE", "entered-in-error")
    found = doses(registry=[record(day, member=str(i), status=s) for i, s in enumerate(statuses)])
    assert [r.member_id for r in found] == ["0", "1", "2"]


def test_evidence_within_four_days_is_one_dose_with_its_earliest_day(doses):
    found = doses(
        medical=[shot(date(2024, 1, 12), known_from="2024-03")],
        pharmacy=[fill(date(2024, 1, 10), known_from="2024-02")],
        registry=[record(date(2024, 1, 14), known_from="2024-05")],
    )
    assert len(found) == 1
    dose = found[0]
    assert (dose.administered_date, dose.known_from) == (date(2024, 1, 10), "2024-02")
    assert (dose.evidence, dose.code, dose.source_id) == ("registry", "150", "r.csv:0")


def test_four_days_apart_are_one_dose(doses):
    found = doses(medical=[shot(date(2024, 1, 10)), shot(date(2024, 1, 14), claim="C2")])
    assert [(r.administered_date, r.source_id) for r in found] == [(date(2024, 1, 10), "C1")]


def test_five_days_apart_are_two_doses_and_another_vaccine_or_member_is_another_dose(doses):
    first, later = date(2024, 1, 10), date(2024, 1, 15)
    found = doses(
        medical=[shot(first), shot(later, claim="C2"), shot(first, code="90750"), shot(first, member="N")],
    )
    assert [(r.member_id, r.vaccine, r.administered_date) for r in found] == [
        ("M", "influenza", first),
        ("M", "influenza", later),
        ("M", "zoster", first),
        ("N", "influenza", first),
    ]


def test_an_administration_code_is_weak_evidence_and_a_product_is_better(doses):
    day = date(2024, 1, 10)
    found = doses(
        medical=[
            shot(day, code="G0008", member="A"),
            shot(day, code="G0008", procedure_code_2="90662", member="B"),
            shot(day, code="G0008", member="C"),
        ],
        pharmacy=[fill(date(2024, 1, 11), member="C")],
    )
    assert [(r.member_id, r.is_administration_only, r.code_system, r.code) for r in found] == [
        ("A", True, "HCPCS", "G0008"),
        ("B", False, "CPT", "90662"),
        ("C", False, "NDC", FLU_NDC),
    ]
    assert found[2].administered_date == day


def test_a_combined_vaccine_is_a_dose_of_each(doses):
    found = doses(medical=[shot(date(2024, 1, 10), code="90710")])
    assert [(r.vaccine, r.product) for r in found] == [("mmr", "MMRV"), ("varicella", "MMRV")]


def test_a_dose_across_a_month_border_belongs_to_the_month_it_began(doses):
    evidence = {
        "medical": [shot(date(2024, 1, 30)), shot(date(2024, 2, 20), claim="C2")],
        "pharmacy": [fill(date(2024, 2, 3))],
        "registry": [record(date(2024, 2, 1))],
    }
    both = doses(**evidence, months=("2024-01", "2024-02"))
    assert [r.administered_date for r in both] == [date(2024, 1, 30), date(2024, 2, 20)]
    assert both[0].evidence == "medical_claim"
    assert doses(**evidence, months=("2024-01",)) == both[:1]
    assert doses(**evidence, months=("2024-02",)) == both[1:]


def test_a_dose_does_not_depend_on_the_order_of_its_evidence(doses):
    day = date(2024, 1, 10)
    lines = [shot(day, code=code, claim=claim) for claim in ("C2", "C1") for code in ("90686", "90674", "G0008")]
    assert doses(medical=lines) == doses(medical=lines[::-1])
    assert [(r.code, r.source_id) for r in doses(medical=lines)] == [("90674", "C1")]


def test_doses_of_stored_tables_are_those_of_frames_in_memory(spark, rows, tmp_path):
    """An engine may push a filter into a stored table, where it can fail although it works in memory."""
    from deltalake import write_deltalake

    day = date(2024, 1, 10)
    frames = {
        "medical": spark.createDataFrame([("C1", "M", day, "2024-01", "90686", None, None, None, "2024-01")], MEDICAL),
        "pharmacy": spark.createDataFrame([("R1", "N", day, "2024-01", FLU_NDC, "PAID", "2024-01")], PHARMACY),
        "registry": rows(Registry, record(day, member="O", source_file="r", source_line=1, known_from="2024-01")),
    }
    stored = {}
    for name, frame in frames.items():
        write_deltalake(tmp_path / name, frame.toArrow())
        stored[name] = spark.read.format("delta").load(str(tmp_path / name))
    found = immunizations(*stored.values(), ["2024-01"]).select(*COLUMNS).orderBy("member_id").collect()
    assert [r.member_id for r in found] == ["M", "N", "O"]
    assert found == immunizations(*frames.values(), ["2024-01"]).select(*COLUMNS).orderBy("member_id").collect()


def test_absent_feeds_are_an_empty_table(spark, rows, lake):
    frame = immunizations(
        spark.createDataFrame([], MEDICAL), spark.createDataFrame([], PHARMACY), rows(Registry), ["2024-01"]
    )
    assert not lake.write(frame, "silver", "immunizations", Immunizations, ["2024-01"]).blocked
    kept = lake.read(spark, "silver", "immunizations")
    assert (kept.columns, kept.count()) == (COLUMNS, 0)


def test_written_doses_keep_the_contract(spark, rows, lake):
    medical = [("C1", "M", date(2024, 1, 10), "2024-01", "90686", "G0008", None, "PAID", "2024-01")]
    registry = rows(Registry, record("2024-01-10", source_file="r", source_line=1, known_from="2024-02"))
    frame = immunizations(
        spark.createDataFrame(medical, MEDICAL), spark.createDataFrame([], PHARMACY), registry, ["2024-01"]
    )
    found = lake.write(frame, "silver", "immunizations", Immunizations, ["2024-01"])
    assert (found.rows_kept, found.rows_quarantined, found.failed_by_rule()) == (1, 0, {})
