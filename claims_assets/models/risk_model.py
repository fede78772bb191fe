"""What a member risk model is: its target, its inputs, its rule of thumb, its hyper-parameters.

Here: the declaration, and what can be said from it alone. Elsewhere: the five declarations (one file a model), months
(`windows.py`), rows (`training_set.py`), fitting (`fitting.py`), the Dagster asset (`training.py`).
"""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from claims_assets.models.inputs import CATEGORIES, INPUTS, MONOTONE
from claims_assets.models.windows import HORIZON, LOOK_BACK, MOST_INDEXES, RUN_OUT

TREES: dict[str, Any] = {
    "tree_method": "hist",
    "max_bin": 64,
    "max_depth": 3,
    "eta": 0.1,
    "min_child_weight": 10,
    "subsample": 0.8,
    "colsample_bytree": 0.5,
    "reg_lambda": 5.0,
}
"""Shallow trees: the classes are rare, and some hundred positive members are soon learnt by heart. The first candidate
of the search in `fitting.py`."""
CLASSIFIER = {**TREES, "objective": "binary:logistic", "eval_metric": "logloss"}
COST = {**TREES, "objective": "reg:tweedie", "tweedie_variance_power": 1.5, "eval_metric": "tweedie-nloglik@1.5"}
"""Yearly cost is zero for many and has a long tail; a Tweedie model predicts its mean, and never less than zero."""
COUNT = {**TREES, "objective": "count:poisson", "eval_metric": "poisson-nloglik"}
"""For an event that is a count reaching a limit: the count tells more of a member than on which side of the limit it
fell. On members left out of the fit the average precision for emergency visits rose from 0.384 to 0.397."""
SCORE = {**TREES, "objective": "reg:squarederror", "eval_metric": "rmse"}
MOST_ROUNDS = 300
PATIENCE = 20
"""Rounds without progress on the calibration members after which fitting stops."""
SCORE_DIGITS, COST_DIGITS = 6, 2
"""Decimals of a stored score, and of a cost in USD: fewer than float32 holds, so that equal runs give equal rows."""

Algorithm = Literal["random_forest", "gradient_boosting", "logistic_regression"]


@dataclass(frozen=True)
class Aim:
    """What a decision is for: `measure` (precision or recall) is to be at least `floor` on members never seen."""

    measure: Literal["precision", "recall"]
    floor: float


@dataclass(frozen=True)
class Baseline:
    """The source projects' algorithm for a model, with their hyper-parameters; see `baselines.py`."""

    algorithm: Algorithm
    parameters: dict[str, Any]


@dataclass(frozen=True)
class RiskModel:
    """One model of the twelve months after an index month."""

    name: str
    """Registered name, asset name and file name."""
    outcome: str
    """`gold.risk_training_rows` holds it as `outcome_<name>`."""
    at_least: float | None
    """The label is 1 where the outcome reaches this; None: the outcome itself, times `scale`, is the label."""
    history: tuple[str, ...]
    """Features of the year before whose sum is what the outcome was then: the rule of thumb to beat."""
    column: str
    """Score column of `gold.member_risk_predictions`."""
    baseline: Baseline
    prediction: str | None = None
    """0/1 column there; None: the table has none."""
    aim: Aim | None = None
    """How the threshold of a classifier is chosen."""
    fits_outcome: bool = False
    """The trees of a classifier are fitted to the outcome itself; calibration turns that into a probability."""
    scale: float = 1.0
    highest: float | None = None
    """Largest label of a regression; None: there is no such bound."""
    high_share: float | None = None
    """A regression's label is high from this quantile of the training labels on; None: it decides nothing."""
    inputs: tuple[str, ...] = INPUTS
    parameters: dict[str, Any] = field(default_factory=lambda: CLASSIFIER)

    @property
    def is_classifier(self) -> bool:
        return self.at_least is not None

    @property
    def primary(self) -> str:
        """The measure that decides which of two models is better.

        Of a rare event average precision: the area under the ROC curve counts the many who are easily told to be safe
        (Saito & Rehmsmeier, PLoS ONE 2015;10(3):e0118432).
        """
        return "average_precision" if self.is_classifier else "r2"

    @property
    def unit(self) -> str:
        """Of the label."""
        return "share" if self.is_classifier else "points" if self.highest else "USD"

    @property
    def decimals(self) -> int:
        return SCORE_DIGITS if self.is_classifier else COST_DIGITS

    @property
    def version_column(self) -> str:
        """Version column of `gold.member_risk_predictions`."""
        return f"{self.name.removesuffix('_predictor').removesuffix('_score')}_model_version"

    @property
    def categories(self) -> dict[str, dict[str, int]]:
        """The words among the inputs, with their codes."""
        return {n: codes for n, codes in CATEGORIES.items() if n in self.inputs}

    @property
    def monotone(self) -> dict[str, int]:
        """The inputs that may move the prediction one way only."""
        return {n: way for n, way in MONOTONE.items() if n in self.inputs}

    def settings(self, seed: int) -> dict[str, Any]:
        """Everything of the model but the data that decides what a fit gives; flat, for the tracking server."""
        stated = asdict(self)
        parameters, inputs, baseline, aim = (stated.pop(n) for n in ("parameters", "inputs", "baseline", "aim"))
        return {
            **{k: v for k, v in stated.items() if k not in ("column", "prediction")},
            **parameters,
            **{f"baseline_{k}": v for k, v in baseline["parameters"].items()},
            "baseline_algorithm": baseline["algorithm"],
            "aim": f"{aim['measure']} of at least {aim['floor']}" if aim else None,
            "inputs": ",".join(inputs),
            "monotone": json.dumps(self.monotone),
            "categories": json.dumps(self.categories),
            "seed": seed,
            "most_rounds": MOST_ROUNDS,
            "patience": PATIENCE,
            "most_indexes": MOST_INDEXES,
            "horizon": HORIZON,
            "run_out": RUN_OUT,
            "look_back": LOOK_BACK,
        }

    def fingerprint(self, seed: int, **more: Any) -> str:
        """Changes with any of `settings` and `more`."""
        text = json.dumps(self.settings(seed) | more, sort_keys=True, default=list)
        return hashlib.sha256(text.encode()).hexdigest()[:16]
