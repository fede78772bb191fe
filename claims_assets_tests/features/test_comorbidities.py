"""The code set of comorbidities: the published tables, and errors of whoever edits it."""

import importlib
import sys
from importlib.util import find_spec
from types import ModuleType

import pytest

from claims_assets.features import comorbidities as module
from claims_assets.features.comorbidities import SYSTEMS, comorbidities

THEIR_TABLES = {
    "charlson": "ami chf pvd cevd dementia copd rheumd pud mld diab diabwc hp rend canc msld metacanc aids",
    "elixhauser": (
        "chf carit valv pcd pvd hypunc hypc para ond cpd diabunc diabc hypothy rf ld pud aids lymph metacanc solidtum"
        " rheumd coag obes wloss fed blane dane alcohol drug psycho depre"
    ),
}
"""The library's names of the categories, in published order."""


@pytest.fixture
def library(monkeypatch):
    """The tables of comorbidipy, without its package: that imports a name that pandas has dropped since."""
    found = find_spec("comorbidipy")
    if found is None:
        pytest.skip("comorbidipy is not installed: pip install -e '.[test]'")
    package = ModuleType("comorbidipy")
    package.__path__ = list(found.submodule_search_locations or ())
    monkeypatch.setitem(sys.modules, "comorbidipy", package)
    for name in ("mapping", "weights"):
        monkeypatch.delitem(sys.modules, f"comorbidipy.{name}", raising=False)
    mapping, weights = (importlib.import_module(f"comorbidipy.{name}") for name in ("mapping", "weights"))
    return mapping.mapping, weights.weights


@pytest.mark.parametrize(("index", "weighting"), [("charlson", "charlson"), ("elixhauser", "vw")])
def test_codes_and_weights_are_those_of_the_library(library, index, weighting):
    mapping, weights = library
    ours, theirs = comorbidities(index), THEIR_TABLES[index].split()
    for table, system in ((f"{index}_icd10_quan", "icd_10_cm"), (f"{index}_icd9_quan", "icd_9_cm")):
        assert mapping[table].keys() == set(theirs)
        codes = {name: set(getattr(category, system)) for name, category in zip(theirs, ours, strict=True)}
        assert codes == {name: set(given) for name, given in mapping[table].items()}
        assert weights[table][weighting] == {n: category.weight for n, category in zip(theirs, ours, strict=True)}


def test_every_category_has_a_name_of_its_own_and_yields_to_a_graver_one_of_its_index():
    both = [*comorbidities("charlson"), *comorbidities("elixhauser")]
    assert (len(comorbidities("charlson")), len(comorbidities("elixhauser"))) == (17, 31)
    by_column = {x.column: x for x in both}
    assert len(by_column) == len(both)
    pairs = [(x, by_column[x.yields_to]) for x in both if x.yields_to]
    assert len(pairs) == 6
    assert all(graver.weight >= milder.weight and graver.index == milder.index for milder, graver in pairs)


GOOD = [
    f"{system},{index},{category},X1,test"
    for index, weights in module.WEIGHTS.items()
    for category in weights
    for system in SYSTEMS
]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([*GOOD, "ICD-10-CM,charlson,gout,M10,test"], "line 98: charlson gout is no category"),
        ([*GOOD, "ICD-10-CM,elixhauser,cancer,C1,test"], "line 98: elixhauser cancer is no category"),
        ([*GOOD, "ICD-11,charlson,cancer,2A,test"], "line 98: system 'ICD-11' is not one of ICD-10-CM, ICD-9-CM"),
        ([*GOOD, "ICD-10-CM,charlson,cancer,C50.9,test"], "line 98: code 'C50.9' is not letters and digits only"),
        ([*GOOD, "ICD-10-CM,charlson,cancer,X1,test"], "line 98: cancer X1 is there twice"),
        (GOOD[1:], "no code for charlson myocardial_infarction \\(ICD-10-CM\\): add its lines"),
    ],
)
def test_a_wrong_line_is_named(monkeypatch, tmp_path, lines, said):
    folder = tmp_path / "sources" / "code_sets"
    folder.mkdir(parents=True)
    (folder / "comorbidity_codes.csv").write_text("\n".join(["system,index,category,code,source", *lines]))
    monkeypatch.setattr(module, "files", lambda package: tmp_path)
    with pytest.raises(ValueError, match=said):
        comorbidities.__wrapped__("charlson")


def test_every_line_of_the_code_set_names_its_source():
    text = module.files("claims_assets").joinpath("sources", "code_sets", module.CODE_SET).read_text(encoding="utf-8")
    header, *lines = text.splitlines()
    assert header == "system,index,category,code,source"
    assert [line for line in lines if not line.split(",")[4].startswith("Quan et al. 2005")] == []
