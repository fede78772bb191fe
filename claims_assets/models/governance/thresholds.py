"""Every number of the gate, with its source beside it.

Two kinds. A floor is what the source projects (the public ones that are named here) ask of a model's quality; a model
below it is no champion, but may score as a visible candidate. A safety number says when a model, or what is known of
it, can't be trusted; such a model never scores. The sources have few of those: where a number is ours, it says so and
why.
"""

from collections.abc import Mapping
from dataclasses import dataclass

GENZ = "public project sechan9999/GenZ, config/model_config.yaml"
GOVERNANCE = "public project juanlamadrid20/insurance-mlops, MODEL.md"
OURS = "ours"


@dataclass(frozen=True)
class Floor:
    """A measure on the held-out test members that a champion must reach."""

    measure: str
    """Name in the run, without the prefix `test_`."""
    limit: float
    source: str
    at_most: bool = False
    """The limit is a ceiling: the measure is an error."""

    def holds(self, value: float) -> bool:
        """False for NaN too."""
        return value <= self.limit if self.at_most else value >= self.limit

    def __str__(self) -> str:
        return f"{'at most' if self.at_most else 'at least'} {self.limit:,g}"


@dataclass(frozen=True)
class Demands:
    """What the gate asks of one kind of model beyond its floors."""

    primary: str
    """Measure by which models are compared."""
    ranking: str
    """Measure that does not move with how frequent the outcome is: compared between two points in time."""
    error: str
    """Mean error, in the unit of the label or as a squared probability."""
    measures: tuple[str, ...]
    """What the run must hold of the test members, finite."""
    implausible: tuple[tuple[str, float], ...]
    """A measure above its number knows the answer. Ours: a label among the features gives 1; of models of a coming
    year the source project claims an AUC of at most .82 and an R2 of .71, and prospective models of cost are published
    with an R2 below .3 (Society of Actuaries, Accuracy of Claims-Based Risk Scoring Models, 2016)."""


CLASSIFIER = Demands(
    primary="average_precision",
    ranking="auc",
    error="brier",
    measures=("auc", "average_precision", "brier", "precision", "recall", "accuracy"),
    implausible=(("auc", 0.995),),
)
"""Primary is average precision, which looks at the rare members with the event; AUC hardly moves with them."""
REGRESSION = Demands(
    primary="r2",
    ranking="r2",
    error="mae",
    measures=("r2", "mae", "rmse"),
    implausible=(("r2", 0.98),),
)
HIGH_SHARE = 0.95
"""A regression that decides nothing is judged as if it flagged its highest twentieth: the 95th percentile at which the
governance project puts high risk."""

FLOORS: Mapping[str, tuple[Floor, ...]] = {
    "er_utilization_predictor": (Floor("auc", 0.70, GENZ), Floor("precision", 0.60, GENZ)),
    "high_cost_predictor": (Floor("auc", 0.75, GENZ), Floor("precision", 0.65, GENZ)),
    "total_cost_predictor": (Floor("r2", 0.60, GENZ), Floor("rmse", 15_000, GENZ, at_most=True)),
    "high_risk_predictor": (Floor("auc", 0.70, GENZ), Floor("recall", 0.70, GENZ)),
    "health_risk_score": (
        Floor("r2", 0.70, GOVERNANCE),
        Floor("mae", 15.0, GOVERNANCE, at_most=True),
        Floor("accuracy", 0.60, GOVERNANCE),
        Floor("recall", 0.30, OURS),
        Floor("precision", 0.30, OURS),
    ),
}
"""Ours for the health score: the high-risk cut is the 95th percentile, so a score that calls nobody high-risk has an
accuracy of .95. Three of ten found, and three of ten right, are six times what a random 5 % would give."""


@dataclass(frozen=True)
class Fairness:
    """When groups of members are treated differently."""

    low: float = 0.80
    high: float = 1.25
    """Ratio of a group's rate to that of the largest group. .8 is the four-fifths rule (29 CFR 1607.4 D), 1.25 its
    reciprocal; both are the band of the public project sandeshregmi/claims-autoencoder (src/fairness_analysis.py)."""
    smallest_group: int = 30
    """Members whose rate is judged; fewer are named, not judged. Ours: the usual limit of a normal approximation."""
    fewest_expected: int = 5
    """Selected members that the smaller group would have if both had one rate. Cochran 1954: below 5 the test of two
    rates does not hold. It also makes a rate of zero, where it is judged at all, no accident (e^-5 = .7 %)."""
    level: float = 0.05
    """Of the two-sided test, over all comparisons of a model together (Holm 1979). The public project tests each pair
    at .05; a model has some thirty pairs, of which one or two would then be called unfair by chance."""
    smallest_shown: int = 11
    """Counts of 1 to 10 are not shown (CMS cell size suppression policy)."""
    alike: tuple[str, ...] = ("gender", "race", "ethnicity")
    """Attributes for which neither the share of flagged members may differ, nor the share found of those with the
    event, nor what a prediction means."""
    in_need: tuple[str, ...] = ("age_group", "dual_eligible")
    """Attributes with which need itself differs: the old and the dually eligible are ill more often and more plainly,
    so any honest model flags them and finds them more often (Simoiu, Corbett-Davies & Goel, Annals of Applied
    Statistics 2017;11(3):1193). Of them a prediction must mean the same, which is what the bias of a well-known risk
    score was (Obermeyer et al., Science 2019;366:447); the other rates are reported."""


@dataclass(frozen=True)
class Calibration:
    """When a prediction does not mean what it says. All ours."""

    low: float = 0.80
    high: float = 1.25
    """Sum predicted to sum observed: the band of fairness, as a plan would staff for a quarter too many or too few."""
    tenths: int = 10
    absolute: float = 0.05
    """Mean distance of predicted and observed share over tenths of the members, of a classifier: one in twenty."""
    relative: float = 0.25
    """The same of a regression, as a share of the mean outcome: the band again."""


@dataclass(frozen=True)
class Stability:
    """When a model is another one a year later."""

    psi: float = 0.20
    """Population stability index of the scores of the calibration part and of the test part, ten bins: major from .2 on
    (public project sandeshregmi/claims-autoencoder, src/psi_monitoring.py)."""
    chance: float = 16.92
    """95th percentile of chi-square with nine degrees of freedom. With ten bins and one population PSI is that over
    1/(1/n + 1/m) (Yurdakul 2018), so a PSI of few members is expected to be large."""
    drop: float = 0.10
    """Of the ranking measure between the two parts, if not by chance. Ours: what lies between the floors of the
    classifiers (.70) and the AUC that the source project claims for them (.75 to .82)."""


@dataclass(frozen=True)
class Comparison:
    """When a challenger replaces a champion."""

    resamples: int = 500
    """Of the bootstrap. Ours: 12 values beyond each end of the interval."""
    fewest_resamples: int = 200
    """Of very many members, whose intervals are narrow (Efron & Tibshirani, An Introduction to the Bootstrap, 1993:
    200 or more)."""
    draws: int = 20_000_000
    """Members drawn in all resamples together, as long as that leaves `fewest_resamples`. Ours: seconds a measure."""
    seed: int = 42
    """The source projects' random state."""
    level: float = 0.05
    error: float = 1.05
    """The challenger's error may be this many times the champion's (insurance-mlops, MODEL.md)."""
    accuracy: float = 0.95
    """Its accuracy must be this many times the champion's (the same)."""


FAIRNESS, CALIBRATION, STABILITY, COMPARISON = Fairness(), Calibration(), Stability(), Comparison()

REPRODUCED = 1e-6
"""Relative difference at which two computations of a measure are the same. Ours: a float64 sum of a million rows is off
by less than 1e-9, and what a registry stores in single precision by less than 1e-7."""
TIME_TRAVEL_SHARE, TIME_TRAVEL_MEMBERS = 0.1, 1_000
"""Share of the members whose features are built again, and how many at least. Ours: among 1,000 members a leak that
reaches one in a hundred is missed in one of 20,000 trials."""
