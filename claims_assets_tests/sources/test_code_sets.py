"""Code sets: complete, consistent, and every line with its source."""

import re
from itertools import pairwise

import pytest

from claims_assets.sources import code_sets
from claims_assets.sources.code_sets import (
    DEMOGRAPHICS,
    VACCINES,
    demographic_labels,
    diagnosis_code_list,
    label_pattern,
    normal_label,
    place_of_service_codes,
    vaccine_codes,
)
from claims_assets.synthetic import products as synthetic

SHAPES = {"CVX": r"\d{2,3}", "CPT": r"\d{5}", "HCPCS": r"[A-V]\d{4}", "NDC": r"\d{11}"}
PUBLISHED = {2016: 69_823, 2019: 71_932, 2020: 72_184, 2022: 72_750, 2024: 74_044, 2025: 74_260, 2026: 74_719}
"""Billable ICD-10-CM codes of a fiscal year's first release, CDC/NCHS and CMS."""


def codes(system, vaccine=None):
    return {v.code for v in vaccine_codes() if v.code_system == system and vaccine in (None, v.vaccine)}


def test_every_code_has_the_shape_of_its_system():
    wrong = [v.code for v in vaccine_codes() if not re.fullmatch(SHAPES[v.code_system], v.code)]
    assert wrong == []


def test_every_line_has_a_product_and_a_source():
    assert all(v.product and v.source for v in vaccine_codes())


def test_every_vaccine_has_product_codes_for_registry_and_claims():
    for vaccine in VACCINES:
        assert codes("CVX", vaccine)
        assert any(
            v.vaccine == vaccine and v.code_system == "CPT" and not v.administration_only for v in vaccine_codes()
        )


def test_only_a_combined_vaccine_has_a_code_for_two_vaccines():
    vaccines = {}
    for v in vaccine_codes():
        vaccines.setdefault((v.code_system, v.code), set()).add(v.vaccine)
    combined = {
        "CVX": {"50", "51", "94", "102", "104", "110", "120", "130", "132", "146", "170", "193", "198"},
        "CPT": {"90636", "90696", "90697", "90698", "90710", "90721", "90723", "90748"},
    }
    several = {key for key, names in vaccines.items() if len(names) > 1}
    assert several == {(system, code) for system, held in combined.items() for code in held}


def test_the_live_zoster_vaccine_is_a_product_of_its_own():
    live = {("CPT", "90736"), ("CVX", "121")}
    assert {(v.code_system, v.code) for v in vaccine_codes() if v.product == "zoster live"} == live


def test_administration_codes_are_marked():
    assert {v.code for v in vaccine_codes() if v.administration_only} == {"G0008", "G0009", "G0010", "90480"}


def test_rsv_products_agree_over_the_code_systems():
    by_product = {}
    for v in vaccine_codes():
        if v.vaccine == "rsv" and v.code_system != "NDC":
            by_product.setdefault(v.product, set()).add(v.code)
    assert by_product == {
        "RSV Arexvy": {"90679", "303"},
        "RSV Abrysvo": {"90678", "305"},
        "RSV mRESVIA": {"90683", "326"},
        "RSV unspecified": {"304", "314"},
    }


def test_the_synthetic_population_is_vaccinated_with_known_codes():
    for product in synthetic.VACCINES:
        known = {product.cpt in codes("CPT"), product.cvx in codes("CVX"), product.ndc in codes("NDC")}
        assert known == {True}, product.name
    assert set(synthetic.FLU_REGISTRY_CODES) <= codes("CVX", "influenza")


@pytest.fixture(scope="module")
def diagnoses():
    return diagnosis_code_list().to_pylist()


@pytest.mark.parametrize("year", PUBLISHED)
def test_the_billable_codes_of_a_year_are_as_many_as_were_published(diagnoses, year):
    held = [
        d["code"]
        for d in diagnoses
        if d["is_billable"]
        and d["code_system"] == "ICD-10-CM"
        and d["first_fiscal_year"] <= year <= (d["last_fiscal_year"] or year)
    ]
    assert len(held) == len(set(held))
    # Within a year codes are added in January and April; fiscal year 2016 is known from the equivalence map alone.
    assert 0 <= len(held) - PUBLISHED[year] <= 9


def test_the_last_revision_of_icd_9_is_whole(diagnoses):
    held = [d for d in diagnoses if d["code_system"] == "ICD-9-CM"]
    assert sum(d["is_billable"] for d in held) == 14_567
    assert {(d["first_fiscal_year"], d["last_fiscal_year"]) for d in held} == {(None, 2015)}


def test_a_diagnosis_code_has_one_standing_a_year(diagnoses):
    years = {}
    for d in diagnoses:
        years.setdefault((d["code_system"], d["code"]), []).append(
            (d["first_fiscal_year"] or 0, d["last_fiscal_year"] or 9999)
        )
    for spans in years.values():
        spans.sort()
        assert all(a[1] < b[0] for a, b in pairwise(spans))
        assert all(first <= last for first, last in spans)


def test_a_heading_has_longer_codes_below_it(diagnoses):
    known = {(d["code_system"], d["code"]) for d in diagnoses}
    parents = {(system, code[:n]) for system, code in known for n in range(3, len(code))}
    headings = {(d["code_system"], d["code"]) for d in diagnoses if not d["is_billable"]}
    assert headings <= parents


def test_places_of_service_have_two_digits():
    assert all(re.fullmatch(r"\d{2}", code) for code in place_of_service_codes())
    assert {"11", "21", "23", "02", "10", "99"} <= set(place_of_service_codes())
    assert not {"00", "28", "48", "98"} & set(place_of_service_codes())


@pytest.mark.requirement("R10")
@pytest.mark.parametrize("vocabulary", DEMOGRAPHICS)
def test_labels_match_their_pattern_however_they_are_written(vocabulary):
    pattern = re.compile(label_pattern(vocabulary))
    for label in demographic_labels(vocabulary):
        for written in (label, label.lower(), label.title().replace(" ", "-"), f" {label} "):
            assert pattern.search(written)
            assert normal_label(written) == label
    assert not pattern.search("MARTIAN")
    assert not pattern.search("")


def test_an_unknown_vocabulary_is_refused():
    with pytest.raises(ValueError, match="'religion' is not one of gender, race, ethnicity"):
        demographic_labels("religion")


@pytest.fixture
def lines(monkeypatch):
    """Replaces the rows of the code sets, and forgets what was read before and after."""
    caches = (vaccine_codes, demographic_labels, place_of_service_codes)

    def put(*rows):
        monkeypatch.setattr(code_sets, "rows_of", lambda name: enumerate(rows, start=2))
        for cached in caches:
            cached.cache_clear()

    yield put
    for cached in caches:
        cached.cache_clear()


GOOD = {
    "vaccine": "rsv",
    "code_system": "CVX",
    "code": "303",
    "product": "RSV",
    "administration_only": "false",
    "source": "s",
    "verified": "true",
}


@pytest.mark.parametrize("column", ["vaccine", "code_system", "administration_only", "verified"])
def test_a_bad_value_in_the_code_set_names_its_line(lines, column):
    lines(GOOD, GOOD | {column: "wrong"})
    with pytest.raises(ValueError, match=f"vaccine_codes.csv line 3: {column} 'wrong' is not one of"):
        vaccine_codes()


def test_a_repeated_code_is_refused(lines):
    lines(GOOD, GOOD)
    with pytest.raises(ValueError, match="rsv CVX 303 is there twice"):
        vaccine_codes()


def test_a_label_for_two_groups_is_refused(lines):
    label = {"vocabulary": "race", "label": "WHITE", "source": "s"}
    lines(label | {"group": "White"}, label | {"label": "white", "group": "Black"})
    with pytest.raises(ValueError, match="line 3: race 'WHITE' stands for two groups"):
        demographic_labels("race")


def test_a_repeated_place_is_refused(lines):
    place = {"code": "11", "source": "s", "verified": "true"}
    lines(place, place)
    with pytest.raises(ValueError, match="line 3: 11 is there twice"):
        place_of_service_codes()
