"""Rates by group against plain counting and scipy, what is judged, what is shown."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2_contingency

from claims_assets.models.governance.fairness import ATTRIBUTES, FLAGGED, FOUND, MEANT, RIGHT, Pair, criteria, pairs
from claims_assets.models.governance.measures import Scored
from claims_assets_tests.models.governance.heldout import classifier_rows, honest

PLAIN = dict.fromkeys(ATTRIBUTES, "one")


def two_groups(a: tuple[int, int], b: tuple[int, int]) -> tuple[pd.DataFrame, Scored]:
    """Groups A and B by race, each as (flagged, members); nobody has the event."""
    rows = pd.DataFrame([PLAIN | {"race": g} for g, (_, n) in (("A", a), ("B", b)) for _ in range(n)])
    flagged = np.concatenate([np.arange(n) < k for k, n in (a, b)])
    zero = np.zeros(len(rows))
    return rows, Scored(zero, zero > 0, zero, flagged)


def pair(a, b, rate=FLAGGED) -> Pair:
    (found,) = [p for p in pairs(*two_groups(a, b)) if p.rate == rate]
    return found


@settings(max_examples=50, deadline=None)
@given(a=st.integers(5, 95), b=st.integers(5, 195))
def test_ratio_and_p_are_those_of_a_two_by_two_table(a, b):
    found = pair((b, 200), (a, 100))
    assert (found.group, found.reference) == ("B", "A")
    assert found.ratio == pytest.approx((a / 100) / (b / 200))
    assert found.p == pytest.approx(chi2_contingency([[a, 100 - a], [b, 200 - b]], correction=False).pvalue)


def test_all_four_rates_are_those_of_counting_by_hand():
    known = honest(classifier_rows(2000))
    rows = known.part("test").assign(hit=known.test.flagged & known.test.event, event=known.test.event)
    men, women = (rows[rows["gender"] == g] for g in "MF")
    by_hand = {
        FLAGGED: men.flagged.mean() / women.flagged.mean(),
        FOUND: men.hit[men.event].mean() / women.hit[women.event].mean(),
        RIGHT: men.hit[men.flagged > 0].mean() / women.hit[women.flagged > 0].mean(),
        MEANT: (men.predicted.sum() / men.outcome.sum()) / (women.predicted.sum() / women.outcome.sum()),
    }
    found = {p.rate: p.ratio for p in pairs(rows, known.test) if p.attribute == "gender"}
    assert found == pytest.approx(by_hand)


@pytest.mark.requirement("R30")
def test_a_rate_of_zero_in_a_big_group_fails_and_is_no_infinity_that_passes():
    zero, of = pair((50, 300), (0, 200)), two_groups((50, 300), (0, 200))
    assert (zero.ratio, zero.judged, zero.in_band) == (0.0, True, False)
    found = {c.name: c for c in criteria(pairs(*of))}["flagged by race"]
    assert (found.outcome, found.value) == ("refused", 0.0)
    assert found.reason == "flagged by race: B has 0.00 times that of A, beyond chance."


@pytest.mark.requirement("R30")
def test_a_rate_of_zero_in_the_largest_group_fails_too():
    zero, of = pair((0, 300), (50, 200)), two_groups((0, 300), (50, 200))
    assert (zero.ratio, zero.judged, zero.in_band) == (math.inf, True, False)
    assert {c.name: c for c in criteria(pairs(*of))}["flagged by race"].outcome == "refused"


@pytest.mark.requirement("R30")
def test_small_groups_are_named_and_not_judged():
    for small in ((0, 29), (0, 40)):
        rows, of = two_groups((30, 300), small)
        assert not pair((30, 300), small).judged
        found = {c.name: c for c in criteria(pairs(rows, of))}["flagged by race"]
        assert found.notes == ("flagged by race: not judged, because too small: B.",)
        assert found.reason.endswith("so fairness can't be computed.")


@pytest.mark.requirement("R30")
def test_every_rate_is_computed_for_every_attribute():
    known = honest(classifier_rows(1000))
    names = [c.name for c in criteria(pairs(known.part("test"), known.test))]
    assert names == [f"{rate} by {attribute}" for attribute in ATTRIBUTES for rate in (FLAGGED, FOUND, RIGHT, MEANT)]


@pytest.mark.requirement("R31")
def test_nothing_to_compare_is_not_fair():
    rows = pd.DataFrame([PLAIN] * 100)
    nobody = np.zeros(100)
    found = list(criteria(pairs(rows, Scored(nobody, nobody > 0, nobody, nobody > 0))))
    assert [c.name for c in found if c.outcome == "refused"] == [
        *[f"{r} by {a}" for a in ("gender", "race", "ethnicity") for r in (FLAGGED, FOUND, MEANT)],
        *[f"{MEANT} by {a}" for a in ("age_group", "dual_eligible")],
    ]


def test_a_missing_group_is_a_group():
    rows, of = two_groups((60, 300), (5, 200))
    rows.loc[rows["race"] == "B", "race"] = [None, "Unknown"] * 100
    (found,) = [p for p in pairs(rows, of) if p.rate == FLAGGED]
    assert (found.group, found.members, found.judged) == ("unknown", 200, True)


def test_a_difference_that_chance_explains_does_not_refuse():
    rows, of = two_groups((24, 300), (22, 200))
    found = {c.name: c for c in criteria(pairs(rows, of))}["flagged by race"]
    assert found.outcome == "passed"
    assert found.notes == ("flagged by race: B has 1.38 times that of A, which chance may explain.",)


def test_groups_by_chance_are_rarely_called_unfair():
    """The family's level is 5 %; the band alone would refuse nearly all of these, and each pair at 5 % about half."""
    known = honest(classifier_rows(1500))
    refused = banded = 0
    for seed in range(40):
        rows = classifier_rows(1500, seed=100 + seed)
        mixed = known.part("test").assign(**{a: rows.loc[rows["part"] == "test", a].to_numpy() for a in ATTRIBUTES})
        found = pairs(mixed, known.test)
        refused += any(c.outcome == "refused" for c in criteria(found))
        banded += any(p.judged and not p.in_band for p in found)
    assert refused <= 6
    assert banded > 20


def test_counts_below_eleven_can_not_be_told_from_what_is_shown():
    shown = pair((400, 1000), (5, 100))
    assert shown.judged
    assert shown.shown_ratio == "below 0.8"
    found = {c.name: c for c in criteria(pairs(*two_groups((400, 1000), (5, 100))))}["flagged by race"]
    assert found.value is None
    assert "B has below 0.8 times that of A" in found.reason
    assert pair((400, 1000), (12, 100)).shown_ratio == "0.30"
    assert pair((5, 2000), (60, 400)).shown_ratio == "above 1.25"
