"""Combinations 3, 7 and 10 by the second birthday."""

from dataclasses import replace
from datetime import date

import pytest

from claims_assets.bronze.immunizations import Immunizations as Registry
from claims_assets.features.childhood_immunization_status import (
    COMBO_3,
    COMBO_10,
    ChildhoodImmunizationStatus,
    childhood_immunization_status,
    statuses,
)
from claims_assets.features.member_conditions import member_conditions
from claims_assets.features.vaccine_condition_days import vaccine_condition_days
from claims_assets.features.vaccine_doses import Evidence
from claims_assets.features.vaccine_months import NEVER, ConditionDay, Known, Member, Month
from claims_assets.partitions import month_index
from claims_assets.silver.claim_versions import ClaimVersions
from claims_assets.silver.immunization_evidence import immunization_evidence

BIRTH = date(2022, 2, 10)
MONTH = "2024-02"
DOSES = {
    "dtap": ("DTaP", "2022-03-24", "2022-05-10", "2022-07-10", "2023-05-10"),
    "polio": ("IPV", "2022-03-24", "2022-05-10", "2022-07-10"),
    "mmr": ("MMR", "2023-02-10"),
    "hib": ("Hib PRP-T", "2022-03-24", "2022-05-10", "2023-02-10"),
    "hepatitis_b": ("HepB", "2022-02-10", "2022-03-24", "2022-08-10"),
    "varicella": ("varicella", "2024-02-10"),
    "pneumococcal": ("PCV20", "2022-03-24", "2022-05-10", "2022-07-10", "2023-02-10"),
    "hepatitis_a": ("HepA", "2023-02-10"),
    "rotavirus": ("RV1", "2022-04-10", "2022-06-10"),
    "influenza": ("influenza standard dose", "2022-10-10", "2022-11-10"),
}
"""Doses of a child with everything: the earliest days that count, and the last (varicella)."""


def known(vaccine, product, day, month=None):
    return Known(vaccine, Evidence(date.fromisoformat(day), product, f"{vaccine} {day}"), month_index(month or day[:7]))


def child(doses=None, days=(), months=(MONTH,), birth=BIRTH):
    given = [known(v, product, day) for v, (product, *all_days) in (doses or DOSES).items() for day in all_days]
    return Member("M", birth, "F", [Month(month_index(m)) for m in months], given, list(days))


def missing(member):
    ((_, _, _, _, found, _),) = statuses(member)
    return found


def test_a_child_with_all_doses_has_met_everything():
    ((member, month, birthday, met, lacking, exclusion),) = statuses(child())
    assert (member, month, birthday, exclusion) == ("M", MONTH, date(2024, 2, 10), None)
    assert (set(met), lacking) == (set(COMBO_10), [])


@pytest.mark.parametrize(
    ("vaccine", "doses", "why"),
    [
        ("dtap", ("DTaP", "2022-03-23", "2022-05-10", "2022-07-10", "2023-05-10"), "41 days after birth"),
        ("dtap", ("DTaP", "2022-03-24", "2022-05-10", "2022-07-10"), "three instead of four"),
        ("polio", ("IPV", "2022-03-23", "2022-05-10", "2022-07-10"), "41 days after birth"),
        ("mmr", ("MMR", "2023-02-09"), "the day before the first birthday"),
        ("varicella", ("varicella", "2024-02-11"), "the day after the second birthday"),
        ("hepatitis_a", ("HepA", "2023-02-09"), "the day before the first birthday"),
        ("hepatitis_b", ("HepB", "2022-02-10", "2022-02-13", "2022-08-10"), "two records of one dose"),
        ("pneumococcal", ("PPSV23", "2022-03-24", "2022-05-10", "2022-07-10", "2023-02-10"), "no conjugate vaccine"),
        ("rotavirus", ("RV5", "2022-04-10", "2022-06-10"), "two of the three-dose vaccine"),
        ("influenza", ("influenza standard dose", "2022-08-09", "2022-11-10"), "before six months"),
    ],
)
def test_a_dose_that_does_not_count_leaves_the_vaccine_missing(vaccine, doses, why):
    assert missing(child(DOSES | {vaccine: doses})) == [vaccine], why


@pytest.mark.parametrize(
    ("vaccine", "doses"),
    [
        ("rotavirus", ("RV5", "2022-04-10", "2022-06-10", "2022-08-10")),
        ("influenza", ("influenza standard dose", "2022-08-10", "2024-02-10")),
        ("hib", ("Hib combination", "2022-03-24", "2022-05-10", "2022-07-10")),
    ],
)
def test_other_ways_to_complete_a_series(vaccine, doses):
    assert missing(child(DOSES | {vaccine: doses})) == []


def test_a_child_is_shown_for_a_year_with_what_was_known_by_then():
    months = ["2024-01", "2024-02", "2024-03", "2025-01", "2025-02"]
    late = child({v: d for v, d in DOSES.items() if v != "mmr"}, months=months)
    late = replace(late, evidence=[*late.evidence, known("mmr", "MMR", "2023-05-01", "2024-03")])
    assert [(row[1], row[4]) for row in statuses(late)] == [
        ("2024-02", ["mmr"]),
        ("2024-03", []),
        ("2025-01", []),
    ]


def test_who_is_born_on_29_february_turns_two_on_1_march():
    leap = child(birth=date(2024, 2, 29), months=["2026-02", "2026-03"])
    assert [(row[1], row[2]) for row in statuses(leap)] == [("2026-03", date(2026, 3, 1))]


def test_reactions_count_as_met_and_some_conditions_leave_a_child_out():
    def day(condition, on):
        return ConditionDay(condition, date.fromisoformat(on), False, month_index(on[:7]), NEVER)

    one = DOSES | {"dtap": ("DTaP", "2022-03-24"), "polio": ("IPV", "2022-05-10")}
    assert missing(child(one)) == ["dtap", "polio"]
    assert missing(child(one, [day("vaccine_anaphylaxis", "2022-03-24")])) == ["polio"]
    assert missing(child(one, [day("vaccine_encephalopathy", "2022-03-25")])) == ["polio"]
    assert missing(child(one, [day("vaccine_anaphylaxis", "2022-06-24")])) == ["dtap", "polio"]
    ((*_, exclusion),) = statuses(child(one, [day("scid", "2022-06-24")]))
    assert exclusion == "scid"
    ((*_, after),) = statuses(child(one, [day("scid", "2024-02-11")]))
    assert after is None


def test_combinations_as_a_table(rows, members, lake):
    codes = {"dtap": "20", "polio": "10", "mmr": "03", "hib": "48", "hepatitis_b": "08", "varicella": "21",
             "pneumococcal": "216", "hepatitis_a": "83", "rotavirus": "119", "influenza": "150"}  # fmt: skip
    given = [
        {"member_id": name, "administered_date": day, "cvx_code": codes[v], "known_from": day[:7]}
        for name, held in {"three": COMBO_3, "ten": COMBO_10, "none": ()}.items()
        for v in held
        for day in DOSES[v][1:]
    ]
    registry = rows(Registry, *[{"source_file": "r", "source_line": n} | r for n, r in enumerate(given)])
    versions = rows(ClaimVersions)
    everyone = members(["three", "ten", "none"], [MONTH], birth_date=str(BIRTH)).unionByName(
        members(["grown up"], [MONTH], birth_date="1980-01-01")
    )
    frame = childhood_immunization_status(
        everyone,
        member_conditions(versions, everyone, [MONTH]),
        immunization_evidence(versions, registry),
        vaccine_condition_days(versions),
    )
    found = {r.member_id: (r.cis_combo_3, r.cis_combo_7, r.cis_combo_10) for r in frame.collect()}
    assert found == {
        "three": ("met", "not_met", "not_met"),
        "ten": ("met", "met", "met"),
        "none": ("not_met", "not_met", "not_met"),
    }
    written = lake.write(frame, "gold", "childhood_immunization_status", ChildhoodImmunizationStatus, [MONTH])
    assert (written.rows_kept, written.rows_quarantined, written.failed_by_rule()) == (3, 0, {})
