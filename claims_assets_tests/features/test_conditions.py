"""Chronic conditions: which codes, which evidence, which days."""

import pytest

from claims_assets.features.conditions import CONDITIONS
from claims_assets_tests.features.conftest import line

FLAGS = [c.column for c in CONDITIONS]


def flags(row):
    return {name.removeprefix("has_") for name in FLAGS if row[name]}


ICD_10 = {
    "E089": {"diabetes"}, "E109": {"diabetes"}, "E1165": {"diabetes"}, "E139": {"diabetes"}, "E669": {"obesity"},
    "I10": {"hypertension"}, "I119": {"hypertension"}, "I161": {"hypertension"}, "I129": {"hypertension", "ckd"},
    "I110": {"hypertension", "heart_failure"}, "I130": {"hypertension", "heart_failure", "ckd"},
    "I1310": {"hypertension", "ckd"}, "I132": {"hypertension", "heart_failure", "ckd"}, "I159": {"hypertension"},
    "J449": {"copd_asthma"}, "J45909": {"copd_asthma"}, "J439": {"copd_asthma"}, "J42": {"copd_asthma"}, "J209": set(),
    "I509": {"heart_failure"}, "I0981": {"heart_failure"}, "N1830": {"ckd"}, "N179": set(),
    "F200": {"mental_health"}, "F329": {"mental_health"}, "F840": {"mental_health"}, "F909": {"mental_health"},
    "F0390": set(), "F70": set(), "F819": set(), "F1120": {"substance_use"}, "F17210": {"substance_use"},
    "E6601": {"obesity"}, "E663": set(), "Z6835": {"obesity"}, "Z6841": {"obesity"}, "Z6825": set(),
    "Z6854": {"obesity"}, "C50911": {"cancer"}, "C4A9": {"cancer"}, "C61": {"cancer"}, "C9110": {"cancer"},
    "C439": {"cancer"}, "C4401": set(), "D0512": set(), "Z0000": set(), "XE119": set(), "2500": set(),
}  # fmt: skip
ICD_9 = {
    "25000": {"diabetes"}, "4011": {"hypertension"}, "40291": {"hypertension", "heart_failure"},
    "40290": {"hypertension"}, "40493": {"hypertension", "heart_failure", "ckd"}, "4280": {"heart_failure"},
    "49120": {"copd_asthma"}, "49390": {"copd_asthma"}, "5853": {"ckd"}, "29620": {"mental_health"}, "2900": set(),
    "3109": set(), "30390": {"substance_use"}, "27801": {"obesity"}, "27802": set(), "V8541": {"obesity"},
    "1749": {"cancer"}, "1733": set(), "20280": {"cancer"}, "E119": set(),
}  # fmt: skip


@pytest.mark.requirement("R6")
@pytest.mark.parametrize(("day", "codes"), [("2015-10-01", ICD_10), ("2024-06-03", ICD_10), ("2015-09-30", ICD_9)])
def test_a_code_sets_the_conditions_of_its_own_code_system(features, day, codes):
    found = features(*[line(code, day, claim_type="IP", diagnosis_code_1=code) for code in codes], months=(day[:7],))
    assert {code: flags(found[code]) for code in codes} == codes


@pytest.mark.requirement("R6")
def test_one_line_sets_all_its_conditions_from_all_twelve_positions(features):
    codes = ("Z0000", "E119", "I10", "J449", "I509", "N189", "R079", "E6601", "C61", "F1120", None, "F329")
    given = {f"diagnosis_code_{n}": code for n, code in enumerate(codes, 1)}
    row = features(line("a", "2024-06-03", claim_type="IP", **given))["a"]
    assert all(row[name] for name in FLAGS)
    assert row.chronic_condition_count == 8, "substance use is told apart, not counted"


@pytest.mark.requirement("R6")
def test_one_inpatient_or_two_outpatient_days_are_evidence(features):
    def told(member, day, claim_type, **given):
        return line(member, day, claim_type=claim_type, diagnosis_code_3="E119", **given)

    found = features(
        told("one inpatient day", "2024-06-03", "IP"),
        told("one outpatient day", "2024-06-03", "OP"),
        told("two lines of a day", "2024-06-03", "OP"), told("two lines of a day", "2024-06-03", "PROF"),
        told("two days", "2023-07-01", "OP"), told("two days", "2024-06-30", "ER"),
        told("one day too old", "2023-06-30", "OP"), told("one day too old", "2024-06-30", "OP"),
        told("one day unknown", "2024-05-03", "OP"), told("one day unknown", "2024-06-03", "OP", known_from="2024-07"),
        told("one day void", "2024-05-03", "OP"), told("one day void", "2024-06-03", "OP", cancelled_on="2024-06"),
        told("one day denied", "2024-05-03", "OP"), told("one day denied", "2024-06-03", "OP", claim_status="DENIED"),
    )  # fmt: skip
    assert {m for m, row in found.items() if row.has_diabetes} == {"one inpatient day", "two days"}
    assert found["two days"].chronic_condition_count == 1


def test_days_with_different_conditions_do_not_add_up(features):
    found = features(
        line("a", "2024-06-03", diagnosis_code_1="E119"), line("a", "2024-06-04", diagnosis_code_1="I10")
    )  # fmt: skip
    assert flags(found["a"]) == set()


def test_every_condition_names_its_source_and_codes_of_both_systems():
    assert [c.name for c in CONDITIONS if not (c.source and c.icd_10_cm and c.icd_9_cm)] == []
