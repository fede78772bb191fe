"""Boosted trees of one feature, by xgboost or catboost behind one interface.

Here: how trees are fitted and stored as bytes. Elsewhere: what they are fitted to (`fraud_fitting.py`), how they score
(`fraud_artifact.py`, which a stored model carries along).
"""

import importlib.util
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from claims_assets.models.fraud_artifact import CATBOOST, XGBOOST

if TYPE_CHECKING:
    import numpy as np

Fit = Callable[["np.ndarray", "np.ndarray", int | None, int, int, int], bytes]
"""Matrix, target, number of classes (None: the target is a number), rounds, seed, threads -> the trees."""
ROUNDS, ROUNDS_OF_CLASSES = 40, 12
"""Trees of a number, and of each class of a word. The source has 100 trees of depth 6 at a rate of 0.1; fewer and
quicker ones order the claims as well (docs/fraud.md) in a third of the time."""
SKETCH = 3
"""Features that raise no score get this part of the rounds: how far they are explained is told, and no more."""
DEPTH, RATE, ROWS_USED, COLUMNS_USED, BINS = 4, 0.2, 0.8, 0.8, 64
PARAMETERS: Mapping[str, Any] = {
    "rounds": ROUNDS, "sketch": SKETCH, "rounds_of_classes": ROUNDS_OF_CLASSES, "depth": DEPTH, "rate": RATE,
    "subsample": ROWS_USED, "columns": COLUMNS_USED, "bins": BINS,
}  # fmt: skip


class NoLibrary(ValueError):
    """The library of an algorithm is not installed; the sentence says how to."""


def fitter(algorithm: str) -> Fit:
    """How an algorithm fits.

    Raises:
        NoLibrary: it is not installed.
    """
    if algorithm == CATBOOST and importlib.util.find_spec("catboost") is None:
        raise NoLibrary("catboost is not installed: pip install 'claims-assets[catboost]' adds its scores.")
    return {XGBOOST: _xgboost, CATBOOST: _catboost}[algorithm]


def rounds_of(classes: int | None, *, counted: bool) -> int:
    """Rounds of the model of a feature."""
    whole = ROUNDS_OF_CLASSES if classes else ROUNDS
    return whole if counted else whole // SKETCH


def library(algorithm: str) -> str:
    """`name==version` of the installed library, for whoever loads the model elsewhere."""
    found = importlib.import_module(algorithm)
    return f"{algorithm}=={found.__version__}"


def _xgboost(
    matrix: "np.ndarray", target: "np.ndarray", classes: int | None, rounds: int, seed: int, threads: int
) -> bytes:
    import xgboost

    aim = {"objective": "multi:softprob", "num_class": classes} if classes else {"objective": "reg:squarederror"}
    settings = {
        "max_depth": DEPTH, "eta": RATE, "subsample": ROWS_USED, "colsample_bytree": COLUMNS_USED, "max_bin": BINS,
        "tree_method": "hist", "seed": seed, "nthread": threads,
    }  # fmt: skip
    # Not a QuantileDMatrix: it gives the same trees of so few rows, and takes longer than these grow.
    booster = xgboost.train(aim | settings, xgboost.DMatrix(matrix, target, nthread=threads), rounds)
    return bytes(booster.save_raw("ubj"))


def _catboost(
    matrix: "np.ndarray", target: "np.ndarray", classes: int | None, rounds: int, seed: int, threads: int
) -> bytes:
    import catboost  # pyright: ignore[reportMissingImports]

    settings = {
        "depth": DEPTH, "learning_rate": RATE, "iterations": rounds * 2 if classes else rounds,
        "random_seed": seed, "thread_count": threads, "verbose": False, "allow_writing_files": False,
        "border_count": BINS, "rsm": COLUMNS_USED, "bootstrap_type": "Bernoulli", "subsample": ROWS_USED,
    }  # fmt: skip
    if classes:
        model = catboost.CatBoostClassifier(loss_function="MultiClass", classes_count=classes, **settings)
    else:
        model = catboost.CatBoostRegressor(loss_function="RMSE", **settings)
    model.fit(matrix, target)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.cbm"
        model.save_model(str(path))
        return (b"c" if classes else b"r") + path.read_bytes()
