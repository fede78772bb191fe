"""`gold.member_conditions`: codes of both systems, evidence, rule-outs, hierarchies, what was known when."""

import csv
import random
from collections import defaultdict
from dataclasses import replace
from datetime import date, timedelta
from importlib.resources import files

import pyarrow as pa
import pytest
from pyspark.sql import functions as F

from claims_assets.contracts import compiled
from claims_assets.features.as_of import counting
from claims_assets.features.conditions import CONDITIONS
from claims_assets.features.evidence import MOST_GROUPS, present
from claims_assets.features.member_conditions import CHARLSON, ELIXHAUSER, MemberConditions, member_conditions
from claims_assets.features.member_features import MemberFeatures, member_features
from claims_assets.silver.claim_versions import ClaimVersions
from claims_assets_tests.features.conftest import MONTH, line
from claims_assets_tests.features.random_claims import COLUMNS

INDICES = ("charlson_", "elixhauser_")
SUMS = ("chronic_condition_count", "charlson_index", "elixhauser_van_walraven_score")
FLAGS = [n for n in compiled(MemberConditions).columns if n not in ("member_id", "claim_month", *SUMS)]


@pytest.fixture
def conditions(rows, members):
    """`conditions(line(...), ...)`: the rows of the lines' members, by member; by member and month for `months`."""

    def build(*lines, months=None):
        names, asked = sorted({x["member_id"] for x in lines}), list(months or [MONTH])
        made = member_conditions(rows(ClaimVersions, *lines), members(names, asked), asked).collect()
        return {((r.member_id, r.claim_month) if months else r.member_id): r for r in made}

    return build


def stay(member: str, *codes: str, day: str = "2024-06-03"):
    """An inpatient line with the codes: enough evidence of each."""
    return line(member, day, claim_type="IP", **{f"diagnosis_code_{n}": code for n, code in enumerate(codes, 1)})


def present_in(row, prefix: str) -> set[str]:
    return {n.removeprefix(prefix) for n in FLAGS if n.startswith(prefix) and row[n]}


ICD_10 = {
    "I252": ({"myocardial_infarction"}, set()),
    "I130": ({"congestive_heart_failure"}, {"congestive_heart_failure", "hypertension_complicated"}),
    "I426": ({"congestive_heart_failure"}, {"congestive_heart_failure", "alcohol_abuse"}),
    "I4891": (set(), {"cardiac_arrhythmia"}),
    "I739": ({"peripheral_vascular_disease"}, {"peripheral_vascular_disorder"}),
    "J45909": ({"chronic_pulmonary_disease"}, {"chronic_pulmonary_disease"}),
    "E119": ({"diabetes_uncomplicated"}, {"diabetes_uncomplicated"}),
    "E1165": ({"diabetes_uncomplicated"}, {"diabetes_complicated"}),
    "E1122": ({"diabetes_complicated"}, {"diabetes_complicated"}),
    "N186": ({"renal_disease"}, {"renal_failure"}),
    "K7030": ({"mild_liver_disease"}, {"liver_disease", "alcohol_abuse"}),
    "K7290": ({"severe_liver_disease"}, {"liver_disease"}),
    "C50911": ({"cancer"}, {"solid_tumor"}),
    "C8110": ({"cancer"}, {"lymphoma"}),
    "C9110": ({"cancer"}, set()),
    "C7951": ({"metastatic_solid_tumor"}, {"metastatic_cancer"}),
    "B20": ({"hiv_aids"}, {"hiv_aids"}),
    "F315": (set(), {"psychosis", "depression"}),
    "E663": (set(), {"obesity"}),
    "C4401": (set(), set()),
    "G8191": ({"hemiplegia_or_paraplegia"}, {"paralysis"}),
    "M069": ({"rheumatic_disease"}, {"rheumatoid_arthritis"}),
    "K259": ({"peptic_ulcer_disease"}, {"peptic_ulcer_disease"}),
    "K250": ({"peptic_ulcer_disease"}, set()),
    "25000": (set(), set()),
}
ICD_9 = {
    "412": ({"myocardial_infarction"}, set()),
    "40413": (
        {"congestive_heart_failure", "renal_disease"},
        {"congestive_heart_failure", "renal_failure", "hypertension_complicated"},
    ),
    "4255": ({"congestive_heart_failure"}, {"congestive_heart_failure", "alcohol_abuse"}),
    "25080": ({"diabetes_uncomplicated"}, {"diabetes_complicated"}),
    "25040": ({"diabetes_complicated"}, {"diabetes_complicated"}),
    "2386": ({"cancer"}, {"lymphoma"}),
    "1733": (set(), set()),
    "1975": ({"metastatic_solid_tumor"}, {"metastatic_cancer"}),
    "V427": ({"mild_liver_disease"}, {"liver_disease"}),
    "5722": ({"severe_liver_disease"}, {"liver_disease"}),
    "30000": (set(), set()),
    "I252": (set(), set()),
}
"""Code -> Charlson and Elixhauser categories, read off tables 1 and 2 of Quan et al. 2005."""


@pytest.mark.parametrize(("day", "codes"), [("2015-10-01", ICD_10), ("2024-06-03", ICD_10), ("2015-09-30", ICD_9)])
def test_a_code_names_the_published_categories_of_its_own_code_system(conditions, day, codes):
    found = conditions(*[stay(code, code, day=day) for code in codes], months=[day[:7]])
    assert {m: tuple(present_in(r, index) for index in INDICES) for (m, _), r in found.items()} == codes


@pytest.mark.requirement("R6")
def test_tests_that_may_rule_a_disease_out_are_no_evidence(conditions):
    def twice(member, **given):
        return [line(member, f"2024-06-0{day}", diagnosis_code_2="C50911", **given) for day in (3, 4)]

    found = conditions(
        *twice("laboratory", claim_type="PROF", procedure_code_1="88305"),
        *twice("imaging", claim_type="OP", procedure_code_1="77067"),
        *twice("both", claim_type="OP", procedure_code_1="77067", procedure_code_2="80047"),
        *twice("second alone", claim_type="OP", procedure_code_2="89398"),
        *twice("visit with a test", claim_type="OP", procedure_code_1="80053", procedure_code_2="99213"),
        *twice("radiation", claim_type="PROF", procedure_code_1="77261"),
        *twice("end of radiation", claim_type="PROF", procedure_code_1="77799"),
        *twice("radioactive drug", claim_type="OP", procedure_code_1="79005"),
        *twice("surgery", claim_type="PROF", procedure_code_1="69990"),
        *twice("in the emergency room", claim_type="ER", procedure_code_1="80053"),
        *twice("no procedure", claim_type="OP"),
        *twice("no claim type", claim_type=None, procedure_code_1="80053"),
        stay("in hospital", "C50911") | {"procedure_code_1": "80053"},
        *twice("visits besides", claim_type="PROF", procedure_code_1="80053"),
        *twice("visits besides", claim_type="PROF", procedure_code_1="99213"),
        twice("one visit", claim_type="PROF", procedure_code_1="99213")[0],
        twice("one visit", claim_type="PROF", procedure_code_1="80053")[1],
    )
    none = {"laboratory", "imaging", "both", "second alone", "one visit"}
    for flag in ("has_cancer", "charlson_cancer", "elixhauser_solid_tumor"):
        assert {m for m, row in found.items() if not row[flag]} == none


@pytest.mark.requirement("R6")
def test_comorbidities_need_one_inpatient_or_two_outpatient_days(conditions):
    def told(member, day, claim_type="OP", **given):
        return line(member, day, claim_type=claim_type, diagnosis_code_12="I252", **given)

    found = conditions(
        told("inpatient", "2024-06-03", "IP"), told("once", "2024-06-03"),
        told("twice a day", "2024-06-03"), told("twice a day", "2024-06-03", "PROF"),
        told("two days", "2023-07-01"), told("two days", "2024-06-30", "ER"),
        told("too old", "2023-06-30"), told("too old", "2024-06-30"),
    )  # fmt: skip
    assert {m for m, row in found.items() if row.charlson_index} == {"inpatient", "two days"}


@pytest.mark.parametrize(
    ("codes", "charlson", "van_walraven"),
    [
        (["E119"], 1, 0),
        (["E119", "E1122"], 2, 0),
        (["K7030"], 1, 11),
        (["K7030", "K7290"], 3, 11),
        (["C50911"], 2, 4),
        (["C50911", "C7951"], 6, 12),
        (["C8110", "C7951"], 6, 9 + 12),
        (["I10", "I110"], 1, 7),
        (["B20"], 6, 0),
        (["E6601", "F1120", "F329"], 0, -4 - 7 - 3),
        (["I252", "I509", "N186", "F0390"], 1 + 1 + 2 + 1, 7 + 5),
    ],
)
def test_the_graver_form_of_a_disease_takes_the_points_of_the_milder(conditions, codes, charlson, van_walraven):
    row = conditions(stay("a", *codes))["a"]
    assert (row.charlson_index, row.elixhauser_van_walraven_score) == (charlson, van_walraven)


def test_the_milder_form_keeps_its_flag(conditions):
    row = conditions(stay("a", "E119", "E1122", "C50911", "C7951"))["a"]
    assert row.charlson_diabetes_uncomplicated and row.charlson_cancer and row.elixhauser_solid_tumor


def test_flags_of_the_contract_are_the_groups_that_are_looked_for():
    assert [group.column for group in (*CONDITIONS, *CHARLSON, *ELIXHAUSER)] == FLAGS


@pytest.mark.requirement("R17")
def test_a_member_without_claims_has_no_condition_and_no_points(conditions, rows, members):
    made = member_conditions(rows(ClaimVersions, stay("other", "I252")), members(["quiet"], [MONTH]), [MONTH])
    (row,) = made.collect()
    assert {row[n] for n in FLAGS} == {False} and {row[n] for n in SUMS} == {0}


@pytest.mark.requirement("R1")
def test_a_late_void_and_a_late_line_leave_the_months_before_them_unchanged(conditions):
    months = ("2024-04", "2024-05", "2024-06")
    sure = stay("a", "I252", day="2024-03-03")
    before = conditions(sure, months=months)
    news = [sure | {"cancelled_on": "2024-06"}, stay("a", "C7951", day="2024-03-04") | {"known_from": "2024-06"}]
    after = conditions(*news, months=months)
    assert [after["a", m] for m in months[:2]] == [before["a", m] for m in months[:2]]
    assert (before["a", "2024-06"].charlson_index, after["a", "2024-06"].charlson_index) == (1, 6)


def test_two_versions_of_one_day_are_one_day_in_the_months_in_which_both_count(conditions):
    """Evidence of one outpatient day, told by lines that count in different months."""
    same = {"claim_type": "OP", "diagnosis_code_1": "I252"}
    found = conditions(
        line("a", "2024-03-03", cancelled_on="2024-06", **same),
        line("a", "2024-03-03", known_from="2024-05", **same),
        line("a", "2024-04-03", known_from="2024-06", **same),
        months=("2024-05", "2024-06"),
    )
    assert [found["a", m].charlson_index for m in ("2024-05", "2024-06")] == [0, 1]


def test_a_feature_row_whose_conditions_were_never_worked_out_is_set_aside(lake, rows, members):
    claims, people = rows(ClaimVersions, stay("a", "I252")), members(["a", "b"], [MONTH])
    conditions = member_conditions(claims, people, [MONTH]).where("member_id = 'a'")
    frame = member_features(claims, people, conditions, [MONTH])
    found = lake.write(frame, "gold", "member_features", MemberFeatures, [MONTH])
    assert (found.rows_kept, found.rows_quarantined) == (1, 1)


def test_more_groups_than_bits_are_refused(rows):
    with pytest.raises(ValueError, match=f"64 groups of codes asked for: ask for {MOST_GROUPS} at a time"):
        present(rows(ClaimVersions), [CONDITIONS[0]] * (MOST_GROUPS + 1))


def test_a_year_of_days_of_one_group_says_nothing_of_its_neighbours(rows):
    """Counts stand side by side in one number: 366 days must not reach the next one."""
    group = CONDITIONS[0]
    others = [replace(group, name=f"g{n}", icd_10_cm=(f"Q{n}",)) for n in range(20)]
    days = [date(2024, 1, 1) + timedelta(days=n) for n in range(366)]
    claims = rows(ClaimVersions, *[line("a", str(day), diagnosis_code_1="E119") for day in days])
    for place in (0, 6, 7, 19):
        groups = [*others[:place], group, *others[place:]]
        found = [row.asDict() for row in present(counting(claims, ["2024-12"]), groups).collect()]
        assert [{n for n, told in row.items() if told is True} for row in found] == [{group.column}]


# An independent computation over random claims of both code systems.

CHANGE = date(2015, 10, 1)
HORIZON = ["2015-06", "2015-12", "2016-04"]
"""As-of months before, across and after the change of systems; the last still looks back to ICD-9-CM."""
HIERARCHY = {
    "charlson_diabetes_uncomplicated": "charlson_diabetes_complicated",
    "charlson_mild_liver_disease": "charlson_severe_liver_disease",
    "charlson_cancer": "charlson_metastatic_solid_tumor",
    "elixhauser_solid_tumor": "elixhauser_metastatic_cancer",
}
POINTS = {
    2: "charlson_diabetes_complicated charlson_hemiplegia_or_paraplegia charlson_renal_disease charlson_cancer",
    3: "charlson_severe_liver_disease elixhauser_chronic_pulmonary_disease elixhauser_coagulopathy",
    4: "elixhauser_pulmonary_circulation_disorder elixhauser_solid_tumor",
    5: "elixhauser_cardiac_arrhythmia elixhauser_renal_failure elixhauser_fluid_and_electrolyte_disorder",
    6: (
        "charlson_metastatic_solid_tumor charlson_hiv_aids"
        " elixhauser_other_neurological_disorder elixhauser_weight_loss"
    ),
    7: "elixhauser_congestive_heart_failure elixhauser_paralysis",
    9: "elixhauser_lymphoma",
    11: "elixhauser_liver_disease",
    12: "elixhauser_metastatic_cancer",
    -1: "elixhauser_valvular_disease",
    -2: "elixhauser_blood_loss_anemia elixhauser_deficiency_anemia",
    -3: "elixhauser_depression",
    -4: "elixhauser_obesity",
    -7: "elixhauser_drug_abuse",
}
"""Weights other than 1 (Charlson), 2 (peripheral vascular disorder) and 0 (Elixhauser)."""
WEIGHT = {name: points for points, names in POINTS.items() for name in names.split()}
WEIGHT["elixhauser_peripheral_vascular_disorder"] = 2


def code_set() -> list[dict[str, str]]:
    text = files("claims_assets").joinpath("sources", "code_sets", "comorbidity_codes.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def random_lines(draw: random.Random) -> list[dict]:
    """Lines of 150 members around the change of code systems; half of the members have few, so that flags vary."""
    lines, groups = [], defaultdict(list)
    for row in code_set():
        groups[row["index"], row["category"], row["system"]].append(row["code"])
    # By group first: some are named by one code only.
    codes = list(groups.values())
    for member in range(150):
        for number in range(draw.choice((1, 3, 12, 80))):
            day = date(2014, 8, 1) + timedelta(days=draw.randrange(640))
            known = day + timedelta(days=draw.choice((0, 0, 0, 40, 200)))
            named = [draw.choice(draw.choice(codes)) + draw.choice(("", "0", "19")) for _ in range(draw.randint(0, 4))]
            cancelled = draw.random() < 0.2
            lines.append(
                {"claim_feed": "medical", "claim_id": f"{member}-{number}", "claim_line_number": 1,
                 "member_id": f"M{member:03d}", "adjustment_indicator": "0", "claim_month": f"{day:%Y-%m}",
                 "claim_status": draw.choices(("PAID", None, "DENIED"), (8, 1, 1))[0],
                 "claim_type": draw.choices(("IP", "OP", "PROF", "ER"), (1, 6, 6, 2))[0], "service_from_date": day,
                 "procedure_code_1": draw.choice((None, "99213", "80053", "77427")), "known_from": f"{known:%Y-%m}",
                 "cancelled_on": f"{known + timedelta(days=90):%Y-%m}" if cancelled else None,
                 **{f"diagnosis_code_{n}": c for n, c in zip(draw.sample(range(1, 13), 12), named, strict=False)}}
            )  # fmt: skip
    return lines


def counts_in(given: dict, month: str) -> bool:
    year, number = int(month[:4]), int(month[5:])
    first = f"{year - 1}-{number + 1:02d}" if number < 12 else f"{year}-01"
    known = given["known_from"] <= month and (given["cancelled_on"] is None or given["cancelled_on"] > month)
    return given["claim_status"] != "DENIED" and known and first <= given["claim_month"] <= month


def expected(lines: list[dict], month: str) -> dict[str, dict]:
    """Member -> flags and points, line by line and code by code."""
    inpatient, outpatient = defaultdict(set), defaultdict(set)
    codes = code_set()
    for given in lines:
        tests = given["claim_type"] in ("PROF", "OP") and given["procedure_code_1"] == "80053"
        if tests or not counts_in(given, month):
            continue
        system = "ICD-9-CM" if given["service_from_date"] < CHANGE else "ICD-10-CM"
        days = inpatient if given["claim_type"] == "IP" else outpatient
        for code in [v for n, v in given.items() if n.startswith("diagnosis_code_")]:
            for row in codes:
                if row["system"] == system and code.startswith(row["code"]):
                    days[given["member_id"], f"{row['index']}_{row['category']}"].add(given["service_from_date"])
    found = defaultdict(dict)
    for member in {x["member_id"] for x in lines}:
        flags = {n for n in FLAGS if inpatient[member, n] or len(outpatient[member, n]) >= 2}
        counted = {n for n in flags if HIERARCHY.get(n) not in flags}
        found[member] = {n: n in flags for n in FLAGS if n.startswith(INDICES)}
        for total, index in zip(SUMS[1:], INDICES, strict=True):
            usual = 1 if index == "charlson_" else 0
            found[member][total] = sum(WEIGHT.get(n, usual) for n in counted if n.startswith(index))
    return found


def test_comorbidities_of_random_claims_equal_an_independent_computation(spark, members):
    lines = random_lines(random.Random(11))
    people = members(sorted({x["member_id"] for x in lines}), HORIZON)
    versions = spark.createDataFrame(pa.Table.from_pylist(lines, schema=pa.schema(list(COLUMNS.items()))))
    rows = member_conditions(versions, people, HORIZON).collect()
    assert len(rows) == 150 * len(HORIZON)
    seen = set()
    for month in HORIZON:
        wanted = expected(lines, month)
        found = {r.member_id: {n: r[n] for n in wanted[r.member_id]} for r in rows if r.claim_month == month}
        assert found == wanted
        seen |= {n for row in wanted.values() for n, value in row.items() if value is True}
        assert len({row["charlson_index"] for row in wanted.values()}) > 5
    assert seen == {n for n in FLAGS if n.startswith(INDICES)}, "a category that never shows proves nothing"


@pytest.mark.requirement("R12")
def test_neither_the_order_of_rows_nor_other_months_change_a_month(lake, spark, random_claims):
    month = random_claims.months[-1]

    def written(versions, months):
        people = random_claims.members.where(F.col("claim_month").isin(months))
        frame = member_conditions(versions, people, months)
        return lake.write(frame, "gold", "member_conditions", MemberConditions, months)

    table = random_claims.versions_table
    shuffled = table.take(random.Random(5).sample(range(table.num_rows), table.num_rows))
    first = written(random_claims.versions, random_claims.months[-4:])
    again = written(spark.createDataFrame(shuffled), [month])
    assert first.blocked == [] and first.failed_by_rule() == {}
    assert first.fingerprint[month] == again.fingerprint[month]
    assert len(set(first.fingerprint.values())) == 4
