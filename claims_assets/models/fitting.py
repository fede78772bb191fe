"""Fit one risk model: search for trees, calibrate, set the threshold and the intervals.

Two parts of the training rows go in, apart by member: one grows the trees, the other (the calibration part) says when
to stop and which candidate is best. What a score means is learnt from both: of the training part by trees that were
grown without the member (cross-fitting), because a fifth of the members alone holds too few events. Elsewhere: rows
(`training_set.py`), how a row becomes numbers and scores (`risk_artifact.py`), how good it is on rows of another year
(`evaluation.py`).
"""

import math
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from claims_assets.models.parts import part_of
from claims_assets.models.risk_artifact import CLASSIFIER, FORMAT, REGRESSION, RiskArtifact, encoded
from claims_assets.models.risk_model import MOST_ROUNDS, PATIENCE, Aim, RiskModel
from claims_assets.models.windows import HORIZON, NotTrainable

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import xgboost

Batches = Callable[[], Iterable["pd.DataFrame"]]
"""The training part, in pieces; called once for each pass over it."""
SPACE: dict[str, tuple[Any, ...]] = {
    "max_depth": (2, 3, 4, 5),
    "eta": (0.03, 0.05, 0.1),
    "min_child_weight": (5, 10, 20, 40),
    "subsample": (0.6, 0.8, 1.0),
    "colsample_bytree": (0.3, 0.5, 0.8),
    "reg_lambda": (1.0, 5.0, 20.0),
}
"""What the search draws from; the first candidate is the model's own `parameters`."""
MOST_FOR_A_SIGMOID = 1_000
"""Positive members above which isotonic regression calibrates; with fewer it follows chance (Niculescu-Mizil &
Caruana, "Predicting good probabilities with supervised learning", ICML 2005)."""
LEAST_SLOPE = 1e-3
"""Of a calibrating sigmoid, so that a higher score is never a lower probability."""
MOST_POINTS = 200
"""Points of a calibration curve that the artifact keeps."""
DEFAULT_THRESHOLD = 0.5
"""Where the calibration members hold no positive one."""
MARGIN = 0.8416
"""Standard errors between an aim and what the calibration part must show: the lower end of a one-sided 80 % Wilson
interval reaches the aim, so that it holds on other members four times of five."""
TWO_SIDED = 1.2816
"""Of an 80 % interval with two ends."""
LEAST_FLAGGED = 20
"""Members whom a threshold must flag to be judged by its precision."""
MOST_KEPT_ROWS = 200_000
"""Training rows that are held as numbers while the matrix is made (about 40 MB)."""
INTERVAL_ROWS, INTERVAL_PIECES = 50, 20
"""Least rows of a piece of the interval curve, and most pieces."""


@dataclass(frozen=True)
class Fitted:
    """A fitted model, and how it was found."""

    artifact: RiskArtifact
    parameters: dict[str, Any]
    """Those of the candidate that won."""
    rounds: int
    high_from: float | None
    """Label from which on an outcome is what the model warns of; None: it warns of nothing."""


class Grower(Protocol):
    """Grows the trees elsewhere; see `spark_fitting.py`."""

    def grow(self, model: RiskModel, candidates: list[dict[str, Any]], seed: int) -> "Grown":
        """The best of the candidates."""
        ...


def fit(
    model: RiskModel,
    train: Batches,
    calibration: "pd.DataFrame",
    *,
    seed: int,
    threads: int = 1,
    trials: int = 1,
    grower: Grower | None = None,
) -> Fitted:
    """Fit on `train`, choose and calibrate on `calibration`.

    Args:
        trials: candidates that the search fits, the model's own parameters first.
        grower: grows the trees instead of this process.

    Raises:
        NotTrainable: too few members, or all labels are the same.
    """
    known = known_of(model, train, seed)
    require_something_to_learn(model, known.labels, len(calibration))
    if grower:
        return finish(model, grower.grow(model, candidates(model, seed, trials), seed), calibration, known)
    rows = _quantiles(model, train, threads, keep=len(known.labels) <= MOST_KEPT_ROWS)
    grown = grow(model, rows, calibration, seed=seed, threads=threads, trials=trials)
    apart = cross_fitted(model, grown, rows, known.folds, seed=seed, threads=threads)
    return finish(model, grown, calibration, known, apart)


@dataclass(frozen=True)
class Grown:
    """Trees, before anything is known of what their scores mean."""

    booster: "xgboost.Booster"
    parameters: dict[str, Any]


@dataclass(frozen=True)
class Known:
    """Of the training rows, in the order of the batches."""

    labels: "np.ndarray"
    folds: "np.ndarray"
    """Part of the row's member."""
    members: int


def grow(
    model: RiskModel,
    rows: "xgboost.DMatrix",
    calibration: "pd.DataFrame",
    *,
    seed: int,
    threads: int,
    trials: int,
) -> Grown:
    """The candidate with the least loss on the calibration part; the first of equals."""
    import xgboost as xgb

    stop, found = _matrix(model, calibration), []
    for candidate in candidates(model, seed, trials):
        booster = xgb.train(
            _settings(model, candidate, seed, threads),
            rows,
            MOST_ROUNDS,
            evals=[(stop, "calibration")],
            early_stopping_rounds=PATIENCE,
            verbose_eval=False,
        )
        found.append((booster.best_score, Grown(booster[: booster.best_iteration + 1], candidate)))
    return min(found, key=lambda f: f[0])[1]


def cross_fitted(
    model: RiskModel, grown: Grown, rows: "xgboost.DMatrix", folds: "np.ndarray", *, seed: int, threads: int
) -> "np.ndarray":
    """What trees like `grown` say of each training row that grew without its member: log odds, or values."""
    import numpy as np
    import xgboost as xgb

    settings = _settings(model, grown.parameters, seed, threads)
    said, weight = np.empty(len(folds)), rows.get_weight()
    for fold in np.unique(folds):
        apart = folds == fold
        # A row of no weight grows nothing; so one matrix serves all folds.
        rows.set_weight(np.where(apart, 0.0, weight))
        if not (~apart).any():
            raise NotTrainable(f"{model.name}: too few members to fit without some of them: train on more members.")
        booster = xgb.train(settings, rows, grown.booster.num_boosted_rounds())
        said[apart] = booster.predict(rows, output_margin=model.is_classifier)[apart]
    rows.set_weight(weight)
    return said


def finish(
    model: RiskModel,
    grown: Grown,
    calibration: "pd.DataFrame",
    known: Known,
    apart: "np.ndarray | None" = None,
) -> Fitted:
    """Calibration, threshold and intervals, from rows of which the trees that speak of them know nothing.

    Args:
        known: of the training part.
        apart: what trees without their members say of these rows; None: the calibration part alone is used.
    """
    import numpy as np

    high = high_from(model, known.labels)
    facts = {
        "format": FORMAT,
        "name": model.name,
        "kind": CLASSIFIER if model.is_classifier else REGRESSION,
        "inputs": list(model.inputs),
        "categories": model.categories,
        "calibration": {"kind": "none"},
        "threshold": None,
        "intervals": None,
        "highest": model.highest,
        "decimals": model.decimals,
        "high_from": high,
    }
    y, raw = labels(model, calibration), RiskArtifact(grown.booster, facts).raw(calibration)
    members = calibration["member_id"].nunique()
    if apart is not None:
        y, raw, members = np.concatenate([known.labels, y]), np.concatenate([apart, raw]), members + known.members
    if model.is_classifier:
        facts["calibration"] = calibrate(raw, y, len(y) / members)
    predicted = RiskArtifact(grown.booster, facts).finished(raw)
    if high is not None:
        facts["threshold"] = threshold_for(model.aim, y >= high, predicted, len(y) / members)
    facts["intervals"] = intervals(y, predicted, shares=model.is_classifier, repeats=len(y) / members)
    booster = grown.booster
    return Fitted(RiskArtifact(booster, facts), grown.parameters, booster.num_boosted_rounds(), high)


def _settings(model: RiskModel, parameters: Mapping[str, Any], seed: int, threads: int) -> dict[str, Any]:
    return {**parameters, **constraints(model), "seed": seed, "nthread": threads}


def candidates(model: RiskModel, seed: int, trials: int) -> list[dict[str, Any]]:
    """The model's own parameters, then random draws from SPACE; the same ones for the same seed."""
    if trials < 1:
        raise ValueError("search_trials is 0 or less: give 1 or more.")
    draw = random.Random(f"{seed}|{model.name}")
    drawn = [{n: draw.choice(values) for n, values in SPACE.items()} for _ in range(trials - 1)]
    return [model.parameters, *[{**model.parameters, **d} for d in drawn]][:trials]


def constraints(model: RiskModel) -> dict[str, str]:
    """Which way each input may move the score, as xgboost writes it."""
    return {"monotone_constraints": f"({','.join(str(model.monotone.get(n, 0)) for n in model.inputs)})"}


def labels(model: RiskModel, rows: "pd.DataFrame") -> "np.ndarray":
    """0/1 for a classifier; else the outcome, scaled, at least 0 (reversals may outweigh a year).

    With the decimals of a prediction, so that the end of an interval that is an outcome is not beside it.
    """
    import numpy as np

    outcome = rows[f"outcome_{model.outcome}"].to_numpy("float64")
    if model.at_least is not None:
        return (outcome >= model.at_least).astype("float64")
    return np.round(outcome.clip(min=0.0) * model.scale, model.decimals)


def targets(model: RiskModel, rows: "pd.DataFrame") -> "np.ndarray":
    """What the trees are fitted to: the label, or the count behind it."""
    if model.is_classifier and not model.fits_outcome:
        return labels(model, rows)
    outcome = rows[f"outcome_{model.outcome}"].to_numpy("float64").clip(min=0.0)
    return outcome if model.fits_outcome else outcome * model.scale


def weights(rows: "pd.DataFrame") -> "np.ndarray":
    """Share of the outcome year that was seen; 1 for those who died in it, whose year is over."""
    import numpy as np

    return np.where(rows["died"].to_numpy("float64") > 0, 1.0, rows["exposure_months"].to_numpy("float64") / HORIZON)


def known_of(model: RiskModel, train: Batches, seed: int) -> Known:
    """Labels and folds of the training part."""
    import numpy as np

    y, folds, members = [np.empty(0)], [np.empty(0, "int64")], set()
    for batch in train():
        y.append(labels(model, batch))
        folds.append(part_of(batch["member_id"], seed))
        members.update(batch["member_id"])
    return Known(np.concatenate(y), np.concatenate(folds), len(members))


def require_something_to_learn(model: RiskModel, known: "np.ndarray", calibration_rows: int) -> None:
    """Two labels at least, and calibration members.

    Raises:
        NotTrainable: there are not.
    """
    distinct = len(set(known.tolist()))
    if not calibration_rows or distinct < 2:
        raise NotTrainable(
            f"{model.name}: {len(known)} training rows with {distinct} distinct label(s) and {calibration_rows}"
            " calibration rows leave nothing to learn: train as of a later month, or on more members."
        )


def high_from(model: RiskModel, known: "np.ndarray") -> float | None:
    """The label from which on an outcome is what the model warns of, from the training labels."""
    import numpy as np

    if model.is_classifier:
        return 1.0
    return None if model.high_share is None else float(np.quantile(known, model.high_share, method="higher"))


def calibrate(raw: "np.ndarray", y: "np.ndarray", repeats: float = 1.0) -> dict[str, Any]:
    """What turns log odds into probabilities: a sigmoid; isotonic regression where positive members are many.

    Args:
        repeats: rows a member.
    """
    if y.sum() / repeats <= MOST_FOR_A_SIGMOID or y.sum() == len(y):
        return _sigmoid(raw, y)
    import numpy as np
    from sklearn.isotonic import IsotonicRegression

    steps = IsotonicRegression().fit(raw, y)
    shares, step = np.unique(steps.y_thresholds_, return_inverse=True)
    # Lines between the middles of the steps: members on one step would no longer be told apart.
    middles = np.bincount(step, steps.X_thresholds_) / np.bincount(step)
    kept = np.unique(np.linspace(0, len(shares) - 1, min(len(shares), MOST_POINTS)).round().astype(int))
    return {"kind": "points", "x": middles[kept].tolist(), "y": shares[kept].tolist()}


def _sigmoid(raw: "np.ndarray", y: "np.ndarray") -> dict[str, Any]:
    """Platt's sigmoid with his targets, which keep it finite where the classes are apart (Platt 1999; Newton's method
    as in Lin, Lin & Weng, "A note on Platt's probabilistic outputs", Mach Learn 2007;68:267-76)."""
    import numpy as np

    positive, negative = y.sum(), len(y) - y.sum()
    aim = np.where(y > 0, (positive + 1) / (positive + 2), 1 / (negative + 2))
    x = np.column_stack([raw, np.ones(len(raw))])
    found = np.array([0.0, math.log((positive + 1) / (negative + 1))])
    for _ in range(50):
        p = 1 / (1 + np.exp(-(x @ found)))
        gradient = x.T @ (p - aim)
        step = np.linalg.solve((x * (p * (1 - p))[:, None]).T @ x + 1e-10 * np.eye(2), gradient)
        # Newton overshoots where the start is far off: no step moves a score by more than a few log odds.
        found -= step / max(1.0, float(abs(x @ step).max()) / 4)
        if abs(step).max() < 1e-10:
            break
    if found[0] >= LEAST_SLOPE:
        return {"kind": "sigmoid", "slope": float(found[0]), "intercept": float(found[1])}
    # Trees that rank members the wrong way round know nothing: everyone gets nearly the mean.
    odds = math.log((positive + 1) / (negative + 1))
    return {"kind": "sigmoid", "slope": LEAST_SLOPE, "intercept": odds - LEAST_SLOPE * float(raw.mean())}


def threshold_for(aim: Aim | None, high: "np.ndarray", predicted: "np.ndarray", repeats: float = 1.0) -> float:
    """The prediction from which on a member is flagged.

    For a precision: the lowest that keeps it with a margin; where none does, the one that comes closest. For a recall:
    the highest that keeps it with a margin. Without an aim: the one with the highest F1.

    Args:
        repeats: rows a member. They are alike, so that the margin is that of so many fewer rows.
    """
    import numpy as np

    if not high.any():
        return DEFAULT_THRESHOLD
    order = np.argsort(-predicted, kind="stable")
    last = np.append(np.diff(predicted[order]) != 0, True)
    hits, flagged = np.cumsum(high[order])[last], np.flatnonzero(last) + 1
    values, everyone = predicted[order][last], high.sum()
    if aim is None:
        return float(values[np.argmax(2 * hits / (flagged + everyone))])
    if aim.measure == "recall":
        keeps = np.flatnonzero(wilson(hits / repeats, everyone / repeats, -MARGIN) >= aim.floor)
        return float(values[keeps[0] if len(keeps) else -1])
    enough = flagged >= min(LEAST_FLAGGED * repeats, len(predicted))
    safe = np.where(enough, wilson(hits / repeats, flagged / repeats, -MARGIN), 0.0)
    keeps = np.flatnonzero(safe >= aim.floor)
    return float(values[keeps[-1] if len(keeps) else np.argmax(safe)])


def wilson(hits: Any, rows: Any, z: float) -> Any:
    """End of Wilson's interval of a share, `z` standard errors away (Wilson, J Am Stat Assoc 1927;22:209-12)."""
    share = hits / rows
    spread = abs(z) * (share * (1 - share) / rows + z * z / (4 * rows * rows)) ** 0.5
    return (share + z * z / (2 * rows) + math.copysign(1, z) * spread) / (1 + z * z / rows)


def intervals(
    y: "np.ndarray", predicted: "np.ndarray", *, shares: bool, repeats: float = 1.0
) -> dict[str, list[float]] | None:
    """The ends of the 80 % interval by prediction, from pieces of equally many calibration rows; None for too few.

    Of a regression the tenth and the ninetieth percentile of the outcomes, rank-corrected so that a new member lies
    between them in four of five cases (split conformal prediction; Lei et al., J Am Stat Assoc 2018;113:1094-111). Of
    shares Wilson's interval. Both ends never fall as the prediction grows.
    """
    import numpy as np

    pieces = min(INTERVAL_PIECES, len(y) // INTERVAL_ROWS)
    if not pieces:
        return None
    points: list[tuple[float, float, float]] = []
    for part in np.array_split(np.argsort(predicted, kind="stable"), pieces):
        ends = _share_ends(y[part], repeats) if shares else _outcome_ends(y[part])
        # Level over the piece: on a line to the next one an end would leave out outcomes that come in steps.
        points += [(float(predicted[part[0]]), *ends), (float(predicted[part[-1]]), *ends)]
    x, lower, upper = (np.maximum.accumulate([p[i] for p in points]).tolist() for i in range(3))
    return {"predicted": x, "lower": lower, "upper": upper}


def _share_ends(y: "np.ndarray", repeats: float) -> tuple[float, float]:
    hits, rows = float(y.sum()) / repeats, len(y) / repeats
    return float(wilson(hits, rows, -TWO_SIDED)), float(wilson(hits, rows, TWO_SIDED))


def _outcome_ends(y: "np.ndarray") -> tuple[float, float]:
    import numpy as np

    ranked, below = np.sort(y), math.floor(0.1 * (len(y) + 1)) - 1
    return float(ranked[max(below, 0)]), float(ranked[len(y) - 1 - max(below, 0)])


def importances(booster: "xgboost.Booster") -> dict[str, float]:
    """Share of the total gain by input, largest first; inputs that no tree uses are left out."""
    gain = {n: g for n, g in booster.get_score(importance_type="total_gain").items() if isinstance(g, float)}
    total = sum(gain.values()) or 1.0
    return {n: round(g / total, 4) for n, g in sorted(gain.items(), key=lambda x: (-x[1], x[0]))}


def _matrix(model: RiskModel, rows: "pd.DataFrame") -> "xgboost.DMatrix":
    import xgboost as xgb

    content = encoded(rows, model.inputs, model.categories)
    return xgb.DMatrix(content, targets(model, rows), weight=weights(rows), feature_names=list(model.inputs), nthread=1)


def _quantiles(model: RiskModel, train: Batches, threads: int, *, keep: bool = False) -> "xgboost.QuantileDMatrix":
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


def described(fitted: Fitted) -> dict[str, Any]:
    """How the fit came out, for the tracking server."""
    return {f"fitted_{k}": v for k, v in fitted.parameters.items()} | {"fitted_rounds": fitted.rounds}
