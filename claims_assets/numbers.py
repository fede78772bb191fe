"""Arithmetic that gives the same number on every engine."""

from pyspark.sql import Column
from pyspark.sql import functions as F


def rounded(number: Column, digits: int) -> Column:
    """A double at so many decimals; a half goes up.

    `F.round` decides a half by the shortest decimal text on Spark and by the binary value on Sail.
    """
    scale = 10.0**digits
    return F.floor(number * scale + 0.5) / F.lit(scale)
