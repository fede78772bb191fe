"""One training from rows to everything that is known of the result: the fit, its measures, its held-out predictions.

The test rows are touched here, and nowhere before the fit is finished. Elsewhere: the fit (`fitting.py`), the measures
(`evaluation.py`), the run and the registry (`training.py`).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from claims_assets.models.baselines import Predictor, baseline_flags, fit_baseline
from claims_assets.models.evaluation import BASELINE, RULE, TEST, Judged, Measures, evaluate
from claims_assets.models.fitting import Fitted, Grower, fit
from claims_assets.models.labels import labels
from claims_assets.models.risk_model import RiskModel
from claims_assets.models.rule_baseline import history_of, rule_flags, rule_value
from claims_assets.models.training_set import INDEX_MONTH, TrainingSet
from claims_assets.predictions import holdout_predictions
from claims_assets.predictions.holdout_predictions import GROUPS

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


@dataclass(frozen=True)
class Trained:
    """A fitted model, and what is known of it."""

    fitted: Fitted
    measures: Measures
    test: Judged
    holdout: "pd.DataFrame"
    """Rows of `gold.holdout_predictions`, without model, month and version."""


def trained(
    model: RiskModel, rows: TrainingSet, *, seed: int, threads: int, trials: int, grower: Grower | None = None
) -> Trained:
    """Fit on the training and the calibration part, then measure on the test part.

    Args:
        grower: grows the trees instead of this process.

    Raises:
        NotTrainable: there is nothing to learn from.
    """
    fitted = fit(model, rows.train, rows.calibration, seed=seed, threads=threads, trials=trials, grower=grower)
    baseline = fit_baseline(model, rows.train, rows.train_rows)
    calibration, test = (judged(model, part, fitted, baseline) for part in (rows.calibration, rows.test))
    measures = evaluate(
        test[TEST],
        {prefix: test[prefix] for prefix in (RULE, BASELINE)},
        classifier=model.is_classifier,
        primary=model.primary,
        unseen=rows.test_unseen,
        calibration=calibration[TEST],
        seed=seed,
    )
    if not model.is_classifier:
        measures.add(TEST, _coverage(fitted, test[TEST]))
    if fitted.high_from is not None and not model.is_classifier:
        measures.values["high_from"] = fitted.high_from
    return Trained(fitted, measures, test[TEST], _holdout(rows, calibration, test))


def judged(model: RiskModel, rows: "pd.DataFrame", fitted: Fitted, baseline: Predictor) -> dict[str, Judged]:
    """The rows as judged by the model (TEST), the rule and the sources' algorithm."""
    import numpy as np

    label, high = labels(model, rows), fitted.high_from
    event = None if high is None else label >= high
    predicted = fitted.artifact.predict(rows)
    flagged = None if high is None else fitted.artifact.decide(predicted).astype(bool)
    rule = np.round(rule_value(model, history_of(model, rows)), model.decimals)
    by_sources = baseline(rows)
    return {
        TEST: Judged(label, predicted, event, flagged),
        RULE: Judged(label, rule, event, rule_flags(model, rule, high)),
        BASELINE: Judged(label, by_sources, event, baseline_flags(model, by_sources, high)),
    }


def _coverage(fitted: Fitted, test: Judged) -> Measures:
    """Share of the outcomes inside the interval of 80 %."""
    import numpy as np

    lower, upper = fitted.artifact.interval(test.predicted)
    inside = (test.label >= lower) & (test.label <= upper)
    if not len(inside) or np.isnan(lower).any():
        return Measures(absent={"interval_coverage": "there are no intervals, or no rows"})
    return Measures({"interval_coverage": float(inside.mean())})


def _holdout(rows: TrainingSet, calibration: dict[str, Judged], test: dict[str, Judged]) -> "pd.DataFrame":
    import pandas as pd

    parts = [
        _part(holdout_predictions.CALIBRATION, rows.calibration, calibration),
        _part(holdout_predictions.TEST, rows.test, test),
    ]
    return pd.concat(parts, ignore_index=True)


def _part(name: str, rows: "pd.DataFrame", by: dict[str, Judged]) -> "pd.DataFrame":
    model, rule, baseline = by[TEST], by[RULE], by[BASELINE]
    # The flag was read as a number.
    dual = rows["dual_eligible"].map(lambda x: x > 0, na_action="ignore").astype("object")
    return rows[["member_id", INDEX_MONTH, *[g for g in GROUPS if g != "dual_eligible"]]].assign(
        part=name,
        dual_eligible=dual.where(dual.notna(), None),
        outcome=model.label,
        is_event=_whole(model.event, len(rows)),
        predicted=model.predicted,
        flagged=_whole(model.flagged, len(rows)),
        rule_predicted=rule.predicted,
        rule_flagged=_whole(rule.flagged, len(rows)),
        baseline_predicted=baseline.predicted,
        baseline_flagged=_whole(baseline.flagged, len(rows)),
    )


def _whole(values: "np.ndarray | None", rows: int) -> "pd.api.extensions.ExtensionArray":
    import pandas as pd

    return pd.array([pd.NA] * rows if values is None else values.astype("int32"), dtype="Int32")
