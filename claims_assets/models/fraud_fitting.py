"""Fit a fraud detector: a model per feature on claims, judged on claims that it did not see.

Two folds by claim id: each claim of the sample is predicted by the models of the other fold, and from these held-out
errors come the evidence, the score's distribution and the threshold. Here: the fit, as a pure function of a frame.
Elsewhere: which claims (`fraud_training.py`), what a detector is (`fraud_artifact.py`), the columns
(`fraud_inputs.py`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from claims_assets.models.fraud_artifact import (
    FORMAT,
    Encoded,
    FraudArtifact,
    Words,
    encode,
    errors,
    folds_of,
    loaded,
    number,
    peers_of,
    said_in,
    top_sum,
)
from claims_assets.models.fraud_boosters import fitter, rounds_of
from claims_assets.models.fraud_inputs import (
    AMOUNTS,
    COLUMNS,
    COUNTED,
    COUNTS,
    DIRECT,
    LESS_IS_SUSPICIOUS,
    MODELLED,
    MORE_IS_SUSPICIOUS,
    PEERS,
    WORDS,
    Leak,
    inputs_of,
    refuse_leaks,
)
from claims_assets.models.windows import NotTrainable

if TYPE_CHECKING:
    import pandas as pd

FOLDS = 2
LEAST_CLAIMS = 500
"""Fewer claims tell nothing of one in a hundred."""
FLAGGED_FROM = 0.95
"""Share of held-out scores from which on a claim is flagged; threshold percentile of the source project."""
MOST_CLASSES = 24
"""Words of a column that are told apart as a target, the most frequent ones; all others are one class."""
LEAST_OF_WORD, LEAST_OF_PEERS = 10, 30
"""Claims from which on a word has a code of its own as an input, and peers have a median and a spread of their own."""
SMALLEST_SPREAD = 0.02
"""Of logarithms: peers who all charge the same to the cent still may differ by two percent."""
TAIL_STEPS = 60
LEAST_IN_TAIL = 10
"""Held-out claims beyond the last point of a tail; from there on it goes straight on."""
MOST_BEYOND = 1.0
"""Evidence that may be gained beyond what the sample can show: one more factor of ten."""
SAME = 0.99999
"""Correlation from which on an input is the feature itself under another name."""
KEPT_SCORES = 2_000


@dataclass(frozen=True)
class FittedDetector:
    """A fitted detector, and what is known of it."""

    artifact: FraudArtifact
    metrics: dict[str, float] = field(default_factory=dict)
    """`mean_fraud_score`, `p95_fraud_score`, `p99_fraud_score` of held-out claims; `explained.<feature>`."""
    not_modelled: tuple[str, ...] = ()
    """Features that have one value only."""


def fit(frame: "pd.DataFrame", algorithm: str, *, seed: int, threads: int = 1) -> FittedDetector:
    """Fit on claims, ordered by claim id: columns COLUMNS and `claim_id`.

    Raises:
        NotTrainable: too few claims.
        NoLibrary: the algorithm's library is not installed.
        Leak: a model would see what it is to predict.
    """
    fitter(algorithm)
    if len(frame) < LEAST_CLAIMS:
        raise NotTrainable(f"{len(frame)} claims are too few for a fraud detector: it takes {LEAST_CLAIMS}.")
    facts = _facts(frame, algorithm)
    encoded, folds = encode(frame, facts), folds_of(frame["claim_id"], FOLDS)
    trees: dict[str, list[bytes]] = {}
    found, metrics, constant = {}, {}, []
    for name in [n for n in (*MODELLED, *DIRECT) if n in facts["columns"]]:
        feature: dict[str, Any] = _feature(name, facts)
        target = encoded.classes[name] if name in WORDS else encoded.value(name)
        if len(np.unique(target[~np.isnan(target)])) < 2:
            constant.append(name)
            continue
        expected = np.zeros(len(frame))
        if name not in DIRECT:
            refuse_leaks(name, feature["inputs"])
            _refuse_copies(name, target, encoded, feature["inputs"])
            trees[name], expected = _cross_fitted(encoded, folds, target, feature, algorithm, seed, threads)
            metrics[f"explained.{name}"] = _explained(target, expected, is_word=name in WORDS)
        if name in AMOUNTS:
            feature["spreads"] = _spreads(encoded, encoded.value(name) - expected)
        found[name] = feature | {"tail": _tail(errors(name, feature, encoded, expected), bounded=name in WORDS)}
        found[name]["_held_out"] = errors(name, feature, encoded, expected)
    return _finished(facts, found, trees, metrics, tuple(constant))


def _finished(
    facts: dict[str, Any], found: dict[str, Any], trees: Mapping[str, list[bytes]], metrics: dict[str, float],
    constant: tuple[str, ...],
) -> FittedDetector:  # fmt: skip
    """The detector with the distribution of its held-out scores."""
    held_out = {name: feature.pop("_held_out") for name, feature in found.items()}
    artifact = FraudArtifact(facts | {"features": found, "scores": [], "threshold": 0.0}, trees)
    scores = np.sort(top_sum(np.column_stack([artifact.evidence(n, held_out[n]) for n in artifact.counted])))
    kept = np.quantile(scores, np.linspace(0, 1, min(KEPT_SCORES, len(scores))))
    told = {"mean": scores.mean(), "p95": np.quantile(scores, FLAGGED_FROM), "p99": np.quantile(scores, 0.99)}
    metrics |= {f"{name}_fraud_score": float(value) for name, value in told.items()}
    whole = facts | {
        "features": found,
        "scores": [round(float(s), 4) for s in kept],
        "threshold": round(float(told["p95"]), 4),
    }
    return FittedDetector(FraudArtifact(whole, trees), metrics, constant)


def _facts(frame: "pd.DataFrame", algorithm: str) -> dict[str, Any]:
    """What encoding needs: centers, words, peers."""
    kinds = {n: _kind(n) for n in COLUMNS} | {PEERS: "peer"}
    amount = number(frame["claim_amount"], "amount", 0.0)
    centers = {n: _median(number(frame[n], "amount", 0.0)) for n in AMOUNTS}
    words, others = {}, {}
    for name in WORDS:
        words[name], others[name] = _words(frame[name], amount)
    peers = _by_peers(peers_of(frame), amount)
    return {
        "format": FORMAT, "algorithm": algorithm, "folds": FOLDS, "columns": kinds, "centers": centers,
        "words": words, "others": others, "peers": {k: v for k, v in peers.items() if k},
    }  # fmt: skip


def _kind(name: str) -> str:
    return "amount" if name in AMOUNTS else "count" if name in COUNTS else "word" if name in WORDS else "plain"


def _words(column: Any, amount: np.ndarray) -> tuple[dict[str, list[int]], int]:
    """Word -> code as an input (the rank of its median amount, so that neighbours cost alike) and class as a target."""
    known = {w: v for w, v in _by_word(said_in(column), amount) if len(v) >= LEAST_OF_WORD}
    # By name where they are equal, so that the order of rows shows in nothing.
    by_cost = sorted(known, key=lambda w: (_median(known[w]), w))
    told = sorted(known, key=lambda w: (-len(known[w]), w))[:MOST_CLASSES]
    classes = {w: i for i, w in enumerate(told)}
    return {w: [code, classes.get(w, len(told))] for code, w in enumerate(by_cost)}, len(told)


def _feature(name: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    sided = "more" if name in (*MORE_IS_SUSPICIOUS, *DIRECT) else "less" if name in LESS_IS_SUSPICIOUS else "both"
    about = {
        "inputs": [] if name in DIRECT else inputs_of(name, facts["columns"]), "kind": facts["columns"][name],
        "sided": sided, "counted": name in COUNTED, "spreads": None,
    }  # fmt: skip
    if name in WORDS:
        told = {c[1]: w for w, c in facts["words"][name].items() if c[1] < facts["others"][name]}
        about["classes"] = [*(told[i] for i in range(len(told))), "another one"]
    return about


def _refuse_copies(name: str, target: np.ndarray, encoded: Encoded, inputs: list[str]) -> None:
    """Raise Leak for an input that is the target under another name, whatever the lists say of it."""
    if name in WORDS:
        return
    for other in inputs:
        values = encoded.value(other)
        both = ~np.isnan(values) & ~np.isnan(target)
        if both.sum() > 2 and values[both].std() > 0 and target[both].std() > 0:
            alike = abs(float(np.corrcoef(values[both], target[both])[0, 1]))
            if alike > SAME:
                raise Leak(f"{other} is {name} under another name: take it out of the inputs.")


def _cross_fitted(
    encoded: Encoded,
    folds: np.ndarray,
    target: np.ndarray,
    feature: Mapping[str, Any],
    algorithm: str,
    seed: int,
    threads: int,
) -> tuple[list[bytes], np.ndarray]:
    """The trees of each fold, fitted on the other one, and what they expect of the claims that they did not see."""
    columns = np.array([encoded.names.index(n) for n in feature["inputs"]])
    classes = len(feature["classes"]) if feature["kind"] == "word" else None
    grow, rounds = fitter(algorithm), rounds_of(classes, counted=feature["counted"])
    trees, expected = [], np.zeros((len(folds), classes) if classes else len(folds))
    for fold in range(FOLDS):
        seen = np.flatnonzero((folds != fold) & ~np.isnan(target))
        trees.append(grow(encoded.matrix[np.ix_(seen, columns)], target[seen], classes, rounds, seed, threads))
        rows = np.flatnonzero(folds == fold)
        expected[rows] = loaded(algorithm, trees[-1])(encoded.matrix[np.ix_(rows, columns)])
    return trees, expected


def _explained(target: np.ndarray, expected: np.ndarray, *, is_word: bool) -> float:
    """Share of the variance, or of the entropy, that the model explains of claims it did not see."""
    if is_word:
        usual = np.bincount(target.astype(int), minlength=expected.shape[1]) / len(target)
        rows = np.arange(len(target)), target.astype(int)
        left = -np.log(np.maximum(expected[rows], 1e-6)).mean()
        return float(1 - left / max(-np.log(usual[rows[1]]).mean(), 1e-9))
    known = ~np.isnan(target)
    return float(1 - np.var((target - expected)[known]) / max(np.var(target[known]), 1e-12))


def _spreads(encoded: Encoded, off: np.ndarray) -> dict[str, float]:
    """Peers -> the usual size of an error, at least SMALLEST_SPREAD; '' of all claims."""
    return {k: max(v, SMALLEST_SPREAD) for k, v in _by_peers(encoded.peers, np.abs(off)).items()}


def _by_peers(peers: Words, values: np.ndarray) -> dict[str, float]:
    """Peers -> median, of peers that are enough; '' of all."""
    grouped = {peer: v[~np.isnan(v)] for peer, v in _by_word(peers, values)}
    enough = {p: float(np.median(v)) for p, v in sorted(grouped.items()) if len(v) >= LEAST_OF_PEERS}
    return enough | {"": _median(values)}


def _by_word(words: Words, values: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Each word with the values of its rows, in their order."""
    ordered = values[np.argsort(words.places, kind="stable")]
    ends = np.cumsum(np.bincount(words.places, minlength=len(words.known)))
    yield from zip(words.known, np.split(ordered, ends[:-1]), strict=True)


def _median(values: np.ndarray) -> float:
    known = values[~np.isnan(values)]
    return float(np.median(known)) if len(known) else 0.0


def _tail(error: np.ndarray, *, bounded: bool) -> dict[str, Any]:
    """Points (error, evidence) of the upper tail of held-out errors, the slope beyond them and the bound.

    Args:
        bounded: an error can't be larger than the largest, as of a word: a number so odd that it misleads the models of
            the words then still comes before them.
    """
    ordered, n = np.sort(error), len(error)
    deepest = max(np.log10(n / LEAST_IN_TAIL), 0.1)
    levels = 1 - 10.0 ** -np.linspace(0, deepest, TAIL_STEPS)
    points = np.unique(np.quantile(ordered, levels, method="higher"))
    above = n - np.searchsorted(ordered, points, side="left")
    evidence = -np.log10(above / (n + 1))
    far = max(len(points) - TAIL_STEPS // 6, 0)
    width = points[-1] - points[far]
    slope = 0.0 if bounded else (evidence[-1] - evidence[far]) / width if width > 0 else 1.0
    return {
        "errors": [float(p) for p in points],
        "evidence": [max(round(float(e), 6), 0.0) for e in evidence],
        "slope": float(slope),
        "most": float(np.log10(n + 1) + MOST_BEYOND),
    }
