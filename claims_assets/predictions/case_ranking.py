"""How sure is it that a provider has more flagged claims than its volume explains? A lower bound, in columns alone.

The flagged claims k of a provider are Poisson with mean r * E, where E is what its volume lets expect and r its rate
beside the plan's. Over providers r follows a gamma distribution with mean 1, whose shape is fitted to all of them
(empirical Bayes: Clayton & Kaldor, Biometrics 1987;43:671; moments: Marshall, Applied Statistics 1991;40:283). What
is known of one provider is then again a gamma distribution, and its 5 % quantile is the rate that it is credible to
have at least (EB05: DuMouchel, The American Statistician 1999;53:177). One flagged claim of one is soon forgotten in
it, forty of a hundred are not. What is ranked is the number of flagged claims beyond E by that rate: a rate alone puts
small and rare providers first (docs/fraud_cases.md has what it finds). Elsewhere: the cases (`fraud_cases.py`).
"""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from claims_assets.numbers import rounded

Z05 = 1.644854
"""Of the 5 % quantile of a normal distribution, without its sign."""
SIGNAL = 1.0
"""Flagged claims beyond the volume, at least, of a case: below one there is credibly nothing to find."""
LARGEST_SHAPE = 1e6
"""Of providers who differ no more than chance lets them: all have the rate of the plan."""
DIGITS = 6
EXACT = "decimal(28,12)"
"""Sums of doubles depend on the order of rows; these don't."""


def with_lower_bounds(providers: DataFrame, by: str) -> DataFrame:
    """Adds `expected`, `shape`, `rate_ratio` (shrunken), `rate_ratio_lower`, and the same as claims beyond `expected`:
    `excess`, `excess_lower`.

    Args:
        providers: all providers with claims, one row each, with `claims` (at least 1) and `flagged`.
        by: column within which providers are compared.
    """
    every = Window.partitionBy(by)
    all_flagged, all_claims = F.sum("flagged").over(every), F.sum("claims").over(every)
    squares = F.sum((F.col("flagged") * F.col("flagged") / F.col("claims")).cast(EXACT)).over(every).cast("double")
    return (
        providers.withColumn("_rate", all_flagged / all_claims)
        .withColumns({"_flagged": all_flagged, "_mean": all_flagged / F.count("*").over(every), "_squares": squares})
        .withColumn("expected", rounded(F.col("claims") * F.col("_rate"), DIGITS))
        .withColumn("shape", _shape())
        .withColumn("rate_ratio", rounded((F.col("shape") + F.col("flagged")) / _seen(), DIGITS))
        .withColumn("rate_ratio_lower", rounded(quantile_05(F.col("shape") + F.col("flagged")) / _seen(), DIGITS))
        .withColumn("excess", rounded((F.col("rate_ratio") - 1) * F.col("expected"), DIGITS))
        .withColumn("excess_lower", rounded((F.col("rate_ratio_lower") - 1) * F.col("expected"), DIGITS))
        .drop("_rate", "_flagged", "_mean", "_squares")
    )


def _seen() -> Column:
    return F.col("shape") + F.col("claims") * F.col("_rate")


def _shape() -> Column:
    """1 / variance of r by moments: the weighted variance of k/E, less what a Poisson process has anyway.

    The weighted sum of (k/E - 1) ** 2 is the sum of k ** 2 / E less all flagged, as all expected are all flagged.
    """
    rate, flagged, mean = (F.when(F.col(n) > 0, F.col(n)) for n in ("_rate", "_flagged", "_mean"))
    variance = (F.col("_squares") / rate - flagged) / flagged - 1 / mean
    return F.when(variance > 1 / LARGEST_SHAPE, 1 / F.greatest(variance, F.lit(1 / LARGEST_SHAPE))).otherwise(
        F.lit(LARGEST_SHAPE)
    )


def quantile_05(shape: Column) -> Column:
    """5 % quantile of a gamma distribution of scale 1 (Wilson & Hilferty, PNAS 1931;17:684); low by 3 % at shape 2.

    Of a shape below a third, which no provider with a flagged claim has, it is 0.
    """
    root = F.greatest(1 - 1 / (9 * shape) - Z05 / (3 * F.sqrt(shape)), F.lit(0.0))
    return shape * root * root * root
