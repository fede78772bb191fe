"""Measures of a stored run as people read them: the model's beside last year's value and the sources' algorithm.

Elsewhere: how they are computed (`evaluation.py`); who shows them (`registered.py`, `card.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from claims_assets.models.evaluation import BASELINE, HIGH, LOW, RULE, TEST
from claims_assets.models.governance.thresholds import FAIRNESS

UNSEEN = "unseen_"
COUNTS = ("rows", "positives")
"""Names under `test_` that count and measure nothing."""
FEWER = f"1 to {FAIRNESS.smallest_shown - 1}"


@dataclass(frozen=True)
class Measured:
    """One measure on the held-out test members."""

    name: str
    value: float | None
    low: float | None
    high: float | None
    """95 % interval."""
    rule: float | None
    """Of last year's value."""
    source_algorithm: float | None
    """Of the source projects' algorithm."""
    absent: str = ""
    """Why there is no value."""


def measured(values: Mapping[str, float], absent: Mapping[str, str]) -> tuple[Measured, ...]:
    """The measures of a run, by name."""
    names = [n.removeprefix(TEST) for n in sorted({*values, *absent}) if n.startswith(TEST)]
    return tuple(
        Measured(
            name,
            values.get(TEST + name),
            values.get(TEST + name + LOW),
            values.get(TEST + name + HIGH),
            values.get(RULE + name),
            values.get(BASELINE + name),
            absent.get(TEST + name, ""),
        )
        for name in names
        if name not in COUNTS and not name.startswith(UNSEEN) and not name.endswith((LOW, HIGH))
    )


def count_shown(count: float | None) -> str:
    """A number of members as it may be shown; empty where it is unknown."""
    if count is None:
        return ""
    return FEWER if 0 < count < FAIRNESS.smallest_shown else f"{count:,.0f}"


def shown(value: float | None) -> str:
    """A measure as people read it."""
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3f}"


def with_interval(m: Measured) -> str:
    """A measure with its interval, or why there is none."""
    if m.value is None:
        return f"absent: {m.absent}"
    return shown(m.value) + (f" ({shown(m.low)} to {shown(m.high)})" if m.low is not None else "")
