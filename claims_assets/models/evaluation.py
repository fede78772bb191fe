"""How good a model is on the test index, beside its rule of thumb on the same members.

A measure that can't be computed is absent and says why: a 0 or a 1 in its place would pass or fail a gate by accident.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from claims_assets.models.risk_model import RiskModel
from claims_assets.models.rule_baseline import RULE_THRESHOLD, history_of, rule_value

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

TEST, RULE = "test_", "rule_"
"""Prefixes of a measure: of the model, of the rule of thumb; both on the test rows."""


@dataclass
class Measures:
    """Measures by name; what could not be computed is in `absent` with the reason."""

    values: dict[str, float] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)

    def add(self, prefix: str, other: "Measures") -> None:
        self.values |= {prefix + k: v for k, v in other.values.items()}
        self.absent |= {prefix + k: v for k, v in other.absent.items()}


def evaluate(
    model: RiskModel, rows: "pd.DataFrame", y: "np.ndarray", predicted: "np.ndarray", threshold: float | None
) -> Measures:
    """Measures of the model (`test_*`) and of its rule (`rule_*`), rows and positive rows."""
    rule = rule_value(model, history_of(model, rows))
    found = Measures({"test_rows": float(len(y))})
    if model.is_classifier:
        found.values["test_positives"] = float(y.sum())
        found.add(TEST, of_classifier(y, predicted, threshold if threshold is not None else RULE_THRESHOLD))
        found.add(RULE, of_classifier(y, rule, RULE_THRESHOLD))
    else:
        found.add(TEST, of_regression(y, predicted))
        found.add(RULE, of_regression(y, rule))
    return found


def of_classifier(y: "np.ndarray", scores: "np.ndarray", threshold: float) -> Measures:
    """Ranking (auc, average_precision), calibration (brier), and decisions (precision, recall) of scores in 0-1."""
    from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

    found = Measures()
    chosen = scores >= threshold
    hits = float((chosen & (y > 0)).sum())
    if len(y) and 0 < y.sum() < len(y):
        found.values["auc"] = float(roc_auc_score(y, scores))
        found.values["average_precision"] = float(average_precision_score(y, scores))
    else:
        found.absent |= dict.fromkeys(("auc", "average_precision"), "the test rows are of one class")
    if len(y):
        found.values["brier"] = float(brier_score_loss(y, scores, pos_label=1))
    else:
        found.absent["brier"] = "there are no test rows"
    shares = (("precision", chosen, "no row is predicted positive"), ("recall", y > 0, "no row is positive"))
    for name, of, why in shares:
        if of.any():
            found.values[name] = hits / float(of.sum())
        else:
            found.absent[name] = why
    return found


def of_regression(y: "np.ndarray", predicted: "np.ndarray") -> Measures:
    """r2, mae and rmse; the last two in the unit of the label."""
    found = Measures()
    if not len(y):
        return Measures(absent=dict.fromkeys(("r2", "mae", "rmse"), "there are no test rows"))
    error = y - predicted
    found.values["mae"] = float(abs(error).mean())
    found.values["rmse"] = float((error**2).mean() ** 0.5)
    spread = float(((y - y.mean()) ** 2).sum())
    if spread > 0:
        found.values["r2"] = 1 - float((error**2).sum()) / spread
    else:
        found.absent["r2"] = "all test labels are the same"
    return found


def as_markdown(values: dict[str, float], absent: dict[str, str]) -> str:
    """A table of model against rule."""
    names = [n.removeprefix(TEST) for n in sorted({*values, *absent}) if n.startswith(TEST)]
    lines = ["| measure | model | last year's value |", "|---|---|---|"]
    for name in names:
        cells = [_cell(prefix + name, values, absent) for prefix in (TEST, RULE)]
        lines.append(f"| {name} | {cells[0]} | {cells[1]} |")
    return "\n".join(lines)


def _cell(name: str, values: dict[str, float], absent: dict[str, str]) -> str:
    if name in values:
        value = values[name]
        return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3f}"
    return f"absent: {absent[name]}" if name in absent else ""
