"""`gold.immunization_gaps`: from stored evidence and conditions to the status of each month."""

from datetime import date

import pytest

from claims_assets.bronze.immunizations import Immunizations as Registry
from claims_assets.contracts import compiled
from claims_assets.features.immunization_gaps import ImmunizationGaps, immunization_gaps
from claims_assets.features.member_conditions import member_conditions
from claims_assets.features.vaccine_condition_days import vaccine_condition_days
from claims_assets.silver.claim_versions import ClaimVersions
from claims_assets.silver.immunization_evidence import immunization_evidence
from claims_assets_tests.features.conftest import fill, line

COLUMNS = list(compiled(ImmunizationGaps).columns)


@pytest.fixture
def gaps(rows, members):
    """`gaps(people, line(...), months=[...])`: rows by member, vaccine and month; people: name -> birth date."""

    def build(people, *lines, months=("2024-11",), registry=(), frame=False, **given):
        versions = rows(ClaimVersions, *lines)
        records = rows(Registry, *[{"source_file": "r", "source_line": n} | r for n, r in enumerate(registry)])
        groups = [members([name], months, birth_date=birth, **given) for name, birth in people.items()]
        everyone = groups[0]
        for group in groups[1:]:
            everyone = everyone.unionByName(group)
        made = immunization_gaps(
            everyone,
            member_conditions(versions, everyone, list(months)),
            immunization_evidence(versions, records),
            vaccine_condition_days(versions),
        )
        if frame:
            return made
        return {(r.member_id, r.vaccine, r.claim_month): r for r in made.collect()}

    return build


OTHER = line("somebody", "2020-01-05", procedure_code_1="90686")
"""Claims reach back to here, so that what has not been given would have been seen."""


@pytest.mark.requirement("R4")
def test_claim_fill_and_registry_each_close_the_gap(gaps):
    people = dict.fromkeys(["claim", "fill", "registry", "nothing"], "1970-01-01")
    found = gaps(
        people,
        OTHER,
        line("claim", "2024-10-03", procedure_code_1="90686"),
        fill("fill", "2024-10-03", ndc_code="49281012065"),
        registry=[
            {"member_id": "registry", "administered_date": "2024-10-03", "cvx_code": "140", "known_from": "2024-11"}
        ],
    )
    influenza = {name: found[name, "influenza", "2024-11"] for name in people}
    assert {n: r.status for n, r in influenza.items()} == {
        "claim": "complete",
        "fill": "complete",
        "registry": "complete",
        "nothing": "overdue",
    }
    assert influenza["registry"].evidence == ["r:0"]
    assert influenza["claim"].last_dose_date == date(2024, 10, 3)
    assert (influenza["nothing"].rule_id, influenza["nothing"].schedule_version) == ("influenza", "2025.1")


@pytest.mark.requirement("R5")
def test_healthy_members_of_50_to_64_and_19_to_26_are_not_left_out(gaps):
    people = {"fifty": "1972-03-10", "twenty": "2004-05-20", "no birth date": None}
    found = gaps(people, OTHER, enrolled_since="2015-01-01")
    assert {(m, v) for m, v, _ in found if v in ("zoster", "hpv")} == {("fifty", "zoster"), ("twenty", "hpv")}
    assert {r.status for (_, v, _), r in found.items() if v == "zoster"} == {"overdue"}
    assert not any(m == "no birth date" for m, _, _ in found)


@pytest.mark.requirement("R6")
def test_conditions_of_a_claim_open_the_rules_for_a_risk(gaps):
    codes = {"diagnosis_code_2": "E119", "diagnosis_code_3": "I509", "diagnosis_code_12": "Z940", "claim_type": "IP"}
    found = gaps({"ill": "1960-01-01", "well": "1960-01-01"}, OTHER, line("ill", "2024-11-03", **codes))
    assert found["ill", "rsv", "2024-11"].rule_id == "rsv_60_risk"
    assert ("well", "rsv", "2024-11") not in found
    assert found["ill", "mmr", "2024-11"].status_reason == "transplant"
    assert found["well", "mmr", "2024-11"].status == "no_evidence"


@pytest.mark.requirement("R12")
def test_a_dose_counts_from_the_month_it_was_known_and_until_it_was_voided(gaps):
    months = ["2024-10", "2024-11", "2024-12", "2025-01"]
    dose = line(
        "M", "2024-10-03", procedure_code_1="90686", known_from="2024-11", cancelled_on="2025-01", claim_id="C1"
    )
    found = gaps({"M": "1970-01-01"}, OTHER, dose, months=months)
    statuses = {m: found["M", "influenza", m].status for m in months}
    assert statuses == {"2024-10": "due", "2024-11": "complete", "2024-12": "complete", "2025-01": "overdue"}


@pytest.mark.requirement("R12")
def test_a_month_is_the_same_with_others_and_alone(gaps):
    months = ["2024-06", "2024-07", "2024-09", "2024-11", "2025-03"]
    lines = [
        OTHER,
        line("A", "2024-09-03", procedure_code_1="90750", procedure_code_2="90686"),
        line("A", "2024-11-20", procedure_code_1="90750", known_from="2025-02"),
        line("B", "2024-07-01", diagnosis_code_1="Z3480"),
    ]
    people = {"A": "1974-07-31", "B": "1998-02-28", "C": "2024-02-29"}
    together = gaps(people, *lines, months=months)
    for month in months:
        alone = gaps(people, *lines, months=[month])
        assert alone == {key: row for key, row in together.items() if key[2] == month}
    assert together["B", "mmr", "2024-07"].status == "contraindicated"
    assert together["A", "zoster", "2025-03"].status == "complete"


def test_weak_evidence_and_what_was_refused_are_told(gaps):
    found = gaps(
        {"M": "1950-01-01"},
        OTHER,
        line("M", "2024-10-03", procedure_code_1="G0008", procedure_code_2="G0009", claim_id="C1"),
        registry=[
            {"member_id": "M", "administered_date": "2024-10-05", "cvx_code": "187", "status": "not-done",
             "known_from": "2024-10"}
        ],
    )  # fmt: skip
    flu, pneumococcal, zoster = (found["M", v, "2024-11"] for v in ("influenza", "pneumococcal", "zoster"))
    assert (flu.status, flu.uses_weak_evidence, flu.evidence) == ("complete", True, ["C1"])
    assert (pneumococcal.status, pneumococcal.status_reason) == ("discuss", "product_unknown")
    assert pneumococcal.refused_evidence == ["C1: product_unknown"]
    assert (zoster.doses_counted, zoster.refused_evidence) == (0, ["r:0: not_given"])


def test_enrolment_says_whether_a_dose_would_have_been_seen(gaps):
    new = gaps({"M": "1960-05-03"}, OTHER, enrolled_since="2024-06-01")["M", "zoster", "2024-11"]
    old = gaps({"M": "1972-05-03"}, OTHER, enrolled_since="2021-06-01")["M", "zoster", "2024-11"]
    claims_begin_late = gaps({"M": "1972-05-03"}, line("x", "2024-06-05", procedure_code_1="90686"))
    assert (new.status, new.status_reason, new.due_since) == ("no_evidence", "may_be_elsewhere", None)
    assert (old.status, old.due_since) == ("overdue", date(2022, 5, 3))
    assert claims_begin_late["M", "zoster", "2024-11"].status == "no_evidence"


def test_written_gaps_keep_the_contract(gaps, lake):
    frame = gaps({"M": "1950-01-01"}, line("M", "2024-10-03", procedure_code_1="G0008"), frame=True).select(*COLUMNS)
    found = lake.write(frame, "gold", "immunization_gaps", ImmunizationGaps, ["2024-11"])
    assert found.rows_kept > 5
    assert (found.rows_quarantined, found.failed_by_rule()) == (0, {})
