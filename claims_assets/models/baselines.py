"""The source projects' algorithm for each model, with their hyper-parameters: what ours must be worth.

The source projects are the public ones that are named beside the constants of the models. Fitted like theirs: 34
inputs, missing values filled with 0, scaled; but on the training part of ours alone, the scaler included. Gradient
boosting splits among 255 bins of an input rather than among all its values: the same algorithm, ten times as fast.
Elsewhere: the measures of both on the same members (`evaluation.py`).
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from claims_assets.models.inputs import SOURCE_INPUTS
from claims_assets.models.labels import labels
from claims_assets.models.matrices import Batches
from claims_assets.models.parts import numbered
from claims_assets.models.risk_artifact import encoded
from claims_assets.models.risk_model import RiskModel

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

STATE = 42
"""As in the public project sechan9999/GenZ."""
MOST_ROWS = 6_000
"""Training rows, about; of more a fixed sample of the members is taken: a forest of regression trees takes 3 s for
these, and more than in proportion for more."""
SHARES = 1_000
"""Steps of the sampled share."""
THRESHOLD = 0.5
"""From which on the sources' classifiers predict 1."""

Predictor = Callable[["pd.DataFrame"], "np.ndarray"]


def fit_baseline(model: RiskModel, train: Batches, rows: int, most_rows: int = MOST_ROWS) -> Predictor:
    """The sources' algorithm for a model, fitted on the training part, which has so many rows."""
    import numpy as np
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from threadpoolctl import threadpool_limits

    names = [n for n in SOURCE_INPUTS if n in model.inputs]

    def inputs(part: "pd.DataFrame") -> "np.ndarray":
        return np.nan_to_num(encoded(part, names, model.categories), nan=0.0)

    sampled = [part.loc[_in_sample(part, min(1.0, most_rows / max(rows, 1)))] for part in train()]
    content, y = (np.concatenate(x) for x in zip(*[(inputs(p), labels(model, p)) for p in sampled], strict=True))
    with threadpool_limits(1):
        fitted = make_pipeline(StandardScaler(), _estimator(model)).fit(content, y)

    def predict(part: "pd.DataFrame") -> "np.ndarray":
        if not len(part):
            return np.empty(0)
        with threadpool_limits(1):
            found = fitted.predict_proba(inputs(part))[:, 1] if model.is_classifier else fitted.predict(inputs(part))
        return np.round(found.astype("float64"), model.decimals)

    return predict


def baseline_flags(model: RiskModel, values: "np.ndarray", high_from: float | None) -> "np.ndarray | None":
    """Whom the sources' algorithm flags; None where the model warns of nothing."""
    return None if high_from is None else values >= (THRESHOLD if model.is_classifier else high_from)


def _in_sample(part: "pd.DataFrame", share: float) -> "np.ndarray":
    return numbered(part["member_id"], "baseline", SHARES) < share * SHARES


def _estimator(model: RiskModel) -> Any:
    from sklearn import ensemble
    from sklearn.linear_model import LogisticRegression

    given, kind = model.baseline.parameters, "Classifier" if model.is_classifier else "Regressor"
    match model.baseline.algorithm:
        case "random_forest":
            return getattr(ensemble, f"RandomForest{kind}")(**given, random_state=STATE, n_jobs=1)
        case "gradient_boosting":
            binned = {"max_iter" if n == "n_estimators" else n: v for n, v in given.items()}
            whole = {"max_leaf_nodes": None, "min_samples_leaf": 1, "early_stopping": False}
            return getattr(ensemble, f"HistGradientBoosting{kind}")(**binned, **whole, random_state=STATE)
        case "logistic_regression":
            return LogisticRegression(**given, random_state=STATE)
