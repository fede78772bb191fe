"""What investigators' decisions teach: a logistic regression over errors and features of claims, as a pure function.

Here: the fit, and the judgement on held-out claims against the unsupervised ranking. Elsewhere: what a fitted one is
(`label_artifact.py`), which claims have a label (`fraud_supervised.py`), the scores (`predictions/`).
A regression and no trees: labels are few, its score is a sum that every engine computes alike, and what it learnt can
be read. Claims of one provider are decided by the same habits, so they are held out together.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from claims_assets.models.governance.comparison import Interval, gain, interval
from claims_assets.models.governance.measures import Scored
from claims_assets.models.label_artifact import LabelModel, tamed

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

LEAST_OF_EACH = 100
"""Confirmed, and cleared, claims below which nothing is fitted: what a validation needs to tell a good model from a bad
one (Vergouwe et al., J Clin Epidemiol 2005;58:475; Collins, Ogundimu & Altman, Stat Med 2016;35:214)."""
FOLDS = 5
"""Every claim is judged by a fit that has not seen its provider. Five or ten are usual (Kohavi, IJCAI 1995)."""
PENALTY, MOST_ITERATIONS = 0.03, 1_000
"""C: ours, as labels are few beside inputs. Held out, average precision on 360 labelled claims (mean of four draws) was
0.805 with 1.0, which `high_risk_predictor` has in the public project sechan9999/GenZ (whose iterations these are), and
0.824 with 0.03. It weighs less as labels grow, because C multiplies a sum over them."""
MEASURE = "average_precision"
"""By which it is compared: confirmed claims are few of those an investigator could open."""


class TooFewLabels(ValueError):
    """There is nothing to fit; the message says what there is and what is needed."""


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
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    if rows[label].nunique() < 2:
        raise TooFewLabels("All labels are the same.")
    values = tamed(rows, inputs)
    kept = [i for i in range(len(inputs)) if len(np.unique(values[~np.isnan(values[:, i]), i])) > 1]
    centres, spreads = np.nanmedian(values[:, kept], axis=0), np.nanstd(values[:, kept], axis=0)
    z = (np.where(np.isnan(values[:, kept]), centres, values[:, kept]) - centres) / spreads
    fitted = LogisticRegression(C=PENALTY, max_iter=MOST_ITERATIONS).fit(z, rows[label].to_numpy())
    return LabelModel(
        inputs=tuple(inputs[i] for i in kept),
        centres=tuple(centres.tolist()),
        spreads=tuple(spreads.tolist()),
        weights=tuple(fitted.coef_[0].tolist()),
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
