"""An excess of flagged claims is weighed against volume."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from claims_assets.predictions.case_ranking import LARGEST_SHAPE, SIGNAL, quantile_05, with_lower_bounds


def bounded(spark, *providers):
    """`(claims, flagged)` of each provider -> their rows, in order."""
    given = [(i, "2024-06", n, k) for i, (n, k) in enumerate(providers)]
    frame = spark.createDataFrame(given, "provider int, claim_month string, claims bigint, flagged bigint")
    return sorted(with_lower_bounds(frame, "claim_month").collect(), key=lambda r: r.provider)


PLAN = [(100, 4), (200, 12), (50, 2), (80, 5), (150, 6), (120, 9), (60, 1), (90, 5)]


def test_one_flagged_claim_of_one_does_not_outrank_forty_of_a_hundred(spark):
    one, forty, *_ = bounded(spark, (1, 1), (100, 40), *PLAN)
    assert one.flagged / one.claims > forty.flagged / forty.claims
    assert one.excess_lower < SIGNAL < forty.excess_lower
    assert one.rate_ratio < forty.rate_ratio


def test_a_large_provider_at_the_rate_of_the_plan_is_no_case(spark):
    large, small, *_ = bounded(spark, (20_000, 1_020), (60, 30), *PLAN)
    assert large.flagged - large.expected < 60
    assert large.excess_lower < SIGNAL < small.excess_lower


def test_the_shape_is_that_of_the_moments_and_the_bound_is_the_gamma_quantile(spark):
    providers = [(40, 1), (100, 30), (10, 0), (300, 9), (25, 6)]
    rows = bounded(spark, *providers)
    n, k = sum(p[0] for p in providers), sum(p[1] for p in providers)
    expected = [c * k / n for c, _ in providers]
    spread = sum(e * (f / e - 1) ** 2 for e, (_, f) in zip(expected, providers, strict=True)) / sum(expected)
    shape = 1 / (spread - len(providers) / sum(expected))
    for row, e, (_, f) in zip(rows, expected, providers, strict=True):
        assert row.shape == pytest.approx(shape, rel=1e-9)
        assert row.rate_ratio == pytest.approx((shape + f) / (shape + e), abs=1e-6)
        if f:
            assert row.excess == pytest.approx((row.rate_ratio - 1) * e, abs=1e-4)
            assert row.rate_ratio_lower == pytest.approx(stats.gamma.ppf(0.05, shape + f) / (shape + e), rel=0.15)


@pytest.mark.parametrize("providers", [[(10, 0), (20, 0)], [(100, 5), (200, 10), (300, 15)], [(7, 7)]])
def test_providers_who_differ_by_chance_alone_all_have_the_rate_of_the_plan(spark, providers):
    for row in bounded(spark, *providers):
        assert row.shape == LARGEST_SHAPE
        assert row.rate_ratio == pytest.approx(1, abs=1e-4)
        assert row.rate_ratio_lower < 1.001


def test_the_quantile_is_never_high_and_near_where_a_case_can_be(spark):
    from pyspark.sql import functions as F

    shapes = [0.1, 0.3, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 100.0, 1e6]
    frame = spark.createDataFrame([(s,) for s in shapes], "shape double")
    for shape, found in frame.select("shape", quantile_05(F.col("shape"))).collect():
        exact = stats.gamma.ppf(0.05, shape)
        assert 0 <= found <= exact * 1.001
        assert shape < 2 or found == pytest.approx(exact, rel=0.03)
        assert math.isfinite(found)


@settings(max_examples=15, deadline=None)
@given(
    providers=st.lists(
        st.integers(1, 400).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))), min_size=1, max_size=30
    )
)
def test_order_does_not_matter_and_the_bound_is_below_the_mean(spark, providers):
    rows = bounded(spark, *providers)
    back = bounded(spark, *reversed(providers))
    assert [(r.rate_ratio, r.rate_ratio_lower) for r in rows] == [
        (r.rate_ratio, r.rate_ratio_lower) for r in reversed(back)
    ]
    assert all(0 <= r.rate_ratio_lower <= r.rate_ratio for r in rows)
    assert sum(r.expected for r in rows) == pytest.approx(sum(k for _, k in providers), abs=1e-3)
