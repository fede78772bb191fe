"""What a score means: its calibration, the threshold from which on it flags, and the interval around it.

All three are learnt from members of whom the trees know nothing. Elsewhere: the trees, and who these members are
(`fitting.py`), how a stored model applies what is learnt here (`risk_artifact.py`).
"""

import math
from typing import TYPE_CHECKING, Any

from claims_assets.models.risk_model import Aim

if TYPE_CHECKING:
    import numpy as np

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
INTERVAL_ROWS, INTERVAL_PIECES = 50, 20
"""Least rows of a piece of the interval curve, and most pieces."""


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
