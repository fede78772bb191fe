"""The quality score: numbers computed by hand, and what holds for any counts."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claims_assets import columns as c
from claims_assets.contracts import DIMENSIONS, GRAIN_IS_UNIQUE, Contract, compiled
from claims_assets.monitoring.quality import BANDS, WEIGHTS, band, counts_of, lowest, score_of
from claims_assets.runtime.stage import Findings
from claims_assets_tests.monitoring import bills as hand
from claims_assets_tests.monitoring.bills import MONTH, Bills

CONTRACT = compiled(Bills)
RULES = {r.name: r for r in (*CONTRACT.counted, *CONTRACT.rules)}
UNSTATED = "line_is_not_odd"


class Names(Contract):
    """One row per name: nothing that dates a row, no rule over several columns."""

    name: str = c.required("Name.")

    class Config:
        unique = ["name"]


def findings(counts, rows, month=MONTH):
    """Findings of one month in which each rule broke `failed` of `applicable` rows."""
    return Findings(
        kept={month: rows},
        failed={month: {rule: failed for rule, (failed, _) in counts.items()}},
        applicable={month: {rule: applicable for rule, (_, applicable) in counts.items()}},
    )


def score(found) -> float:
    value = score_of(found, CONTRACT)[MONTH].score
    assert value is not None
    return value


@st.composite
def any_counts(draw):
    """(rule -> (failed, applicable), rows), also of a rejection that the contract does not state."""
    rows = draw(st.integers(1, 1000))
    counts = {}
    for rule in RULES:
        applicable = draw(st.integers(0, rows))
        counts[rule] = (draw(st.integers(0, applicable)), applicable)
    counts[GRAIN_IS_UNIQUE] = (counts[GRAIN_IS_UNIQUE][0], rows)
    return counts | {UNSTATED: (draw(st.integers(0, rows)), rows)}, rows


def test_each_rule_is_counted_over_the_rows_it_applies_to(bills):
    found = {k.rule: (k.failed, k.applicable) for k in counts_of(bills(), CONTRACT, MONTH)}
    assert found == hand.FAILED_OF_APPLICABLE


def test_the_score_is_the_one_computed_by_hand(bills):
    found = score_of(bills(), CONTRACT)[MONTH]
    assert found.dimensions == hand.DIMENSIONS
    assert (found.rows, found.score, found.band) == (4, hand.SCORE, "warning")


def test_a_dimension_that_cannot_be_measured_leaves_its_weight_to_the_others(lake, spark):
    frame = spark.createDataFrame([("ann",), (None,)], "name string")
    found = score_of(lake.write(frame, "bronze", "names", Names, None), compiled(Names))[""]
    assert found.dimensions == {"completeness": 50.0, "accuracy": 100.0}
    assert found.score == 68.75  # (0.25 x 50 + 0.15 x 100) / 0.40


def test_a_repeated_grain_counts_against_accuracy_in_the_month_of_the_repeat(bills):
    repeated = [("a", m, m, "P", None, None, None, None) for m in ("2024-02", MONTH, "2024-02")]
    found = bills(*repeated, months=(MONTH, "2024-02"))
    assert found.duplicates == 2
    by_month = {m: score_of(found, CONTRACT)[m].dimensions["accuracy"] for m in (MONTH, "2024-02")}
    assert by_month == {MONTH: 100.0, "2024-02": 66.67}  # (1 + 1 + 0) / 3


def test_a_month_without_rows_has_no_score(bills):
    found = score_of(bills(*hand.ROWS, months=(MONTH, "2024-02")), CONTRACT)
    empty = found["2024-02"]
    assert (empty.rows, empty.score, empty.band, dict(empty.dimensions)) == (0, None, "no rows", {})
    assert lowest(found) == (MONTH, found[MONTH])
    assert lowest({"2024-02": empty}) is None


@pytest.mark.parametrize(
    ("value", "name"),
    [(0, "critical"), (59.99, "critical"), (60, "warning"), (79.99, "warning"), (80, "fair"), (94.99, "fair"),
     (95, "good"), (97.99, "good"), (98, "excellent"), (100, "excellent"), (None, "no rows")],
)  # fmt: skip
def test_bands_begin_at_their_limit(value, name):
    assert band(value) == name


@pytest.mark.requirement("R42")
def test_weights_are_shares_of_all_dimensions_and_bands_lie_on_the_scale_from_0_to_100():
    assert tuple(WEIGHTS) == DIMENSIONS
    assert sum(WEIGHTS.values()) == pytest.approx(1)
    assert list(BANDS) == sorted(BANDS)
    assert all(1 < limit < 100 for limit in BANDS), "a limit of 1 or less is one on the scale from 0 to 1"


@pytest.mark.requirement("R42")
def test_a_table_that_breaks_nothing_scores_100_and_one_that_breaks_all_scores_0():
    clean = dict.fromkeys(RULES, (0, 7))
    assert score(findings(clean, 7)) == 100
    assert score(findings(dict.fromkeys(RULES, (7, 7)), 7)) == 0


@settings(max_examples=200)
@given(any_counts())
def test_a_score_and_its_dimensions_lie_between_0_and_100(drawn):
    found = findings(*drawn)
    assert all(0 <= v <= 100 for v in (score(found), *score_of(found, CONTRACT)[MONTH].dimensions.values()))


@settings(max_examples=200)
@given(any_counts(), st.sampled_from([*RULES, UNSTATED]), st.integers(1, 50))
def test_more_failures_never_raise_a_score(drawn, rule, more):
    counts, rows = drawn
    failed, applicable = counts[rule]
    worse = counts | {rule: (min(failed + more, applicable), applicable)}
    assert score(findings(worse, rows)) <= score(findings(counts, rows))


@settings(max_examples=100)
@given(any_counts(), st.integers(2, 1000))
def test_a_table_many_times_as_large_with_the_same_shares_has_the_same_score(drawn, times):
    counts, rows = drawn
    larger = {rule: (failed * times, applicable * times) for rule, (failed, applicable) in counts.items()}
    assert score(findings(larger, rows * times)) == score(findings(counts, rows))


def test_a_first_row_that_is_rejected_by_an_unstated_rule_does_not_raise_a_bad_score():
    counts = dict.fromkeys(RULES, (5, 10))
    once = counts | {UNSTATED: (1, 10)}
    assert score(findings(once, 10)) < score(findings(counts, 10))
