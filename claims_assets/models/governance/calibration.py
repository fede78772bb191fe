"""Does a version predict what happens, in all and at every height of its predictions?

Here: criteria of the gate (`gate.py`) and how they are computed. Elsewhere: the limits (`thresholds.py`), the
calibration that a version is fitted with (`models/calibration.py`).
"""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from claims_assets.models.governance.comparison import interval
from claims_assets.models.governance.measures import Scored
from claims_assets.models.governance.thresholds import CALIBRATION
from claims_assets.models.governance.verdict import PASSED, REFUSED, Criterion, shown

if TYPE_CHECKING:
    import numpy as np


def criteria(test: Scored, members: "np.ndarray", *, is_classifier: bool) -> Iterator[Criterion]:
    """Predicted is what happens, in all and by tenths of the members."""
    ratio = interval("predicted_to_observed", test, members)
    limit = f"{CALIBRATION.low:g} to {CALIBRATION.high:g}, if not by chance"
    reason = ""
    if not ratio.known:
        reason = "Predicted to observed can't be computed."
    elif not CALIBRATION.low <= ratio.value <= CALIBRATION.high and not ratio.low <= 1 <= ratio.high:
        reason = f"It predicts {ratio.value:.2f} times what happens."
    outcome = REFUSED if reason else PASSED
    yield Criterion("predicted to observed", outcome, limit, ratio.value, ratio.low, ratio.high, reason=reason)
    yield _by_tenths(test, is_classifier)


def _by_tenths(of: Scored, is_classifier: bool) -> Criterion:
    """Mean distance of predicted and observed; what perfect predictions of so few members would show is taken off."""
    import numpy as np

    scale, most = 1.0, CALIBRATION.absolute
    if not is_classifier:
        scale, most = float(abs(of.label.mean())), CALIBRATION.relative
    distance = noise = 0.0
    for tenth in np.array_split(np.argsort(of.predicted, kind="stable"), CALIBRATION.tenths):
        if len(tenth):
            error = of.predicted[tenth] - of.label[tenth]
            share = len(tenth) / len(of.label)
            distance += share * abs(float(error.mean()))
            # The mean of |N(0, s)| is s * sqrt(2 / pi).
            noise += share * float(error.std()) * math.sqrt(2 / math.pi / len(tenth))
    value = max(0.0, distance - noise) / scale if scale else math.nan
    limit = f"at most {most:g}{'' if is_classifier else ' of the mean'}, beyond chance"
    reason = "" if value <= most else f"Predicted and observed differ by {shown(value)} on average over tenths."
    return Criterion("calibration error", REFUSED if reason else PASSED, limit, value, reason=reason)
