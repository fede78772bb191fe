"""Uptake: intervals against published examples and another computation, and what must not be told."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claims_assets.monitoring.group_rates import wilson
from claims_assets.monitoring.uptake import (
    ALL,
    HIDDEN,
    HOLDOUT,
    LISTED,
    NO_COMPARISON,
    NOBODY,
    Counts,
    compared,
    design_effect,
    difference,
    uptake,
)

TIERS = ("Tier 1", "Tier 2", "Tier 3", "Tier 4")


def counts(vaccinated_of_members, contacted=0, reached=0):
    """Counts of households, given as (vaccinated, members)."""
    x, n = (np.array(v) for v in zip(*vaccinated_of_members, strict=True))
    return Counts(
        members=int(n.sum()), contacted=contacted, reached=reached, vaccinated=int(x.sum()), households=len(n),
        squared_members=int((n * n).sum()), squared_vaccinated=int((x * x).sum()), product=int((n * x).sum()),
    )  # fmt: skip


def singles(vaccinated, members, contacted=0, reached=0):
    """Counts of members who live alone."""
    return counts([(1, 1)] * vaccinated + [(0, 1)] * (members - vaccinated), contacted, reached)


def interval(found):
    """Uptake with its interval, of counts that have members."""
    share = uptake(found)
    assert share
    return share


@pytest.mark.parametrize(
    ("ours", "theirs", "low", "high"),
    # Newcombe, Statistics in Medicine 1998;17:873, table II, method 10, rows (a), (c), (e) and (g).
    [((56, 70), (48, 80), 0.0524, 0.3339), ((6, 7), (2, 7), 0.0582, 0.8062), ((5, 56), (0, 29), -0.0381, 0.1926),
     ((10, 10), (0, 20), 0.6791, 1.0)],
)  # fmt: skip
def test_the_difference_is_newcombes(ours, theirs, low, high):
    shares = [(hits / members, *(wilson(hits, members) or ())) for hits, members in (ours, theirs)]
    assert difference(*shares) == pytest.approx((ours[0] / ours[1] - theirs[0] / theirs[1], low, high), abs=5e-5)


def test_members_who_live_alone_have_no_design_effect_but_chance():
    assert design_effect(singles(30, 100)) == pytest.approx(100 / 99)


def test_the_design_effect_is_that_of_a_ratio_over_households():
    """Against the linearised variance of a ratio, computed household by household."""
    rng = np.random.default_rng(3)
    n = rng.integers(1, 6, 400)
    x = rng.binomial(n, rng.beta(0.4, 0.8, 400))
    found = counts(list(zip(x.tolist(), n.tolist(), strict=True)))
    share = x.sum() / n.sum()
    residual = x - share * n
    over_households = len(n) / (len(n) - 1) * (residual**2).sum() / n.sum() ** 2
    assert design_effect(found) == pytest.approx(over_households / (share * (1 - share) / n.sum()))
    assert design_effect(found) > 1.5
    share, low, high = interval(found)
    alone = interval(singles(int(x.sum()), int(n.sum())))
    assert share == alone[0] and high - low > 1.2 * (alone[2] - alone[1])


def test_a_household_that_is_vaccinated_together_tells_as_much_as_one_member():
    together = interval(counts([(4, 4)] * 30 + [(0, 4)] * 70))
    alone = interval(singles(30, 100))
    assert together == pytest.approx(alone, abs=1e-3)


def test_without_spread_a_household_counts_as_one_member():
    assert interval(counts([(0, 4)] * 50))[2] == pytest.approx(interval(singles(0, 50))[2])
    assert interval(counts([(2, 2)] * 50))[1] == pytest.approx(interval(singles(50, 50))[1])
    assert uptake(Counts()) is None
    assert design_effect(counts([(2, 4)])) == 4.0


def by_tier(arm, vaccine, of):
    total = Counts(*(sum(getattr(n, name) for n in of) for name in Counts.__dataclass_fields__))
    return {(arm, tier, vaccine): n for tier, n in (*zip(TIERS, of, strict=False), (ALL, total))}


def rows_of(found):
    return {(r["outreach_group"], r["outreach_tier"], r["vaccine"]): r for r in compared(found)}


def test_what_is_large_is_shown_and_compared():
    rows = rows_of(
        by_tier(LISTED, "any", [singles(40, 100, 80, 40), singles(60, 100, 90, 60)])
        | by_tier(HOLDOUT, "any", [singles(20, 100), singles(25, 100)])
    )
    row = rows[LISTED, ALL, "any"]
    assert (row["members"], row["contacted"], row["reached"], row["vaccinated"]) == (200, 170, 100, 100)
    assert row["difference"] == pytest.approx(0.5 - 0.225)
    assert row["difference_lower"] < 0.275 < row["difference_upper"]
    assert row["absent"] == []
    assert rows[HOLDOUT, ALL, "any"]["difference"] is None
    assert rows[HOLDOUT, ALL, "any"]["absent"] == []
    assert rows[LISTED, "Tier 1", "any"]["difference"] == pytest.approx(0.2)


def test_a_small_count_hides_itself_the_rate_and_a_tier_that_would_tell_it():
    rows = rows_of(by_tier(LISTED, "any", [singles(4, 100), singles(40, 100), singles(60, 100), singles(50, 100)]))
    first, second = rows[LISTED, "Tier 1", "any"], rows[LISTED, "Tier 2", "any"]
    for row in (first, second):
        assert row["vaccinated"] is row["uptake"] is row["uptake_lower"] is row["difference"] is None
        assert row["members"] == 100
        assert HIDDEN in row["absent"]
    assert rows[LISTED, "Tier 3", "any"]["vaccinated"] == 60
    assert rows[LISTED, ALL, "any"]["vaccinated"] == 154


def test_nearly_all_vaccinated_is_as_telling_as_nearly_none():
    rows = rows_of({(LISTED, ALL, "any"): singles(97, 100), (HOLDOUT, ALL, "any"): singles(40, 100)})
    assert rows[LISTED, ALL, "any"]["vaccinated"] is None
    assert rows[LISTED, ALL, "any"]["difference"] is None
    assert NO_COMPARISON in rows[LISTED, ALL, "any"]["absent"]
    assert rows[HOLDOUT, ALL, "any"]["uptake"] == 0.4


def test_without_a_holdout_nothing_is_compared():
    rows = rows_of({(LISTED, ALL, "any"): singles(40, 100)})
    assert rows[LISTED, ALL, "any"]["absent"] == [NO_COMPARISON]
    assert rows[LISTED, ALL, "any"]["uptake"] == 0.4
    assert rows_of({(HOLDOUT, ALL, "any"): Counts()})[HOLDOUT, ALL, "any"]["absent"] == [NOBODY]


NUMBERS = ("members", "contacted", "reached", "vaccinated")


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 60), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=4)
)
def test_no_small_count_is_shown_nor_told_by_subtraction(drawn):
    """Of each count, all tiers together less the tiers shown leave nobody, or eleven and more in two tiers or more."""
    tiers = []
    for n, share, contacted, reached in drawn:
        c = round(n * contacted)
        tiers.append(singles(round(n * share), n, c, round(c * reached)) if n else Counts())
    rows = rows_of(by_tier(LISTED, "any", tiers))
    for row in rows.values():
        for name in NUMBERS:
            assert row[name] is None or row[name] == 0 or row[name] > 10
        if row["uptake"] is not None:
            assert not 1 <= row["members"] - row["vaccinated"] <= 10
        if row["reached"] is not None and row["contacted"] is not None:
            assert not 1 <= row["contacted"] - row["reached"] <= 10
    total = rows[LISTED, ALL, "any"]
    for name in NUMBERS:
        shown = [rows[LISTED, t, "any"][name] for t in TIERS[: len(tiers)]]
        missing = [tier for tier, value in zip(tiers, shown, strict=True) if value is None]
        if total[name] is not None and missing:
            left = total[name] - sum(v for v in shown if v is not None)
            assert len(missing) > 1
            assert left == 0 or left > 10
        # A total that is not shown can't be added up either.
        if total[name] is None and not missing:
            added = sum(v or 0 for v in shown)
            assert added == 0 or added > 10


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 400), st.integers(1, 400), st.floats(0, 1), st.floats(0, 1))
def test_an_interval_holds_its_share_and_stays_in_bounds(n, m, p, q):
    ours, theirs = interval(singles(round(n * p), n)), interval(singles(round(m * q), m))
    for share, low, high in (ours, theirs):
        assert 0 <= low <= share + 1e-12 and share <= high + 1e-12 and high <= 1
    found, low, high = difference(ours, theirs)
    assert -1 <= low <= found + 1e-12 and found <= high + 1e-12 and high <= 1
    back = difference(theirs, ours)
    assert back == pytest.approx((-found, -high, -low))


def test_the_interval_of_the_difference_covers_the_truth_nineteen_times_in_twenty():
    """Households of one to four whose members mostly do the same, 40 % against 20 %: exact draws, a fixed seed."""
    rng = np.random.default_rng(11)
    covered = 0
    for _ in range(400):
        arms = []
        for share, households in ((0.4, 300), (0.2, 120)):
            n = rng.integers(1, 5, households)
            same = rng.random(households) < 0.7
            x = np.where(same, n * (rng.random(households) < share), rng.binomial(n, share))
            arms.append(interval(counts(list(zip(x.tolist(), n.tolist(), strict=True)))))
        _, low, high = difference(*arms)
        covered += low <= 0.2 <= high
    assert 0.92 < covered / 400 < 0.985


def test_rows_come_in_one_order():
    found = {
        (a, t, v): singles(20, 60) for a, t, v in itertools.product((LISTED, HOLDOUT), (ALL, "Tier 1"), ("any", "mmr"))
    }
    backwards = dict(reversed(found.items()))
    assert compared(found) == compared(backwards)
    assert not any(isinstance(v, float) and math.isnan(v) for row in compared(found) for v in row.values())
