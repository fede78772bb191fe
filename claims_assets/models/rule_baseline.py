"""The rule of thumb that a model has to beat, and that scores where no model may: next year will be like last year.

The score of history h against the model's limit L is h / (h + L): 0 for no history, 0.5 exactly at the limit that makes
the label, ever closer to 1 above it. The predicted cost is last year's cost, the health score last year's score.
Nothing is fitted.
"""

from functools import reduce
from operator import add
from typing import TYPE_CHECKING, TypeVar

from pyspark.sql import Column
from pyspark.sql import functions as F

from claims_assets.models.risk_model import RiskModel

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

RULE_THRESHOLD = 0.5
"""Score from which on the rule predicts 1: the history reaches the limit."""

Values = TypeVar("Values", Column, "np.ndarray")


def rule_value(model: RiskModel, history: Values) -> Values:
    """Score in 0-1 of a classifier, predicted value of a regression; grows with the history."""
    return history / (history + model.at_least) if model.at_least is not None else history * model.scale


def history_column(model: RiskModel) -> Column:
    """Last year's value of what the model predicts, never NULL, never below zero (reversals may outweigh a year)."""
    parts = [F.coalesce(F.col(n).cast("double"), F.lit(0.0)) for n in model.history]
    return F.greatest(reduce(add, parts), F.lit(0.0))


def history_of(model: RiskModel, rows: "pd.DataFrame") -> "np.ndarray":
    """The same for rows on the driver, float64."""
    return rows[list(model.history)].astype("float64").sum(axis=1).clip(lower=0.0).to_numpy()


def rule_flags(model: RiskModel, values: "np.ndarray", high_from: float | None) -> "np.ndarray | None":
    """Whom the rule flags: the history reaches what the model warns of; None where it warns of nothing."""
    if high_from is None:
        return None
    return values >= (RULE_THRESHOLD if model.is_classifier else high_from)
