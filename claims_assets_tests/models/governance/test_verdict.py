"""The worst criterion decides, and the tables show all of them."""

import pytest

from claims_assets.models.governance.gate import judge
from claims_assets.models.governance.verdict import Criterion, Verdict, shown
from claims_assets_tests.models.governance.heldout import classifier_rows, honest

GOOD = Criterion("auc", "passed", "at least 0.7", 0.81, 0.78, 0.84)
LOW = Criterion("recall", "below_floor", "at least 0.7", 0.5, reason="recall is low.")
BAD = Criterion("time travel", "refused", "no feature differs", reason="It knew.")


@pytest.mark.parametrize(
    ("criteria", "outcome", "reasons"),
    [
        ((GOOD,), "passed", ()),
        ((GOOD, LOW), "below_floor", ("recall is low.",)),
        ((LOW, BAD, GOOD), "refused", ("It knew.", "recall is low.")),
        ((), "refused", ("Nothing is known of this version.",)),
    ],
)
def test_the_worst_criterion_decides_and_is_named_first(criteria, outcome, reasons):
    assert (Verdict(criteria).outcome, Verdict(criteria).reasons) == (outcome, reasons)


def test_the_table_shows_value_interval_limit_and_verdict():
    assert Verdict((GOOD, LOW, BAD)).as_markdown().splitlines()[2:] == [
        "| auc | 0.810 (0.780 to 0.840) | at least 0.7 | passed |",
        "| recall | 0.500 | at least 0.7 | below floor |",
        "| time travel |  | no feature differs | refused |",
    ]


def test_groups_have_a_table_of_their_own():
    rows = classifier_rows(2000)
    lowered = rows.assign(flagged=rows["flagged"].where(rows["race"] != "Black", 0), gender=None)
    lines = judge(honest(lowered)).verdict.as_markdown().splitlines()
    start = lines.index("| farthest from the largest group | flagged | found | right | predicted to observed |")
    table = {line.split(" | ")[0].removeprefix("| "): line for line in lines[start + 2 :]}
    assert list(table) == ["gender", "race", "ethnicity", "age_group", "dual_eligible"]
    assert table["gender"].count("not judged: refused") == 3
    assert "| Black 0.00: refused |" in table["race"]
    assert table["age_group"].count(": reported") == 3


@pytest.mark.parametrize(("value", "text"), [(0.12345, "0.123"), (15_000.4, "15,000"), (float("nan"), "not a number")])
def test_numbers_are_shown_as_people_read_them(value, text):
    assert shown(value) == text
