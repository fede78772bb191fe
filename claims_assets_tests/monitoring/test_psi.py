"""The stability index against numpy's quantiles and known values, and what must not escape it."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claims_assets.monitoring.psi import (
    ALERT,
    EmptyReference,
    Profile,
    bins_of,
    drift_score,
    moved_share,
    psi,
    together,
    verdict,
)
from claims_assets_tests.monitoring.planted import profile

DRAW = np.random.default_rng(11)
REFERENCE = DRAW.normal(50, 10, 60_000)


def index(reference: Profile, now: Profile) -> float:
    bins = bins_of(reference)
    return psi(bins.counts(reference), bins.counts(now))


def moved(reference: Profile, now: Profile) -> float:
    """The score of a move."""
    bins = bins_of(reference)
    before, after = bins.counts(reference), bins.counts(now)
    return drift_score(before, after)


@pytest.mark.requirement("R29")
def test_the_index_is_that_of_exact_quantiles():
    now = DRAW.normal(53, 10, 5_000)
    edges = [-np.inf, *np.quantile(REFERENCE, np.arange(1, 10) / 10), np.inf]
    before, after = (np.histogram(v, edges)[0] / len(v) for v in (REFERENCE, now))
    expected = float(((after - before) * np.log(after / before)).sum())
    assert index(profile(REFERENCE), profile(now)) == pytest.approx(expected, rel=0.1)
    assert expected == pytest.approx(0.087, abs=0.02)


@pytest.mark.requirement("R29")
def test_a_move_by_three_tenths_of_the_deviation_is_told_and_by_a_tenth_is_not():
    shifted = [moved(profile(REFERENCE), profile(DRAW.normal(50 + 10 * by, 10, 5_000))) for by in (0.0, 0.1, 0.3, 0.5)]
    assert shifted[0] == 0.0
    assert shifted[1] < ALERT < shifted[2] < shifted[3]


@pytest.mark.requirement("R29")
def test_values_beyond_the_reference_are_counted_on_either_side():
    reference, bins = profile(REFERENCE), bins_of(profile(REFERENCE))
    for far in (1e6, -1e6):
        now = profile(np.r_[DRAW.normal(50, 10, 4_850), np.full(150, far)])
        assert bins.outside(bins.counts(now)) == 150
        assert moved(reference, now) > ALERT


@pytest.mark.requirement("R29")
def test_missing_values_have_a_bin():
    now = profile(np.r_[DRAW.normal(50, 10, 4_800), np.full(200, np.nan)])
    assert now.missing == 200
    assert moved(profile(REFERENCE), now) > ALERT


@pytest.mark.requirement("R29")
def test_an_empty_bin_does_not_explode():
    reference, now = profile(np.arange(1000.0)), profile(np.r_[np.arange(999.0), 1e9])
    assert index(reference, now) < 0.01


@pytest.mark.requirement("R29")
def test_a_shift_of_words_and_a_word_never_seen_are_told():
    words = Profile({}, {"a": 30_000, "b": 29_000, "c": 1_000, "rare": 20})
    assert moved(words, Profile({}, {"a": 2_500, "b": 2_400, "c": 90, "rare": 2})) == 0.0
    assert moved(words, Profile({}, {"a": 1_700, "b": 3_200, "c": 90})) > ALERT
    unseen = Profile({}, {"a": 2_400, "b": 2_300, "c": 90, "new": 150})
    assert moved(words, unseen) > ALERT
    assert bins_of(words).outside(bins_of(words).counts(unseen)) == 150
    assert bins_of(words).counts(unseen)[-3:] == [0, 150, 0], "rarer, unseen, missing"


@pytest.mark.requirement("R13")
def test_an_empty_reference_is_refused():
    with pytest.raises(EmptyReference, match="nobody"):
        bins_of(Profile({}, {}))


NUMBERS = st.lists(st.floats(-1e6, 1e6) | st.just(math.nan), min_size=1, max_size=60)


@settings(max_examples=100, deadline=None)
@given(before=NUMBERS, now=NUMBERS)
def test_every_member_is_in_one_bin_and_the_index_is_not_negative(before, now):
    reference, month = profile(before), profile(now)
    bins = bins_of(reference)
    assert sum(bins.counts(reference)) == len(before)
    assert sum(bins.counts(month)) == len(now)
    assert bins.outside(bins.counts(reference)) == 0
    assert index(reference, month) >= -1e-12
    assert index(reference, reference) == pytest.approx(0.0, abs=1e-12)
    assert 0 <= moved_share(bins.counts(reference), bins.counts(month)) <= 1


@settings(max_examples=30, deadline=None)
@given(NUMBERS, NUMBERS)
def test_profiles_add_up(one, other):
    both = together([profile(one), profile(other)])
    assert bins_of(both) == bins_of(profile([*one, *other]))


def test_members_drawn_alike_have_moved_rarely():
    reference = profile(REFERENCE)
    found = [moved(reference, profile(DRAW.normal(50, 10, n))) for n in (500, 2_000) for _ in range(300)]
    assert max(found) < ALERT
    assert sum(f > 0 for f in found) <= 3


def test_the_lines_are_those_of_the_source():
    assert [verdict(v) for v in (0.0, 0.0999, 0.1, 0.1999, 0.2)] == ["stable", "stable", "minor", "minor", "major"]
