"""How good a model is on the test rows, beside its rule of thumb and the source projects' algorithm on the same rows.

Each measure comes with the interval that 95 of 100 resamples of the members give. A measure that can't be computed is
absent and says why: a 0 or a 1 in its place would pass or fail a gate by accident. Elsewhere: the measures themselves
(`weighted_measures.py`), the gate's own computation of them (`governance/measures.py`), which must agree.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from claims_assets.models.weighted_measures import Judged, values_of

if TYPE_CHECKING:
    import numpy as np

TEST, RULE, BASELINE = "test_", "rule_", "baseline_"
"""Prefixes of a measure: of the model, of the rule of thumb, of the sources' algorithm; all on the test rows."""
LOW, HIGH = "_low", "_high"
"""Suffixes of the ends of a measure's 95 % interval."""
ABSENT = "absent."
"""Prefix of a run's tags that say why a measure could not be computed."""
RESAMPLES = 300
"""Resamples of the members: enough for the ends of a 95 % interval (Efron & Tibshirani, An Introduction to the
Bootstrap, 1993: 200 or more)."""
LEVEL = 0.05
CELLS = 4_000_000
"""Weights in memory at once: 32 MB."""
TENTHS = 10
ONE_CLASS, NO_ROWS = "the rows are of one class", "there are no rows"


@dataclass
class Measures:
    """Measures by name; what could not be computed is in `absent` with the reason."""

    values: dict[str, float] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)

    def add(self, prefix: str, other: "Measures") -> None:
        self.values |= {prefix + k: v for k, v in other.values.items()}
        self.absent |= {prefix + k: v for k, v in other.absent.items()}


def evaluate(
    test: Judged,
    others: Mapping[str, Judged],
    *,
    classifier: bool,
    primary: str,
    unseen: "np.ndarray",
    calibration: Judged,
    seed: int,
) -> Measures:
    """Everything that is said of a model.

    Args:
        test: of the model, one row a member.
        others: prefix -> the same rows judged by another; RULE and BASELINE.
        primary: the measure that decides which of two is better.
        unseen: of each test row, whether nothing of the model ever saw its member.
        calibration: of the model on its calibration part.
        seed: of the resamples.
    """
    found = Measures({"test_rows": float(len(test.label))})
    if test.event is not None:
        found.values["test_positives"] = float(test.event.sum())
    measured = {TEST: test, **others}
    for prefix, of in measured.items():
        found.add(prefix, measures(of, classifier=classifier))
    found.values |= _intervals(measured, classifier, primary, seed)
    found.values |= _gains(found.values, others, primary)
    found.add("test_unseen_", measures(test.where(unseen), classifier=classifier))
    found.values["test_unseen_rows"] = float(unseen.sum())
    found.add("", _stability(test, calibration, classifier, primary))
    return found


def measures(of: Judged, *, classifier: bool) -> Measures:
    """The measures of one prediction, each or why not."""
    import numpy as np

    found = Measures()
    every = np.ones((1, len(of.label)))
    for name, values in values_of(of, every, classifier=classifier).items():
        value = float(values[0])
        if np.isfinite(value):
            found.values[name] = value
        else:
            found.absent[name] = _why(name, of)
    if len(of.label):
        found.values["calibration_error"] = calibration_error(of)
    else:
        found.absent["calibration_error"] = NO_ROWS
    return found


def calibration_error(of: Judged) -> float:
    """Mean distance between predicted and observed over tenths of the prediction, in the unit of the label (expected
    calibration error; Naeini, Cooper & Hauskrecht, AAAI 2015, with equal numbers of members)."""
    import numpy as np

    parts = np.array_split(np.argsort(of.predicted, kind="stable"), min(TENTHS, len(of.label)))
    return float(sum(abs(of.predicted[p].sum() - of.label[p].sum()) for p in parts) / len(of.label))


def score_shift(before: "np.ndarray", after: "np.ndarray") -> float:
    """Population stability index of scores: tenths of `before`, open at both ends, counts smoothed by a half."""
    import numpy as np

    edges = np.unique(np.quantile(before, np.arange(1, TENTHS) / TENTHS))
    shares = []
    for part in (before, after):
        counts = np.bincount(np.searchsorted(edges, part, side="right"), minlength=len(edges) + 1) + 0.5
        shares.append(counts / counts.sum())
    return float(((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum())


def resampled(rows: int, seed: int) -> "Iterator[np.ndarray]":
    """How often each row is drawn: blocks of resamples x rows. On test rows, where a row is a member."""
    import numpy as np

    draw, left = np.random.default_rng(seed), RESAMPLES
    while left:
        size = min(left, max(1, CELLS // rows))
        places = draw.integers(0, rows, (size, rows)) + rows * np.arange(size)[:, None]
        yield np.bincount(places.ravel(), minlength=size * rows).reshape(size, rows).astype("float64")
        left -= size


def _intervals(measured: Mapping[str, Judged], classifier: bool, primary: str, seed: int) -> dict[str, float]:
    """Ends by measure and prefix, and of the gain in the primary measure on each of the others: all of one resample are
    of the same members."""
    import numpy as np

    rows = len(measured[TEST].label)
    drawn: dict[str, list[np.ndarray]] = {}
    for weights in resampled(rows, seed) if rows else ():
        for prefix, of in measured.items():
            for name, values in values_of(of, weights, classifier=classifier).items():
                drawn.setdefault(prefix + name, []).append(values)
            if prefix != TEST:
                gain = drawn[TEST + primary][-1] - drawn[prefix + primary][-1]
                drawn.setdefault(_gain_on(prefix), []).append(gain)
    ends: dict[str, float] = {}
    for name, values in drawn.items():
        finite = np.concatenate(values)
        finite = finite[np.isfinite(finite)]
        # Where more resamples than lie outside of the interval have no value, its ends are unknown.
        if len(finite) >= (1 - LEVEL) * RESAMPLES:
            low, high = np.quantile(finite, [LEVEL / 2, 1 - LEVEL / 2])
            ends |= {name + LOW: float(low), name + HIGH: float(high)}
    return ends


def _gain_on(prefix: str) -> str:
    return f"gain_on_{prefix.removesuffix('_')}"


def _gains(values: Mapping[str, float], others: Mapping[str, Judged], primary: str) -> dict[str, float]:
    return {
        _gain_on(prefix): values[TEST + primary] - values[prefix + primary]
        for prefix in others
        if TEST + primary in values and prefix + primary in values
    }


def _stability(test: Judged, calibration: Judged, classifier: bool, primary: str) -> Measures:
    """What changed between the calibration part and the test year."""
    found, before = Measures(), measures(calibration, classifier=classifier)
    after = measures(test, classifier=classifier)
    found.values["calibration_rows"] = float(len(calibration.label))
    if primary in before.values:
        found.values[f"calibration_{primary}"] = before.values[primary]
    if primary in before.values and primary in after.values:
        found.values[f"{primary}_drop"] = before.values[primary] - after.values[primary]
    else:
        found.absent[f"{primary}_drop"] = before.absent.get(primary) or after.absent[primary]
    if len(test.label) and len(calibration.label):
        found.values["score_psi"] = score_shift(calibration.predicted, test.predicted)
    else:
        found.absent["score_psi"] = NO_ROWS
    return found


def _why(name: str, of: Judged) -> str:
    if not len(of.label):
        return NO_ROWS
    return {
        "auc": ONE_CLASS,
        "average_precision": ONE_CLASS,
        "precision": "no row is predicted positive",
        "recall": "no row is positive",
        "r2": "all labels are the same",
        "predicted_to_observed": "nothing was observed",
    }.get(name, "it is not finite")


def as_markdown(values: Mapping[str, float], absent: Mapping[str, str]) -> str:
    """A table of the model against the rule and the sources' algorithm."""
    named = [n for n in sorted({*values, *absent}) if n.startswith(TEST) and not n.endswith((LOW, HIGH))]
    names = [n.removeprefix(TEST) for n in named if not n.startswith(f"{TEST}unseen_")]
    lines = ["| measure | model | last year's value | sources' algorithm |", "|---|---|---|---|"]
    for name in names:
        cells = [_cell(prefix + name, values, absent) for prefix in (TEST, RULE, BASELINE)]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(name: str, values: Mapping[str, float], absent: Mapping[str, str]) -> str:
    if name not in values:
        return f"absent: {absent[name]}" if name in absent else ""
    if name + LOW not in values:
        return _shown(values[name])
    return f"{_shown(values[name])} ({_shown(values[name + LOW])} to {_shown(values[name + HIGH])})"


def _shown(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3f}"
