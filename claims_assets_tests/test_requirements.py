"""The list of requirements agrees with the tests that carry their markers, and the page with both."""

import pytest

from claims_assets_tests.requirements import (
    DOCUMENT,
    REQUIREMENTS,
    MisplacedMarker,
    document,
    marked_tests,
)

FOUND = marked_tests()


def test_requirements_are_numbered_without_gap_and_say_their_rule_in_a_sentence():
    assert [r.number for r in REQUIREMENTS] == [f"R{n}" for n in range(1, 43)]
    assert [r.number for r in REQUIREMENTS if not (r.rule[0].isupper() and r.rule.endswith("."))] == []


def test_every_marker_names_a_known_requirement():
    assert FOUND.keys() - {r.number for r in REQUIREMENTS} == set()


@pytest.mark.parametrize("requirement", REQUIREMENTS, ids=lambda r: r.number)
def test_a_requirement_is_tested_exactly_if_a_test_carries_its_marker(requirement):
    assert (requirement.state == "tested") == bool(FOUND.get(requirement.number))


def test_a_requirement_without_test_names_the_part_it_waits_for():
    assert [r.number for r in REQUIREMENTS if not r.tested and not r.part] == []


def test_the_page_is_current():
    assert DOCUMENT.read_text(encoding="utf-8") == document(FOUND), "run `make requirements`"


def test_markers_are_read_from_the_text_of_tests_in_methods_too(tmp_path):
    module = "@mark.parametrize('n', [1])\n@pytest.mark.requirement('R7', 'R8')\ndef test_a(n): ...\n\n"
    module += "class TestB:\n    @pytest.mark.requirement('R7')\n    def test_b(self): ...\n\ndef helper(): ...\n"
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "test_x.py").write_text(module)
    (tmp_path / "conftest.py").write_text(module)
    found = marked_tests(tmp_path)
    assert found == {"R7": ["deep/test_x.py::test_a", "deep/test_x.py::test_b"], "R8": ["deep/test_x.py::test_a"]}


@pytest.mark.parametrize("marker", ["requirement", "requirement()", "requirement(NUMBER)", "requirement('R7', 8)"])
def test_a_marker_without_literal_number_is_refused(tmp_path, marker):
    (tmp_path / "test_x.py").write_text(f"@pytest.mark.{marker}\ndef test_a(): ...\n")
    with pytest.raises(MisplacedMarker, match="test_a needs its requirement as text"):
        marked_tests(tmp_path)
