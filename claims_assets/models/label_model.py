"""What investigators' decisions teach: a logistic regression over errors and features of claims, as a pure function.

Here: fit, held-out judgement against the unsupervised ranking, and the score as columns. Elsewhere: which claims have a
label and what is known of them (`fraud_supervised.py`), the scores (`predictions/fraud_supervised_scores.py`).
A regression and no trees: labels are few, its score is a sum that every engine computes alike, and what it learnt can
be read. Claims of one provider are decided by the same habits, so they are held out together.
"""

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from claims_assets.models.governance.comparison import Interval, gain, interval
from claims_assets.models.governance.measures import Scored

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from pyspark.sql import Column

LEAST_OF_EACH = 100
"""Confirmed, and cleared, claims below which nothing is fitted: what a validation needs to tell a good model from a bad
one (Vergouwe et al., J Clin Epidemiol 2005;58:475; Collins, Ogundimu & Altman, Stat Med 2016;35:214)."""
FOLDS = 5
"""Every claim is judged by a fit that has not seen its provider. Five or ten are usual (Kohavi, IJCAI 1995)."""
PENALTY, MOST_ITERATIONS = 1.0, 1_000
"""C and iterations of `high_risk_predictor` in the public project sechan9999/GenZ (config/model_config.yaml)."""
MEASURE = "average_precision"
"""By which it is compared: confirmed claims are few of those an investigator could open."""
DIGITS = 6


class TooFewLabels(ValueError):
    """There is nothing to fit; the message says what there is and what is needed."""


@dataclass(frozen=True)
class LabelModel:
    """A fitted regression: `score` = logistic(intercept + sum of weight x (tamed value - centre) / spread)."""

    inputs: tuple[str, ...]
    centres: tuple[float, ...]
    """Also what stands in for a missing value."""
    spreads: tuple[float, ...]
    weights: tuple[float, ...]
    intercept: float

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> "LabelModel":
        return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in json.loads(text).items()})

    def predict(self, rows: "pd.DataFrame") -> "np.ndarray":
        """Probability of being confirmed, for each row."""
        import numpy as np

        filled = _tamed(rows, self.inputs).fillna(dict(zip(self.inputs, self.centres, strict=True))).to_numpy()
        z = self.intercept + (filled - self.centres) / self.spreads @ np.array(self.weights)
        return 1 / (1 + np.exp(-z))

    def column(self) -> "Column":
        """The same for a Spark frame that holds `inputs`."""
        from pyspark.sql import functions as F

        from claims_assets.numbers import rounded

        total = F.lit(self.intercept)
        for name, centre, spread, weight in zip(self.inputs, self.centres, self.spreads, self.weights, strict=True):
            value = F.col(name).cast("double")
            tamed = F.when(value < 0, -F.log1p(-value)).otherwise(F.log1p(value))
            total = total + (F.coalesce(tamed, F.lit(centre)) - centre) * (weight / spread)
        return rounded(1 / (1 + F.exp(-total)), DIGITS)


@dataclass(frozen=True)
class Judged:
    """The regression beside the unsupervised ranking, on labelled claims that it had not seen."""

    model: Interval
    unsupervised: Interval
    gain: Interval
    confirmed: int
    cleared: int

    @property
    def better(self) -> bool:
        """The gain is not by chance."""
        return self.gain.low > 0

    @property
    def said(self) -> str:
        found = self.gain
        return (
            f"Its average precision is {found.value:+.3f} ({found.low:+.3f} to {found.high:+.3f}) beside the"
            f" unsupervised ranking's {self.unsupervised.value:.3f}, on {self.confirmed} confirmed and {self.cleared}"
            " cleared claims of providers it had not seen."
        )


def fit(rows: "pd.DataFrame", inputs: Sequence[str], label: str) -> LabelModel:
    """Fit on all rows; inputs that do not vary are left out.

    Raises:
        TooFewLabels: a class has none.
    """
    from sklearn.linear_model import LogisticRegression

    if rows[label].nunique() < 2:
        raise TooFewLabels("All labels are the same.")
    tamed = _tamed(rows, inputs)
    varying = [n for n in inputs if tamed[n].nunique(dropna=True) > 1]
    centres, spreads = tamed[varying].median(), tamed[varying].std(ddof=0)
    z = (tamed[varying].fillna(centres) - centres) / spreads
    fitted = LogisticRegression(C=PENALTY, max_iter=MOST_ITERATIONS).fit(z.to_numpy(), rows[label].to_numpy())
    return LabelModel(
        tuple(varying),
        *(tuple(map(float, v)) for v in (centres, spreads, fitted.coef_[0])),
        intercept=float(fitted.intercept_[0]),
    )


def judged(rows: "pd.DataFrame", inputs: Sequence[str], label: str, unsupervised: str, provider: str) -> Judged:
    """Fit without each fold of providers in turn, and compare on what was left out.

    Args:
        rows: labelled claims; `label` is 1 for a confirmed one.
        unsupervised: column of the score to beat.
        provider: column by which claims are held out together.

    Raises:
        TooFewLabels: there are fewer than LEAST_OF_EACH confirmed or cleared claims, or all of them are of one fold.
    """
    import numpy as np

    refuse_too_few(rows[label].to_numpy())
    ordered = rows.reset_index(drop=True)
    fold = np.array([fold_of(p) for p in ordered[provider]])
    predicted = np.full(len(ordered), math.nan)
    for held_out in sorted(set(fold)):
        seen = fold != held_out
        predicted[~seen] = fit(ordered.loc[seen], inputs, label).predict(ordered.loc[~seen])
    event = ordered[label].to_numpy() > 0
    nobody = np.zeros(len(event), dtype=bool)
    ours, theirs = (
        Scored(event.astype("float64"), event, np.asarray(said, "float64"), nobody)
        for said in (predicted, ordered[unsupervised])
    )
    who = ordered[provider].to_numpy()
    return Judged(
        model=interval(MEASURE, ours, who),
        unsupervised=interval(MEASURE, theirs, who),
        gain=gain(MEASURE, ours, theirs, who),
        confirmed=int(event.sum()),
        cleared=int((~event).sum()),
    )


def refuse_too_few(label: "np.ndarray") -> None:
    """Raise TooFewLabels, with the numbers, unless there are enough of each."""
    confirmed, cleared = int((label > 0).sum()), int((label <= 0).sum())
    if min(confirmed, cleared) < LEAST_OF_EACH:
        raise TooFewLabels(
            f"{confirmed} confirmed and {cleared} cleared claims are known; {LEAST_OF_EACH} of each are needed."
        )


def fold_of(provider: object) -> int:
    """The same for a provider in every run; one who is not known has a fold like anybody."""
    return int.from_bytes(hashlib.sha256(f"{provider}".encode()).digest()[:4]) % FOLDS


def _tamed(rows: "pd.DataFrame", inputs: Sequence[str]) -> "pd.DataFrame":
    """Logarithms with the sign kept: errors and amounts have long tails."""
    import numpy as np
    import pandas as pd

    values = rows[list(inputs)].to_numpy("float64", na_value=np.nan)
    return pd.DataFrame(np.sign(values) * np.log1p(np.abs(values)), columns=pd.Index(inputs), index=rows.index)
