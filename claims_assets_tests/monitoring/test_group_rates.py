"""Rates by group against fairlearn and scipy, what is judged, what fails, what may be shown."""

import numpy as np
import pytest
from fairlearn.metrics import MetricFrame, demographic_parity_ratio, selection_rate, true_positive_rate
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, chi2_contingency
from scipy.stats.contingency import relative_risk

from claims_assets.monitoring.group_rates import (
    BY_CHANCE,
    FAIR,
    REFERENCE,
    TOO_FEW,
    UNFAIR,
    ZERO_RATE,
    effect_size,
    group_rates,
    hidden,
    may_be_shown,
)

COUNTS = st.dictionaries(
    st.sampled_from("ABCDEF"),
    st.integers(2, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    min_size=1,
)


def by_group(counts):
    return {r.group: r for r in group_rates(counts)}


def verdicts(**counts):
    return {r.group: r.verdict for r in group_rates(counts)}


def members(counts) -> tuple[np.ndarray, np.ndarray]:
    """One entry a member: its group, whether the rate counts it."""
    groups = np.concatenate([np.repeat(g, n) for g, (_, n) in counts.items()])
    return groups, np.concatenate([np.arange(n) < k for k, n in counts.values()]).astype(int)


@settings(max_examples=30, deadline=None)
@given(COUNTS)
@pytest.mark.requirement("R30")
def test_rates_and_the_smallest_ratio_are_those_of_fairlearn(counts):
    groups, hit = members(counts)
    frame = MetricFrame(metrics=selection_rate, y_true=hit, y_pred=hit, sensitive_features=groups)
    rates = group_rates(counts)
    assert {r.group: r.rate for r in rates} == pytest.approx(frame.by_group.to_dict())
    # fairlearn compares the lowest with the highest, we each with the largest group.
    known = [r.rate for r in rates if r.rate is not None]
    if max(known):
        expected = demographic_parity_ratio(hit, hit, sensitive_features=groups)
        assert min(known) / max(known) == pytest.approx(expected)


@pytest.mark.requirement("R30")
def test_the_rate_among_those_with_the_event_is_equal_opportunity():
    draw = np.random.default_rng(5)
    groups, event, flag = draw.choice(list("AB"), 500), draw.random(500) < 0.4, draw.random(500) < 0.3
    frame = MetricFrame(metrics=true_positive_rate, y_true=event, y_pred=flag, sensitive_features=groups)
    counts = {g: (int((flag & event)[groups == g].sum()), int(event[groups == g].sum())) for g in "AB"}
    assert {r.group: r.rate for r in group_rates(counts)} == pytest.approx(frame.by_group.to_dict())


@settings(max_examples=50, deadline=None)
@given(k=st.integers(0, 60), n=st.integers(60, 300))
def test_the_interval_is_that_of_wilson(k, n):
    found = by_group({"A": (k, n)})["A"]
    expected = binomtest(k, n).proportion_ci(method="wilson")
    assert (found.lower, found.upper) == pytest.approx((expected.low, expected.high), abs=1e-6)


@settings(max_examples=50, deadline=None)
@given(a=st.integers(1, 199), b=st.integers(1, 99))
def test_ratio_interval_and_p_are_those_of_scipy(a, b):
    found = by_group({"A": (a, 200), "B": (b, 100)})["B"]
    of_ratio = relative_risk(b, 100, a, 200).confidence_interval()
    assert (found.ratio_lower, found.ratio_upper) == pytest.approx((of_ratio.low, of_ratio.high), rel=1e-6)
    table = [[a, 200 - a], [b, 100 - b]]
    assert found.p == pytest.approx(chi2_contingency(table, correction=False).pvalue)


def test_the_effect_size_is_that_of_the_book():
    # Cohen 1988, table 6.2.2: phi(.50) = 1.571, phi(.40) = 1.369.
    assert effect_size(50, 100, 40, 100) == pytest.approx(1.571 - 1.369, abs=1e-3)


@settings(max_examples=50, deadline=None)
@given(COUNTS)
def test_every_group_stands_once_and_the_order_of_the_groups_says_nothing(counts):
    rates = group_rates(counts)
    assert [r.group for r in rates] == sorted(counts)
    assert repr(rates) == repr(group_rates(dict(reversed(counts.items()))))
    assert sum(r.verdict == REFERENCE for r in rates) == 1
    assert all(r.members <= r.reference_members for r in rates)


@pytest.mark.requirement("R30")
def test_verdicts():
    assert verdicts(A=(100, 400), B=(25, 100)) == {"A": REFERENCE, "B": FAIR}
    assert verdicts(A=(100, 400), B=(50, 100)) == {"A": REFERENCE, "B": UNFAIR}
    assert verdicts(A=(24, 300), B=(22, 200)) == {"A": REFERENCE, "B": BY_CHANCE}
    assert verdicts(A=(100, 400), B=(0, 29)) == {"A": REFERENCE, "B": TOO_FEW}


@pytest.mark.requirement("R30")
def test_a_rate_of_zero_fails_in_either_group_also_where_the_family_is_large():
    assert verdicts(A=(60, 400), B=(0, 100))["B"] == ZERO_RATE
    assert verdicts(A=(0, 400), B=(30, 100))["B"] == ZERO_RATE
    # 5.1 are expected of B: p = .02, which Holm's test over ten groups forgives.
    many = {f"G{i}": (20, 300) for i in range(9)}
    assert by_group({"A": (28, 400), "B": (0, 90), **many})["B"].p * 10 > 0.05
    assert verdicts(A=(28, 400), B=(0, 90), **many)["B"] == ZERO_RATE


@pytest.mark.requirement("R31")
def test_what_can_not_be_compared_is_not_called_fair():
    assert FAIR not in verdicts(A=(0, 400), B=(0, 100)).values()
    assert FAIR not in verdicts(A=(100, 400), B=(0, 0)).values()
    assert FAIR not in verdicts(A=(100, 400)).values()
    assert group_rates({}) == []


def test_more_hits_than_members_are_refused():
    with pytest.raises(ValueError, match="2 members can't have 3"):
        group_rates({"A": (3, 2)})


@settings(max_examples=100, deadline=None)
@given(COUNTS)
def test_what_is_hidden_can_not_be_had_by_subtraction(counts):
    gone = hidden(counts)
    for name, of in counts.items():
        assert name in gone or may_be_shown(*of)
    if gone and gone != counts.keys():
        hits, everybody = (sum(counts[name][i] for name in gone) for i in (0, 1))
        assert len(gone) > 1
        assert may_be_shown(hits, everybody)
