"""A fitted regression over labelled claims: numbers that can be read, and the score that they make.

This file imports nothing of this project at its top, so that MLflow ships it with the model and any Python with numpy
and pandas can load and score. Here: what a fitted one is. Elsewhere: how one is fitted and judged (`label_model.py`).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from pyspark.sql import Column

FILE = "label_model.json"
DIGITS = 6


@dataclass(frozen=True)
class LabelModel:
    """A fitted regression: `score` = logistic(intercept + sum of weight x (tamed value - centre) / spread)."""

    inputs: tuple[str, ...]
    centres: tuple[float, ...]
    """Also what stands in for a missing value."""
    spreads: tuple[float, ...]
    weights: tuple[float, ...]
    intercept: float

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> "LabelModel":
        facts: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in json.loads(text).items()}
        return cls(**facts)

    def save(self, folder: str | Path) -> Path:
        """Write it to `folder`; the file."""
        path = Path(folder) / FILE
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.to_json(), encoding="utf-8")
        return path

    @classmethod
    def load(cls, folder: str | Path) -> "LabelModel":
        """Read what `save` wrote; `folder` may be the file itself."""
        path = Path(folder)
        return cls.from_json((path / FILE if path.is_dir() else path).read_text(encoding="utf-8"))

    def predict(self, rows: pd.DataFrame) -> np.ndarray:
        """Probability of being confirmed, for each row."""
        values = tamed(rows, self.inputs)
        filled = np.where(np.isnan(values), self.centres, values)
        z = self.intercept + (filled - self.centres) / self.spreads @ np.array(self.weights)
        return 1 / (1 + np.exp(-z))

    def column(self) -> "Column":
        """The same for a Spark frame that holds `inputs`."""
        from pyspark.sql import functions as F

        from claims_assets.numbers import rounded

        total = F.lit(self.intercept)
        for name, centre, spread, weight in zip(self.inputs, self.centres, self.spreads, self.weights, strict=True):
            value = F.col(name).cast("double")
            logarithm = F.when(value < 0, -F.log1p(-value)).otherwise(F.log1p(value))
            total = total + (F.coalesce(logarithm, F.lit(centre)) - centre) * (weight / spread)
        return rounded(1 / (1 + F.exp(-total)), DIGITS)


def tamed(rows: pd.DataFrame, inputs: Sequence[str]) -> np.ndarray:
    """Logarithms with the sign kept, one column an input: errors and amounts have long tails."""
    values = rows[list(inputs)].to_numpy("float64", na_value=np.nan)
    return np.sign(values) * np.log1p(np.abs(values))


class _Scorer:
    """What MLflow serves."""

    def __init__(self, model: LabelModel) -> None:
        self.model = model

    def predict(self, frame: pd.DataFrame, params: Mapping[str, Any] | None = None) -> np.ndarray:
        """Probability of being confirmed, for each row."""
        return self.model.predict(frame)


def _load_pyfunc(path: str) -> _Scorer:
    """Entry point of MLflow (`loader_module`)."""
    return _Scorer(LabelModel.load(path))
