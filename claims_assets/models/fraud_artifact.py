"""A fitted fraud detector as one file: a model per feature, its words, its peers, and how large errors usually are.

This file imports nothing of this project, and stays one file, so that MLflow ships it with the model and any Python
that has numpy, pandas and the library of the trees can load and score. Here: what a fitted detector is and how it
scores. Elsewhere: how one is fitted (`fraud_fitting.py`), where it is stored (`fraud_registry.py`).

A claim's error of a feature is how far the claim lies from what the model of this feature, which sees all others,
expects. Its evidence is how rare so large an error is among held-out claims: -log10 of their share, so 2 is one in a
hundred, whatever the unit of the feature. The score is the sum of the largest few.
"""

import io
import json
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

FORMAT = 1
FILE = "detector.zip"
FACTS = "facts.json"
LEAST_SHARE = 1e-6
"""A word that the model holds to be impossible counts as this likely."""
TOP = 3
"""Errors that make a score: one alone is chance, all together are noise (docs/fraud.md)."""
DECIMALS = 4
NOTHING = "(none)"
"""The word of a missing one."""
UNSEEN = -1.0
"""Input code of a word that the training did not hold, or too rarely: a place of its own, below all known ones."""
XGBOOST, CATBOOST = "xgboost", "catboost"
_FIXED_TIME = (1980, 1, 1, 0, 0, 0)

Predict = Callable[[np.ndarray], np.ndarray]


class FraudArtifact:
    """A fitted detector and everything that scoring needs.

    `facts` is a JSON object with

    - `format`, `algorithm`, `folds`, `columns` (input -> amount, count, plain, word or peer)
    - `centers`: amount -> median logarithm; `peers`: type and procedure -> median logarithm of the amount
    - `words`: column -> word -> [code as an input, class as a target]; `others`: column -> class of all other words
    - `features`: feature -> `inputs`, `kind`, `sided` (more, less or both), `counted`, `spreads`, `tail`, see
      `evidence`
    - `scores`: scores of held-out claims, in order; `threshold`: the 95th percentile of them
    """

    def __init__(self, facts: Mapping[str, Any], trees: Mapping[str, Sequence[bytes]]) -> None:
        if facts.get("format") != FORMAT:
            raise ValueError(f"A fraud detector of format {facts.get('format')!r}; this code reads format {FORMAT}.")
        for name, feature in facts["features"].items():
            if name in feature["inputs"]:
                raise ValueError(f"The model of {name} has {name} among its inputs: it would find nothing unusual.")
        self.facts = dict(facts)
        self.trees = {name: tuple(of_fold) for name, of_fold in trees.items()}
        self._loaded: dict[tuple[str, int], Predict] = {}

    @property
    def columns(self) -> list[str]:
        """Columns of `gold.claim_fraud_features` that scoring reads, besides `claim_id`."""
        return [n for n, kind in self.facts["columns"].items() if kind != "peer"]

    @property
    def counted(self) -> list[str]:
        """Features whose errors make the score, in the order of `errors`."""
        return [n for n, f in self.facts["features"].items() if f["counted"]]

    def to_bytes(self, level: int | None = None) -> bytes:
        """The same bytes for the same trees and facts; `level`: of compression, 1 is quick."""
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as file:

            def add(name: str, part: str | bytes) -> None:
                file.writestr(zipfile.ZipInfo(name, _FIXED_TIME), part, zipfile.ZIP_DEFLATED, level)

            # In their order: `errors` of a claim are in the order of the features.
            add(FACTS, json.dumps(self.facts, separators=(",", ":")))
            for name in sorted(self.trees):
                for fold, tree in enumerate(self.trees[name]):
                    add(f"{name}/{fold}", tree)
        return content.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> "FraudArtifact":
        """The detector in `content`."""
        trees: dict[str, list[bytes]] = {}
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            facts = json.loads(file.read(FACTS))
            for entry in sorted(n for n in file.namelist() if n != FACTS):
                trees.setdefault(entry.split("/")[0], []).append(file.read(entry))
        return cls(facts, trees)

    def save(self, folder: str | Path) -> Path:
        """Write the detector to `folder`; the file."""
        path = Path(folder) / FILE
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.to_bytes())
        return path

    @classmethod
    def load(cls, folder: str | Path) -> "FraudArtifact":
        """Read what `save` wrote; `folder` may be the file itself."""
        path = Path(folder)
        return cls.from_bytes((path / FILE if path.is_dir() else path).read_bytes())

    def part(self, feature: str) -> "FraudArtifact":
        """The same facts with the trees of one feature: what is registered under the feature's name."""
        return FraudArtifact(self.facts, {feature: self.trees[feature]})

    def joined(self, others: Sequence["FraudArtifact"]) -> "FraudArtifact":
        """The whole detector from its parts."""
        return FraudArtifact(self.facts, {name: t for a in (self, *others) for name, t in a.trees.items()})

    def score(self, frame: pd.DataFrame) -> pd.DataFrame:
        """One row per row given: score, percentile, is_flagged, features and reasons (lists; None unless flagged),
        errors (evidence of each counted feature). A row is scored by itself: what else is in the frame changes nothing.

        Raises:
            ValueError: a column is missing.
        """
        encoded, folds = self.encoded(frame), folds_of(frame["claim_id"], self.facts["folds"])
        counted = self.counted
        evidence = np.zeros((len(frame), len(counted)))
        expected: dict[str, np.ndarray] = {}
        for i, name in enumerate(counted):
            expected[name] = self.expected(name, encoded, folds)
            evidence[:, i] = self.evidence(name, self.error(name, encoded, expected[name]))
        score = np.round(top_sum(evidence), DECIMALS)
        known = np.asarray(self.facts["scores"])
        flagged = score >= self.facts["threshold"]
        features, reasons = self._reasons(frame, np.flatnonzero(flagged), evidence, expected)
        return pd.DataFrame(
            {
                "fraud_score": score,
                "fraud_percentile": np.round(np.searchsorted(known, score, side="left") / max(len(known), 1), DECIMALS),
                "is_flagged": flagged,
                "top_features": pd.Series(features, dtype=object),
                "top_reasons": pd.Series(reasons, dtype=object),
                "feature_errors": pd.Series(list(np.round(evidence, DECIMALS)), dtype=object),
            }
        )

    def encoded(self, frame: pd.DataFrame) -> "Encoded":
        """The inputs as numbers, and the classes of words."""
        missing = [n for n in (*self.columns, "claim_id") if n not in frame.columns]
        if missing:
            raise ValueError(f"The frame lacks {', '.join(missing)}, which the detector needs: add the column.")
        return encode(frame, self.facts)

    def expected(self, name: str, encoded: "Encoded", folds: np.ndarray) -> np.ndarray:
        """What the model that did not see the claim expects: a value, or the share of each class."""
        found = None
        if name not in self.trees:
            return np.zeros(len(folds))
        columns = np.array([encoded.names.index(n) for n in self.facts["features"][name]["inputs"]])
        for fold in range(self.facts["folds"]):
            rows = np.flatnonzero(folds == fold)
            if len(rows):
                said = self._model(name, fold)(encoded.matrix[np.ix_(rows, columns)])
                found = np.zeros((len(folds), *said.shape[1:])) if found is None else found
                found[rows] = said
        return np.zeros(len(folds)) if found is None else found

    def error(self, name: str, encoded: "Encoded", expected: np.ndarray) -> np.ndarray:
        """How far each claim is from what was expected; 0 where the claim says nothing."""
        return errors(name, self.facts["features"][name], encoded, expected)

    def evidence(self, name: str, error: np.ndarray) -> np.ndarray:
        """-log10 of the share of held-out claims with so large an error; straight on beyond the largest, up to a
        bound."""
        tail = self.facts["features"][name]["tail"]
        points, known = np.asarray(tail["errors"]), np.asarray(tail["evidence"])
        found = np.interp(error, points, known)
        beyond = error > points[-1]
        return np.minimum(np.where(beyond, known[-1] + (error - points[-1]) * tail["slope"], found), tail["most"])

    def _model(self, name: str, fold: int) -> Predict:
        key = (name, fold)
        if key not in self._loaded:
            self._loaded[key] = loaded(self.facts["algorithm"], self.trees[name][fold])
        return self._loaded[key]

    def _reasons(
        self, frame: pd.DataFrame, flagged: np.ndarray, evidence: np.ndarray, expected: Mapping[str, np.ndarray]
    ) -> tuple[list[list[str] | None], list[list[str] | None]]:
        """Features and texts of the flagged rows; None of all others."""
        features: list[list[str] | None] = [None] * len(frame)
        reasons: list[list[str] | None] = [None] * len(frame)
        order = np.argsort(-evidence[flagged], axis=1, kind="stable")[:, :TOP]
        counted, few = self.counted, frame.iloc[flagged]
        values = {name: few[name].to_numpy(dtype=object, na_value=None) for name in counted}
        for i, (row, best) in enumerate(zip(flagged.tolist(), order.tolist(), strict=True)):
            names = [counted[n] for n in best if evidence[row, n] > 0]
            features[row] = names
            reasons[row] = [f"{n} = {_shown(values[n][i])}{self._instead(n, expected[n], row)}" for n in names]
        return features, reasons

    def _instead(self, name: str, expected: np.ndarray, row: int) -> str:
        """What was expected, as text."""
        feature = self.facts["features"][name]
        if feature["kind"] == "word":
            return f", expected {feature['classes'][int(expected[row].argmax())]}"
        if name not in self.trees:
            return ""
        value = float(expected[row])
        if feature["kind"] == "amount":
            value = float(np.exp(value + self.facts["centers"][name]))
        elif feature["kind"] == "count":
            value = float(np.expm1(value))
        return f", expected about {_shown(value)}"


class Words:
    """A column of words: each distinct one once, and which of them stands in each row."""

    def __init__(self, known: list[str], places: np.ndarray) -> None:
        self.known, self.places = known, places

    def of(self, values: Mapping[str, Any], other: Any) -> np.ndarray:
        """The value of each row's word; `other` where it has none."""
        return np.array([values.get(w, other) for w in self.known] or [other])[self.places]


class Encoded:
    """Inputs as float32 columns, targets as float64 (numbers) or classes (words), and the peers of each claim."""

    def __init__(self, names: list[str], matrix: np.ndarray, classes: Mapping[str, np.ndarray], peers: Words) -> None:
        self.names, self.matrix, self.classes, self.peers = names, matrix, classes, peers

    def value(self, name: str) -> np.ndarray:
        return self.matrix[:, self.names.index(name)].astype("float64")


def encode(frame: pd.DataFrame, facts: Mapping[str, Any]) -> Encoded:
    """Numbers for trees, with what the training stored: the same value gives the same number in any frame."""
    names = list(facts["columns"])
    matrix = np.full((len(frame), len(names)), np.nan, dtype="float32")
    classes: dict[str, np.ndarray] = {}
    peers = peers_of(frame)
    for i, name in enumerate(names):
        kind = facts["columns"][name]
        if kind == "word":
            of_words = said_in(frame[name]).of(facts["words"][name], (UNSEEN, facts["others"][name]))
            matrix[:, i], classes[name] = of_words[:, 0], of_words[:, 1].astype("int64")
        elif kind == "peer":
            center = facts["centers"]["claim_amount"]
            matrix[:, i] = _log(frame["claim_amount"]) - peers.of(facts["peers"], center)
        else:
            matrix[:, i] = number(frame[name], kind, facts["centers"].get(name, 0.0))
    return Encoded(names, matrix, classes, peers)


def errors(name: str, feature: Mapping[str, Any], encoded: Encoded, expected: np.ndarray) -> np.ndarray:
    """See `FraudArtifact.error`."""
    if feature["kind"] == "word":
        share = expected[np.arange(len(expected)), encoded.classes[name]]
        return -np.log(np.maximum(share, LEAST_SHARE))
    off = encoded.value(name) - expected
    sided = {"more": off, "less": -off}.get(feature["sided"], np.abs(off))
    if feature["spreads"]:
        spreads = feature["spreads"]
        sided = sided / encoded.peers.of(spreads, spreads[""])
    return np.nan_to_num(sided, nan=0.0)


def number(column: Any, kind: str, center: float) -> np.ndarray:
    """A column as a number: logarithm around the center (amount), logarithm of one more (count), or as it is."""
    if kind == "amount":
        return _log(column) - center
    plain = _plain(column)
    return np.log1p(np.maximum(plain, 0.0)) if kind == "count" else plain


def said_in(column: Any) -> Words:
    """The words of a column, NOTHING where one is missing."""
    places, known = pd.factorize(column.where(column.notna(), NOTHING))
    return Words(known.tolist(), places)


def peers_of(frame: pd.DataFrame) -> Words:
    """The peers of each claim: all claims of the same type and procedure."""
    kinds, procedures = said_in(frame["claim_type"]), said_in(frame["procedure_code"])
    width = max(len(procedures.known), 1)
    pairs, places = np.unique(kinds.places * width + procedures.places, return_inverse=True)
    return Words([f"{kinds.known[p // width]}|{procedures.known[p % width]}" for p in pairs.tolist()], places)


def top_sum(evidence: np.ndarray) -> np.ndarray:
    """The score of each row: the sum of its TOP largest pieces of evidence."""
    return np.sort(evidence, axis=1)[:, -TOP:].sum(axis=1)


def folds_of(claim_ids: Iterable[Any], folds: int) -> np.ndarray:
    """The fold of each claim, by its id alone."""
    return np.array([zlib.crc32(str(i).encode()) % folds for i in claim_ids], dtype="int64")


def loaded(algorithm: str, content: bytes) -> Predict:
    """Fitted trees as a function of a matrix: values, or shares of classes."""
    if algorithm == XGBOOST:
        import xgboost

        booster = xgboost.Booster({"nthread": 1})
        booster.load_model(bytearray(content))
        return lambda matrix: booster.inplace_predict(matrix).astype("float64")
    import catboost  # pyright: ignore[reportMissingImports]

    is_classes = content[:1] == b"c"
    model = (catboost.CatBoostClassifier if is_classes else catboost.CatBoostRegressor)()
    model.load_model(blob=content[1:])
    if is_classes:
        return lambda matrix: np.asarray(model.predict_proba(matrix, thread_count=1))
    return lambda matrix: np.asarray(model.predict(matrix, thread_count=1))


def _log(column: Any) -> np.ndarray:
    plain = _plain(column)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(plain > 0, np.log(plain), np.nan)


def _plain(column: Any) -> np.ndarray:
    return column.where(column.notna(), np.nan).to_numpy(dtype="float64", na_value=np.nan)


def _shown(value: Any) -> str:
    if value is None or value is pd.NA or value != value:  # NaN alone differs from itself
        return "unknown"
    if isinstance(value, str):
        return value
    return f"{float(value):.2f}".rstrip("0").rstrip(".")


class _Scorer:
    """What MLflow serves for one feature: how unusual its value is."""

    def __init__(self, artifact: FraudArtifact) -> None:
        self.artifact = artifact
        (self.feature,) = artifact.trees

    def predict(self, frame: pd.DataFrame, params: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """`error` and `evidence`: one row per row given."""
        encoded = self.artifact.encoded(frame)
        folds = folds_of(frame["claim_id"], self.artifact.facts["folds"])
        expected = self.artifact.expected(self.feature, encoded, folds)
        error = self.artifact.error(self.feature, encoded, expected)
        return pd.DataFrame({"error": error, "evidence": self.artifact.evidence(self.feature, error)})


def _load_pyfunc(path: str) -> _Scorer:
    """Entry point of MLflow (`loader_module`)."""
    return _Scorer(FraudArtifact.load(path))
