"""What a member risk model is: its target, its inputs, its rule of thumb, its hyper-parameters.

Here: the declaration, and what can be said from it alone. Elsewhere: the four declarations (one file a model), months
(`windows.py`), rows (`training_set.py`), fitting (`fitting.py`), the Dagster asset (`training.py`).
"""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import Any

from claims_assets.models.inputs import INPUTS
from claims_assets.models.windows import HORIZON, LOOK_BACK, RUN_OUT

TREES: dict[str, Any] = {
    "tree_method": "hist",
    "max_bin": 64,
    "max_depth": 3,
    "eta": 0.1,
    "min_child_weight": 5,
    "subsample": 0.8,
    "colsample_bytree": 0.8,
}
"""Shallow trees: the classes are rare, and some hundred positive members are soon learnt by heart."""
CLASSIFIER = {**TREES, "objective": "binary:logistic", "eval_metric": "logloss"}
COST = {**TREES, "objective": "reg:tweedie", "tweedie_variance_power": 1.5, "eval_metric": "tweedie-nloglik@1.5"}
"""Yearly cost is zero for many and has a long tail; a Tweedie model predicts its mean, and never less than zero."""
MOST_ROUNDS = 300
PATIENCE = 20
"""Rounds without progress on the validation members after which fitting stops."""


@dataclass(frozen=True)
class RiskModel:
    """One model of the twelve months after an index month."""

    name: str
    """Registered name, asset name and file name."""
    outcome: str
    """Column of `features.outcomes.outcomes`."""
    at_least: float | None
    """The label is 1 where the outcome reaches this; None: the outcome itself is the label."""
    history: tuple[str, ...]
    """Features of the year before whose sum is what the outcome was then: the rule of thumb to beat."""
    column: str
    """Score column of `gold.member_risk_predictions`."""
    prediction: str | None = None
    """0/1 column there; None for a regression."""
    inputs: tuple[str, ...] = INPUTS
    parameters: dict[str, Any] = field(default_factory=lambda: CLASSIFIER)

    @property
    def is_classifier(self) -> bool:
        return self.at_least is not None

    @property
    def version_column(self) -> str:
        """Version column of `gold.member_risk_predictions`."""
        return f"{self.name.removesuffix('_predictor')}_model_version"

    def settings(self, seed: int) -> dict[str, Any]:
        """Everything but the data that decides what a fit gives; flat, for the tracking server."""
        stated = asdict(self)
        parameters, inputs = stated.pop("parameters"), stated.pop("inputs")
        return {
            **{k: v for k, v in stated.items() if k not in ("column", "prediction")},
            **parameters,
            "inputs": ",".join(inputs),
            "seed": seed,
            "most_rounds": MOST_ROUNDS,
            "patience": PATIENCE,
            "horizon": HORIZON,
            "run_out": RUN_OUT,
            "look_back": LOOK_BACK,
        }

    def fingerprint(self, seed: int) -> str:
        """Changes with any of `settings`."""
        text = json.dumps(self.settings(seed), sort_keys=True, default=list)
        return hashlib.sha256(text.encode()).hexdigest()[:16]
