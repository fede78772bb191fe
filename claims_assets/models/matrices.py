"""Training rows as the matrices that xgboost reads, made piece by piece so that they need not lie in memory.

Elsewhere: how a row becomes numbers (`risk_artifact.py`, the same for training and scoring), its label (`labels.py`),
the fit (`fitting.py`).
"""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from claims_assets.models.labels import targets, weights
from claims_assets.models.risk_artifact import encoded
from claims_assets.models.risk_model import RiskModel

if TYPE_CHECKING:
    import pandas as pd
    import xgboost

Batches = Callable[[], Iterable["pd.DataFrame"]]
"""The training part, in pieces; called once for each pass over it."""


def matrix(model: RiskModel, rows: "pd.DataFrame") -> "xgboost.DMatrix":
    import xgboost as xgb

    content = encoded(rows, model.inputs, model.categories)
    return xgb.DMatrix(content, targets(model, rows), weight=weights(rows), feature_names=list(model.inputs), nthread=1)


def quantiles(model: RiskModel, train: Batches, threads: int, *, keep: bool = False) -> "xgboost.QuantileDMatrix":
    """The training part as bin numbers, one byte a cell, made piece by piece.

    Args:
        keep: hold the pieces as numbers for the several passes over them.
    """
    import xgboost as xgb

    kept = list(_as_numbers(model, train)) if keep else None

    def pieces() -> Iterator[dict[str, Any]]:
        return _as_numbers(model, train) if kept is None else iter(kept)

    class Pieces(xgb.DataIter):
        """Hands the pieces to xgboost, which asks for all of them several times."""

        def __init__(self) -> None:
            super().__init__()
            self.pieces = pieces()

        def next(self, input_data: Callable[..., Any]) -> bool:
            piece = next(self.pieces, None)
            if piece is not None:
                input_data(**piece)
            return piece is not None

        def reset(self) -> None:
            self.pieces = pieces()

    return xgb.QuantileDMatrix(Pieces(), max_bin=model.parameters["max_bin"], nthread=threads)


def _as_numbers(model: RiskModel, train: Batches) -> "Iterator[dict[str, Any]]":
    for rows in train():
        yield {
            "data": encoded(rows, model.inputs, model.categories),
            "label": targets(model, rows),
            "weight": weights(rows),
            "feature_names": list(model.inputs),
        }


def as_batches(rows: "pd.DataFrame", size: int | None = None) -> Batches:
    """A frame as batches of `size` rows; None: as one."""
    step = size or max(len(rows), 1)
    return lambda: [rows.iloc[start : start + step] for start in range(0, len(rows), step)]
