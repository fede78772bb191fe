"""Fit one risk model, and predict with it: the one function that training, tests and scoring share.

Here: labels, the validation members, trees, the threshold. Elsewhere: rows (`training_set.py`), how good it is
(`evaluation.py`).
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from claims_assets.models.risk_model import MOST_ROUNDS, PATIENCE, RiskModel
from claims_assets.models.windows import NotTrainable

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import xgboost

VALIDATION_PARTS = 5
"""One of this many parts of the training members stops the fit and sets the threshold; the test year does neither."""
DEFAULT_THRESHOLD = 0.5
"""Where the validation members hold no positive one."""
SCORE_DIGITS, COST_DIGITS = 6, 2
"""Decimals of a stored score, and of a cost in USD: fewer than float32 holds, so that equal runs give equal rows."""


@dataclass(frozen=True)
class Fitted:
    """A fitted model with its decision threshold (None for a regression)."""

    booster: "xgboost.Booster"
    threshold: float | None


def fit(model: RiskModel, train: "pd.DataFrame", seed: int, threads: int) -> Fitted:
    """Fit on the training rows alone.

    Raises:
        NotTrainable: too few members, or all labels are the same.
    """
    import xgboost as xgb

    y, held_out = labels(model, train), _validation(list(train["member_id"]), seed)
    if not held_out.any() or len(set(y[~held_out])) < 2:
        raise NotTrainable(
            f"{model.name}: {len(y)} training rows with {len(set(y))} distinct label(s) leave nothing to learn: "
            "train as of a later month, or on more members."
        )
    parts = [_matrix(model, train.loc[part], y[part]) for part in (~held_out, held_out)]
    booster = xgb.train(
        {**model.parameters, "seed": seed, "nthread": threads},
        parts[0],
        MOST_ROUNDS,
        evals=[(parts[1], "validation")],
        early_stopping_rounds=PATIENCE,
        verbose_eval=False,
    )
    booster = booster[: booster.best_iteration + 1]
    if not model.is_classifier:
        return Fitted(booster, None)
    return Fitted(booster, best_threshold(y[held_out], predict(model, booster, train.loc[held_out])))


def predict(model: RiskModel, booster: "xgboost.Booster", rows: "pd.DataFrame") -> "np.ndarray":
    """Scores in 0-1, or costs of at least 0, float64, rounded; single-threaded, so equal rows give equal bits."""
    import numpy as np

    if not len(rows):
        return np.empty(0)
    booster.set_param({"nthread": 1})
    raw = booster.predict(_matrix(model, rows, names=tuple(booster.feature_names or ()))).astype("float64")
    return np.round(np.maximum(raw, 0.0), SCORE_DIGITS if model.is_classifier else COST_DIGITS)


def labels(model: RiskModel, rows: "pd.DataFrame") -> "np.ndarray":
    """0/1 for a classifier; else the outcome, at least 0 (reversals may outweigh a year)."""
    outcome = rows[f"outcome_{model.outcome}"].to_numpy()
    if model.at_least is not None:
        return (outcome >= model.at_least).astype("float64")
    return outcome.clip(min=0.0)


def best_threshold(y: "np.ndarray", scores: "np.ndarray") -> float:
    """The score from which on predicting 1 gives the highest F1; the highest such score where several do."""
    from sklearn.metrics import precision_recall_curve

    if not y.any():
        return DEFAULT_THRESHOLD
    precision, recall, thresholds = precision_recall_curve(y, scores)
    total = (precision + recall)[:-1]
    f1 = 2 * (precision * recall)[:-1] / total.clip(min=1e-12)
    return float(thresholds[len(f1) - 1 - f1[::-1].argmax()])


def importances(booster: "xgboost.Booster") -> dict[str, float]:
    """Share of the total gain by input, largest first; inputs that no tree uses are left out."""
    gain = {n: g for n, g in booster.get_score(importance_type="total_gain").items() if isinstance(g, float)}
    total = sum(gain.values()) or 1.0
    return {n: round(g / total, 4) for n, g in sorted(gain.items(), key=lambda x: (-x[1], x[0]))}


def _validation(members: Sequence[str], seed: int) -> "np.ndarray":
    """True for the rows of the validation members: all rows of a member are on one side."""
    import numpy as np

    return np.array([zlib.crc32(f"{seed}|{m}".encode()) % VALIDATION_PARTS == 0 for m in members], dtype=bool)


def _matrix(
    model: RiskModel, rows: "pd.DataFrame", y: "np.ndarray | None" = None, names: tuple[str, ...] = ()
) -> "xgboost.DMatrix":
    import xgboost as xgb

    names = names or model.inputs
    return xgb.DMatrix(rows[list(names)].to_numpy(dtype="float32"), y, feature_names=list(names), nthread=1)
