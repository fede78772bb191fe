"""What the project promises about its numbers, one rule a line, and which tests hold it to each rule.

A test that would fail if a rule were broken carries `@pytest.mark.requirement("R7")`. `make requirements` writes the
list with those tests to docs/requirements.md; the markers are read from the source text, so nothing is imported.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).resolve().parent
DOCUMENT = TESTS.parent / "docs" / "requirements.md"
MARKER = "requirement"


@dataclass(frozen=True)
class Requirement:
    """One rule. `part` names what the system does not have yet: for a rule that waits, all that the rule is about."""

    number: str
    rule: str
    tested: bool
    part: str = ""

    @property
    def state(self) -> str:
        return "tested" if self.tested else "with its part"


def tested(number: str, rule: str, part: str = "") -> Requirement:
    """A rule that tests hold; `part` is what else the rule will cover."""
    return Requirement(number, rule, True, part)


def waiting(number: str, rule: str, part: str) -> Requirement:
    """A rule about a part that does not exist yet."""
    return Requirement(number, rule, False, part)


REQUIREMENTS = (
    tested("R1", "No claim or enrolment that becomes known after a month changes a feature or a model of that month."),
    tested(
        "R2",
        "A model scores with its own registered version alone; a member alone gets the score it gets among all.",
    ),
    tested("R3", "Every output that is advertised exists in the graph and has a test."),
    tested(
        "R4",
        "A vaccine is missing only where no dose is on file; a dose from claim, pharmacy or registry closes the gap.",
    ),
    tested(
        "R5",
        "Every enrolled member is listed or excluded with one reason, healthy adults too; due vaccines are an array.",
    ),
    tested(
        "R6",
        "A claim sets all conditions it names, from every position; one inpatient or two outpatient days are needed.",
    ),
    tested("R7", "A void never raises a total, and a chain of voids and replacements nets to its final amount."),
    tested(
        "R8",
        "Two distinct claims of one member and day both count, and the order of rows or files changes nothing.",
    ),
    tested("R9", "Facility and professional lines of one visit or stay count as one event."),
    tested(
        "R10",
        "Race and ethnicity labels fall into the right group in any case: negative and longer labels are never "
        "taken for shorter ones.",
    ),
    tested("R11", "Overlapping coverage counts once: one row per member and covered month, in cost and rates too."),
    tested(
        "R12",
        "Windows end at a stated month, never at today; an old month built again from the same files is equal.",
    ),
    tested("R13", "Drift is measured against a profile kept with the model; an empty reference is an error."),
    tested("R14", "A model is promoted on measures of held-out members read from its run; a missing measure refuses."),
    waiting(
        "R15",
        "What leaves for analysis is de-identified by a list of allowed columns, and small cells are hidden.",
        "de-identified export",
    ),
    tested(
        "R16",
        "Order follows from dependencies and lateness from freshness policies, never from offsets between clocks.",
    ),
    tested(
        "R17",
        "No claims means zero flags, activity that stopped is a trend of -100%, and never is told apart from today.",
    ),
    tested("R18", "Reversed and unpaid pharmacy fills do not count, by the same rule as medical lines."),
    tested("R19", "Queries that we ship or promise to support are executed."),
    tested("R20", "A required input that is missing or unusable stops a run before anything is written."),
    tested("R21", "No input of a model comes from the year it predicts."),
    tested(
        "R22",
        "Rare outcomes are judged by precision and recall: a model that predicts nobody is refused.",
    ),
    tested("R23", "Members that measure a model decide nothing in it, neither trees nor threshold."),
    tested("R24", "A measure that cannot be computed is absent with its reason, and never replaced by a number."),
    tested(
        "R25",
        "Two models are compared on the same held-out members; comparing a model with itself does nothing and says so.",
    ),
    tested(
        "R26",
        "Reconstruction errors are standardised, so the unit of an amount does not change who is ranked first.",
    ),
    tested(
        "R27",
        "Categories have stored numbers and unknown ones are missing or a bucket of their own, so a value means the "
        "same in any batch.",
    ),
    tested("R28", "The threshold of an anomaly comes from data that the model was not fitted on."),
    tested("R29", "A distribution shift is seen beyond the known range, in missing values and in empty bins."),
    tested(
        "R30",
        "A group rate of zero fails, small groups are not judged, and every named fairness measure is computed in "
        "one band.",
    ),
    tested("R31", "A missing fairness result counts as unfair, and unfairness blocks promotion."),
    tested(
        "R32",
        "Scores meet their rows by key, each model has a name of its own, and every entry point is run.",
    ),
    tested(
        "R33",
        "A table has the columns of its contract and no others; unknown ones of a file are kept aside; a changed "
        "type stops the write.",
    ),
    tested("R34", "Loading providers twice leaves the same rows as loading them once."),
    tested(
        "R35",
        "There is no default password: each server gets a random one, does not start without it, and never shows it.",
    ),
    tested(
        "R36",
        "A provider number is valid by its check digit with the health prefix; any one changed digit makes it invalid.",
    ),
    tested("R37", "Diagnosis codes of all legal shapes are accepted: with U, without a dot, in either revision."),
    tested("R38", "Procedure codes ending in F, T, M or U are accepted."),
    waiting("R39", "An audit of access looks at one period, the same for every column.", "access audit"),
    tested("R40", "A check that raised an error, or had nothing to look at, is unhealthy.", "health check"),
    tested("R41", "Each branch has one deployment path, and it is tested."),
    tested("R42", "Quality is one number on one scale, in configuration and in alerts."),
)


class MisplacedMarker(ValueError):
    """A marker that this module does not read."""


def marked_tests(folder: Path = TESTS) -> dict[str, list[str]]:
    """Requirement -> its tests as `path::name`, in the order of files and lines.

    Raises:
        MisplacedMarker: a marker has no literal number.
    """
    found: dict[str, list[str]] = {}
    for path in sorted(folder.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                for number in _numbers(node, path):
                    found.setdefault(number, []).append(f"{path.relative_to(folder).as_posix()}::{node.name}")
    return found


def _numbers(test: ast.FunctionDef, path: Path) -> Iterator[str]:
    for decorator in test.decorator_list:
        call = decorator.func if isinstance(decorator, ast.Call) else decorator
        if not (isinstance(call, ast.Attribute) and call.attr == MARKER):
            continue
        given = decorator.args if isinstance(decorator, ast.Call) else []
        numbers = [a.value for a in given if isinstance(a, ast.Constant) and isinstance(a.value, str)]
        if not numbers or len(numbers) != len(given):
            raise MisplacedMarker(f'{path}: {test.name} needs its requirement as text, as in `{MARKER}("R7")`.')
        yield from numbers


def document(found: dict[str, list[str]]) -> str:
    """The page docs/requirements.md."""
    held = sum(r.tested for r in REQUIREMENTS)
    lines = [
        "# Requirements",
        "",
        "What must hold of the numbers, and the tests that would fail if it did not. *tested*: those tests exist.",
        "*with its part*: the rule is about a part of the system that does not exist yet; it comes with its tests.",
        "",
        f"{len(REQUIREMENTS)} rules: {held} tested, {len(REQUIREMENTS) - held} with their part. Written by"
        " `make requirements` from the markers",
        "of the tests; paths are below `claims_assets_tests`.",
        "",
        "| | rule | state | not there yet |",
        "|---|---|---|---|",
        *[f"| {r.number} | {r.rule} | {r.state} | {r.part} |" for r in REQUIREMENTS],
        "",
        "## Tests",
    ]
    for requirement in REQUIREMENTS:
        tests = found.get(requirement.number, [])
        if tests:
            lines += ["", f"**{requirement.number}** {requirement.rule}", "", *[f"* `{name}`" for name in tests]]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    DOCUMENT.write_text(document(marked_tests()), encoding="utf-8")
