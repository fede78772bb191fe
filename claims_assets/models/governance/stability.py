"""Are the scores of this year's members spread as last year's, and do they rank as well?

Here: criteria of the gate (`gate.py`) and how they are computed. Elsewhere: the limits (`thresholds.py`), the measures
(`measures.py`) and their intervals (`comparison.py`).
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from claims_assets.models.governance.comparison import drop
from claims_assets.models.governance.measures import Scored
from claims_assets.models.governance.thresholds import STABILITY
from claims_assets.models.governance.verdict import PASSED, REFUSED, Criterion, shown

if TYPE_CHECKING:
    import numpy as np


def criteria(
    ranking: str, before: Scored, before_members: "np.ndarray", test: Scored, members: "np.ndarray"
) -> Iterator[Criterion]:
    """The scores of the test index are spread as those of the calibration members, and rank as well.

    Args:
        ranking: measure by which they rank.
    """
    psi = _psi(before.predicted, test.predicted)
    chance = STABILITY.chance * (1 / len(set(before_members)) + 1 / len(members))
    reason = "" if psi < max(STABILITY.psi, chance) else f"The scores moved: PSI {shown(psi)}."
    limit = f"below {max(STABILITY.psi, chance):.2f}"
    yield Criterion("score PSI", REFUSED if reason else PASSED, limit, psi, reason=reason)
    fell = drop(ranking, before, before_members, test, members)
    reason = ""
    if not fell.known:
        reason = f"The drop of {ranking} can't be computed."
    elif fell.value > STABILITY.drop and fell.low > 0:
        reason = f"{ranking} fell by {shown(fell.value)} from the calibration members to the test members."
    limit = f"at most {STABILITY.drop:g}, if not by chance"
    yield Criterion(
        f"drop of {ranking}", REFUSED if reason else PASSED, limit, fell.value, fell.low, fell.high, reason=reason
    )


def _psi(expected: "np.ndarray", found: "np.ndarray", bins: int = 10, epsilon: float = 1e-10) -> float:
    """Population stability index over bins of equal share of `expected` (bins and epsilon of the public
    project sandeshregmi/claims-autoencoder, src/psi_monitoring.py)."""
    import numpy as np

    edges = np.unique(np.quantile(expected, np.linspace(0, 1, bins + 1)[1:-1]))
    shares = [
        np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1) / len(values) + epsilon
        for values in (expected, found)
    ]
    return float(((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum())
