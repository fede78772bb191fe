"""Code sets: complete, consistent, and every line with its source."""

import re

import pytest

from claims_assets.sources import code_sets
from claims_assets.sources.code_sets import (
    DEMOGRAPHICS,
    VACCINES,
    demographic_labels,
    label_pattern,
    normal_label,
    vaccine_codes,
)
from claims_assets.synthetic import products as synthetic

SHAPES = {"CVX": r"\d{2,3}", "CPT": r"\d{5}", "HCPCS": r"[A-V]\d{4}", "NDC": r"\d{11}"}
NOT_IN_THE_SET = {"DTAP", "POLIO", "HIB", "HEPATITIS A", "ROTAVIRUS"}
"""Synthetic childhood doses of vaccines that the code set does not cover."""


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
    assert {key for key, names in vaccines.items() if len(names) > 1} == {("CVX", "94"), ("CPT", "90710")}


def test_the_live_zoster_vaccine_is_no_evidence():
    assert "90736" not in codes("CPT")
    assert "121" not in codes("CVX")


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
    }


def test_the_synthetic_population_is_vaccinated_with_known_codes():
    for product in synthetic.VACCINES:
        known = {product.cpt in codes("CPT"), product.cvx in codes("CVX"), product.ndc in codes("NDC")}
        assert known == {product.name not in NOT_IN_THE_SET}, product.name
    assert set(synthetic.FLU_REGISTRY_CODES) <= codes("CVX", "influenza")


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
    caches = (vaccine_codes, demographic_labels)

    def put(*rows):
        monkeypatch.setattr(code_sets, "_rows", lambda name: enumerate(rows, start=2))
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
