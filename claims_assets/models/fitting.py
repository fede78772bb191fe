"""Fit one risk model: search for trees, and learn what their scores mean.

Two parts of the training rows go in, apart by member: one grows the trees, the other (the calibration part) says when
to stop and which candidate is best. What a score means is learnt from both: of the training part by trees that were
grown without the member (cross-fitting), because a fifth of the members alone holds too few events. Elsewhere: rows
(`training_set.py`), their labels (`labels.py`) and matrices (`matrices.py`), calibration, threshold and intervals
(`calibration.py`), how a row becomes numbers and scores (`risk_artifact.py`), how good it is on rows of another year
(`evaluation.py`).
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from claims_assets.models.calibration import calibrate, intervals, threshold_for
from claims_assets.models.labels import high_from, labels
from claims_assets.models.matrices import Batches, matrix, quantiles
from claims_assets.models.parts import part_of
from claims_assets.models.risk_artifact import CLASSIFIER, FORMAT, REGRESSION, RiskArtifact
from claims_assets.models.risk_model import MOST_ROUNDS, PATIENCE, RiskModel
from claims_assets.models.windows import NotTrainable

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import xgboost

SPACE: dict[str, tuple[Any, ...]] = {
    "max_depth": (2, 3, 4, 5),
    "eta": (0.03, 0.05, 0.1),
    "min_child_weight": (5, 10, 20, 40),
    "subsample": (0.6, 0.8, 1.0),
    "colsample_bytree": (0.3, 0.5, 0.8),
    "reg_lambda": (1.0, 5.0, 20.0),
}
"""What the search draws from; the first candidate is the model's own `parameters`."""
MOST_KEPT_ROWS = 200_000
"""Training rows that are held as numbers while the matrix is made (about 40 MB)."""


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
    rows = quantiles(model, train, threads, keep=len(known.labels) <= MOST_KEPT_ROWS)
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

    stop, found = matrix(model, calibration), []
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


def importances(booster: "xgboost.Booster") -> dict[str, float]:
    """Share of the total gain by input, largest first; inputs that no tree uses are left out."""
    gain = {n: g for n, g in booster.get_score(importance_type="total_gain").items() if isinstance(g, float)}
    total = sum(gain.values()) or 1.0
    return {n: round(g / total, 4) for n, g in sorted(gain.items(), key=lambda x: (-x[1], x[0]))}


def described(fitted: Fitted) -> dict[str, Any]:
    """How the fit came out, for the tracking server."""
    return {f"fitted_{k}": v for k, v in fitted.parameters.items()} | {"fitted_rounds": fitted.rounds}
