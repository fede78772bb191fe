"""What the trees of a risk model are fitted to: labels, targets and weights of training rows.

Here: from the outcomes of a frame, nothing fitted. Elsewhere: the outcomes (`features/risk_training_rows.py`), the fit
(`fitting.py`).
"""

from typing import TYPE_CHECKING

from claims_assets.models.risk_model import RiskModel
from claims_assets.models.windows import HORIZON

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


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


def high_from(model: RiskModel, known: "np.ndarray") -> float | None:
    """The label from which on an outcome is what the model warns of, from the training labels."""
    import numpy as np

    if model.is_classifier:
        return 1.0
    return None if model.high_share is None else float(np.quantile(known, model.high_share, method="higher"))
