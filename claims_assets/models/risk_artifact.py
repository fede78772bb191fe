"""A fitted risk model as one file: trees, the words they were fitted on, calibration, threshold, intervals.

This file imports nothing of this project, so that MLflow ships it with the model and any Python that has numpy, pandas
and xgboost can load and score. Here: what a fitted model is and how it scores. Elsewhere: how one is fitted
(`fitting.py`), where it is stored (`runtime/tracking.py`).
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import xgboost

FORMAT = 1
ATTRIBUTE = "risk_artifact"
"""Name under which the booster itself carries the facts, so that the two can't be parted."""
FILE = "model.ubj"
CLASSIFIER, REGRESSION = "classifier", "regression"
MOST_ROWS_AT_ONCE = 65_536
"""Rows encoded in one piece: bounds the memory that scoring takes beside the frame that it is given."""
EXPLAINED_DIGITS = 2


class RiskArtifact:
    """A fitted model and everything that scoring needs.

    `facts` is a JSON object with

    - `format`, `name`, `kind` (classifier or regression)
    - `inputs`: columns, in the order of the trees; `categories`: column -> word -> code
    - `calibration`: see `_calibrated`
    - `threshold`: the prediction from which on the decision is 1; None: the model decides nothing
    - `intervals`: None, or `predicted`, `lower`, `upper`: points between which the ends of the 80 % interval are
      straight lines
    - `highest`: the largest prediction of a regression, or None; `decimals` of a prediction
    """

    def __init__(self, booster: "xgboost.Booster", facts: Mapping[str, Any]) -> None:
        self.facts = json.loads(json.dumps(facts))
        if self.facts.get("format") != FORMAT:
            raise ValueError(f"A risk model of format {self.facts.get('format')!r}; this code reads format {FORMAT}.")
        self.booster = booster
        self.booster.set_param({"nthread": 1})
        self.booster.set_attr(**{ATTRIBUTE: json.dumps(self.facts, sort_keys=True)})

    @property
    def name(self) -> str:
        return self.facts["name"]

    @property
    def inputs(self) -> list[str]:
        """Columns of `gold.member_features` that the model needs."""
        return list(self.facts["inputs"])

    @property
    def categories(self) -> dict[str, dict[str, int]]:
        """Inputs that are words, with the code of each word."""
        return self.facts["categories"]

    @property
    def is_classifier(self) -> bool:
        return self.facts["kind"] == CLASSIFIER

    @property
    def threshold(self) -> float | None:
        return self.facts["threshold"]

    def save(self, folder: str | Path) -> Path:
        """Write the model to `folder`; the file."""
        path = Path(folder) / FILE
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.to_bytes())
        return path

    @classmethod
    def load(cls, folder: str | Path) -> "RiskArtifact":
        """Read what `save` wrote; `folder` may be the file itself."""
        path = Path(folder)
        return cls.from_bytes((path / FILE if path.is_dir() else path).read_bytes())

    def to_bytes(self) -> bytes:
        """The same bytes for the same trees and facts."""
        return bytes(self.booster.save_raw("ubj"))

    @classmethod
    def from_bytes(cls, content: bytes) -> "RiskArtifact":
        """The model in `content`.

        Raises:
            ValueError: a booster without the facts of a risk model.
        """
        import xgboost

        booster = xgboost.Booster()
        booster.load_model(bytearray(content))
        facts = booster.attr(ATTRIBUTE)
        if facts is None:
            raise ValueError("These trees carry no facts of a risk model: they were not registered by this project.")
        return cls(booster, json.loads(facts))

    def predict(self, frame: pd.DataFrame) -> np.ndarray:
        """Calibrated probabilities, or values of at least 0, float64, rounded: equal rows give equal bits.

        Raises:
            ValueError: a column that the model needs is missing, or holds what is no number.
        """
        raw = [self.raw(frame.iloc[rows]) for rows in _pieces(len(frame))]
        return self.finished(np.concatenate(raw)) if raw else np.empty(0)

    def raw(self, frame: pd.DataFrame) -> np.ndarray:
        """What the trees alone say: log odds of a classifier, values of a regression; float64."""
        matrix = self._matrix(frame)
        return self.booster.predict(matrix, output_margin=self.is_classifier).astype("float64")

    def finished(self, raw: np.ndarray) -> np.ndarray:
        """Predictions from what the trees say: calibrated, bounded, rounded."""
        highest = 1.0 if self.is_classifier else self.facts["highest"]
        bounded = np.clip(_calibrated(raw, self.facts["calibration"]), 0.0, highest)
        return np.round(bounded, self.facts["decimals"])

    def decide(self, predicted: np.ndarray) -> np.ndarray:
        """1 where the prediction reaches the threshold, else 0.

        Raises:
            ValueError: the model has no threshold.
        """
        if self.threshold is None:
            raise ValueError(f"{self.name} predicts a value and has no threshold to decide by.")
        return (np.asarray(predicted) >= self.threshold).astype("int32")

    def interval(self, predicted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper end of the 80 % interval around predictions; NaN where the model knows none.

        Of a regression: where four of five such members came out. Of a classifier: where the share of such members who
        have the event lies.
        """
        predicted = np.asarray(predicted, dtype="float64")
        known = self.facts["intervals"]
        if known is None:
            return np.full(len(predicted), np.nan), np.full(len(predicted), np.nan)
        ends = [
            np.round(np.interp(predicted, known["predicted"], known[end]), self.facts["decimals"])
            for end in ("lower", "upper")
        ]
        return np.minimum(ends[0], predicted), np.maximum(ends[1], predicted)

    def reasons(self, frame: pd.DataFrame, top: int = 3) -> list[list[str]]:
        """For each row the inputs that raise its prediction most, largest first, as `er_visit_count_12mo = 5`."""
        return [found for rows in _pieces(len(frame)) for found in self._reasons(frame.iloc[rows], top)]

    def _reasons(self, frame: pd.DataFrame, top: int) -> list[list[str]]:
        shares = self.booster.predict(self._matrix(frame), pred_contribs=True)[:, :-1]
        order = np.argsort(-shares, axis=1, kind="stable")[:, :top]
        values = [frame[name].tolist() for name in self.inputs]
        return [
            [f"{self.inputs[i]} = {_shown(values[i][row])}" for i in chosen if shares[row, i] > 0]
            for row, chosen in enumerate(order)
        ]

    def _matrix(self, frame: pd.DataFrame) -> "xgboost.DMatrix":
        import xgboost

        content = encoded(frame, self.inputs, self.categories)
        return xgboost.DMatrix(content, feature_names=self.inputs, nthread=1)


def encoded(frame: pd.DataFrame, inputs: Sequence[str], categories: Mapping[str, Mapping[str, int]]) -> np.ndarray:
    """The inputs as float32, a column each, in their order; the one encoding that training and scoring share.

    True is 1. A missing value, and a word without a code, is NaN, which a tree sends down a branch of its own: zero
    would say "none".

    Raises:
        ValueError: a column is missing, or holds what is no number; the message names the column, never a value.
    """
    missing = [n for n in inputs if n not in frame.columns]
    if missing:
        raise ValueError(f"The frame lacks {', '.join(missing)}, which the model needs: add the column.")
    content = np.empty((len(frame), len(inputs)), dtype="float32")
    for number, name in enumerate(inputs):
        column: Any = frame[name]
        content[:, number] = column.map(dict(categories[name])) if name in categories else _numbers(column, name)
    return content


def _numbers(column: Any, name: str) -> np.ndarray:
    try:
        if column.dtype == object:
            column = column.where(column.notna(), np.nan)
        return column.to_numpy(dtype="float64", na_value=np.nan)
    except (TypeError, ValueError):
        pass
    # Outside of the handler, so that the first error, which quotes the value, is not shown with it.
    raise ValueError(f"Column {name} holds what is no number: give numbers, true or false, or nothing.")


def _calibrated(raw: np.ndarray, calibration: Mapping[str, Any]) -> np.ndarray:
    """By `kind`. none: as it is; sigmoid: 1 / (1 + exp(-(slope * raw + intercept))); points: straight lines.

    Points are `x` and `y`; outside of them the first and the last `y` stand. All three are monotone as long as the
    slope is above zero and `y` never falls.
    """
    if calibration["kind"] == "sigmoid":
        return 1.0 / (1.0 + np.exp(-(calibration["slope"] * raw + calibration["intercept"])))
    if calibration["kind"] == "points":
        return np.interp(raw, calibration["x"], calibration["y"])
    return raw


def _pieces(rows: int) -> list[slice]:
    return [slice(start, start + MOST_ROWS_AT_ONCE) for start in range(0, rows, MOST_ROWS_AT_ONCE)]


def _shown(value: Any) -> str:
    if value is None or value is pd.NA or value != value:  # NaN alone differs from itself
        return "unknown"
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    return f"{float(value):.{EXPLAINED_DIGITS}f}".rstrip("0").rstrip(".")


class _Scorer:
    """What MLflow serves."""

    def __init__(self, artifact: RiskArtifact) -> None:
        self.artifact = artifact

    def predict(self, frame: pd.DataFrame, params: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """`score`, `prediction` (0 or 1; where the model has a threshold), `lower`, `upper`: one row per row given."""
        score = self.artifact.predict(frame)
        lower, upper = self.artifact.interval(score)
        columns = {"score": score}
        if self.artifact.threshold is not None:
            columns["prediction"] = self.artifact.decide(score)
        return pd.DataFrame(columns | {"lower": lower, "upper": upper})


def _load_pyfunc(path: str) -> _Scorer:
    """Entry point of MLflow (`loader_module`)."""
    return _Scorer(RiskArtifact.load(path))
