"""What is drift: pure rules from the results of one month to conditions, each with its value, limits and verdict.

Here: limits and their sources; nothing is read. Elsewhere: the table (`drift.py`), who is told
(`automation/alerts/drift.py`), who is trained anew (`automation/retraining.py`).

A season is no drift: a column has moved only as far as it is from both the year before and the same month a year ago.
A column that goes by the calendar is no drift either. What can't be known is `unknown`, not fine.
"""

import math
from calendar import monthrange
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from claims_assets.models.registered import MODELS
from claims_assets.models.risk_model import RiskModel
from claims_assets.monitoring.psi import ALERT, MAJOR, score
from claims_assets.monitoring.reference_profiles import TRAINED, YEAR_BEFORE
from claims_assets.predictions.monthly_profiles import FEATURES, POPULATION

OK, WARNING, CRITICAL, UNKNOWN = "ok", "warning", "critical", "unknown"
VERDICTS = (OK, WARNING, CRITICAL, UNKNOWN)
TOLD = (WARNING, CRITICAL)

DRIFT_SCORE, COMPOSITE, FROM_TRAINING = "drift_score", "composite_drift", "drift_from_training"
MISSING_VALUES, OUT_OF_RANGE, DEMOGRAPHIC_SHIFT = "missing_values", "out_of_range", "demographic_shift"
PREDICTION_COUNT, PREDICTION_SHIFT, MEAN_PREDICTION = "prediction_count", "prediction_shift", "mean_prediction"
MAE, PERFORMANCE = "mae", "performance"
CONDITIONS = (
    DRIFT_SCORE, COMPOSITE, FROM_TRAINING, MISSING_VALUES, OUT_OF_RANGE, DEMOGRAPHIC_SHIFT,
    PREDICTION_COUNT, PREDICTION_SHIFT, MEAN_PREDICTION, MAE, PERFORMANCE,
)  # fmt: skip

BY_THE_CALENDAR = ("eligibility_years",)
"""Columns that grow as time goes on, because enrolment before the first feed is not known: compared, not judged."""
MAJOR_SCORE = score(MAJOR)
"""Score from which a move is critical: an index of .2 beyond chance."""
SHIFT = 0.20
"""Change of the mean prediction (public project juanlamadrid20/insurance-mlops: prediction drift)."""
BEYOND_CHANCE = 3.3
"""Standard errors of the mean that a shift must have too: p = .001, so that few members with a high cost are none."""
DEMOGRAPHIC = 0.10
"""Share of members that another group has gained (same source: demographic shift)."""
LARGEST_MAE = 15.0
"""Of the health risk score, 0 to 100, once outcomes are known (same source)."""
MEAN_LOW, MEAN_HIGH, SEVERE_LOW, SEVERE_HIGH = 15.0, 85.0, 10.0, 90.0
"""Of the mean health risk score (same source)."""
DAILY = 50
"""Predictions a day below which something is wrong (document 001). We predict once a month, so a month has its days
times as many; a plan that never had so many is held to half of what it usually has, and to this number at least."""
USUAL_SHARE = 0.5
MORE_MISSING, OUTSIDE = 0.05, 0.01
"""Rise of the share without a value, and share beyond all of a year. Both ours: of a year of a dozen months hardly one
value in a thousand is new."""
SCALED = "health_risk_score"
"""The model whose scale, 0 to 100, the source's limits speak of."""

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Found:
    """One condition of one month."""

    subject: str
    condition: str
    value: float | None
    at_least: float | None = None
    at_most: float | None = None
    verdict: str = OK
    about: str = ""
    """The column it is about, or why nothing is known."""


def conditions(month: str, moved: Sequence[Row], performance: Sequence[Row]) -> list[Found]:
    """All conditions of a month, in a fixed order.

    Args:
        moved: its rows of `monitoring.psi_results`.
        performance: its rows of `monitoring.model_performance`.
    """
    found = [*_of_features(_of(moved, FEATURES)), *_of_population(_of(moved, POPULATION))]
    inputs = next(f for f in found if (f.subject, f.condition) == (FEATURES, DRIFT_SCORE))
    of_model = {r["model_name"]: r for r in performance}
    for model in MODELS:
        found += _of_model(model, month, moved, inputs, of_model.get(model.name))
    return found


def _of(moved: Iterable[Row], subject: str) -> list[Row]:
    return [r for r in moved if r["subject"] == subject and r["column_name"] not in BY_THE_CALENDAR]


def _of_features(rows: Sequence[Row]) -> Iterator[Found]:
    yield _scored(FEATURES, DRIFT_SCORE, rows)
    yield _largest(FEATURES, MISSING_VALUES, rows, _more_missing, MORE_MISSING)
    yield _largest(FEATURES, OUT_OF_RANGE, rows, lambda r: r["outside_share"], OUTSIDE)


def _of_population(rows: Sequence[Row]) -> Iterator[Found]:
    yield _scored(POPULATION, DRIFT_SCORE, rows)
    yield _largest(POPULATION, DEMOGRAPHIC_SHIFT, rows, lambda r: r["moved_share"], DEMOGRAPHIC)


def _of_model(
    model: RiskModel, month: str, moved: Sequence[Row], inputs: Found, performance: Row | None
) -> Iterator[Found]:
    own = _of(moved, model.name)
    yield _composite(model, inputs, _scored(model.name, COMPOSITE, own))
    yield _scored(model.name, FROM_TRAINING, _of(moved, FEATURES), {TRAINED})
    main = next((r for r in own if r["column_name"] == model.column), None)
    usual = _usual(_of(moved, FEATURES))
    yield _count(model, month, main, usual)
    yield _shift(model, main)
    if model.name == SCALED:
        yield _mean(model, main, is_full=usual is not None)
        yield _error(model, performance)
    yield _fell_short(model, performance)


def _more_missing(row: Row) -> float | None:
    now, before = row["missing_share"], row["reference_missing_share"]
    return None if now is None or before is None else now - before


def _least(rows: Iterable[Row], value: Callable[[Row], float | None], references: set[str] | None) -> dict[str, float]:
    """Column -> the least value over its references."""
    found: dict[str, float] = {}
    for row in rows:
        asked = row["reference"] in references if references else row["reference"] != TRAINED
        if not asked or not row["reference_members"]:
            continue
        said = value(row)
        # What is left out tells of one to ten members: too few to be told.
        said = 0.0 if said is None else said
        found[row["column_name"]] = min(said, found.get(row["column_name"], said))
    return found


def _largest(
    subject: str,
    condition: str,
    rows: Sequence[Row],
    value: Callable[[Row], float | None],
    limit: float,
    references: set[str] | None = None,
) -> Found:
    found = _least(rows, value, references)
    if not found:
        absent = next((r["absent"] for r in rows if r["absent"]), None)
        why = absent if references is None else "The rule scores: no version was trained."
        return Found(subject, condition, None, at_most=limit, verdict=UNKNOWN, about=why or "There are no results.")
    column = min(found, key=lambda name: (-found[name], name))
    verdict = WARNING if found[column] > limit else OK
    return Found(subject, condition, found[column], at_most=limit, verdict=verdict, about=column)


def _scored(subject: str, condition: str, rows: Sequence[Row], references: set[str] | None = None) -> Found:
    """The score of the column that moved most."""
    found = _largest(subject, condition, rows, lambda r: r["drift_score"], ALERT, references)
    return _graded(found)


def _graded(found: Found) -> Found:
    severe = found.value is not None and found.value >= MAJOR_SCORE
    return replace(found, verdict=CRITICAL) if severe else found


def _composite(model: RiskModel, inputs: Found, predictions: Found) -> Found:
    """The larger of what moved in the inputs and in the predictions; of a new version, the inputs alone."""
    known = [f for f in (inputs, predictions) if f.value is not None]
    worst = inputs if inputs.value is None else max(known, key=lambda f: f.value or 0.0)
    return replace(worst, subject=model.name, condition=COMPOSITE)


def _usual(rows: Iterable[Row]) -> float | None:
    """Members of a usual month of the year before; None: there is no such year."""
    of_year = [r for r in rows if r["reference"] == YEAR_BEFORE and r["reference_members"]]
    return max((r["reference_members"] / r["reference_months"] for r in of_year), default=None)


def _count(model: RiskModel, month: str, main: Row | None, usual: float | None) -> Found:
    year, number = map(int, month.split("-"))
    limit = float(DAILY * monthrange(year, number)[1])
    limit = max(DAILY, min(limit, USUAL_SHARE * usual)) if usual is not None else DAILY
    value = float(main["members"]) if main else 0.0
    verdict = WARNING if value < limit else OK
    return Found(model.name, PREDICTION_COUNT, value, at_least=limit, verdict=verdict, about=model.column)


def _shift(model: RiskModel, main: Row | None) -> Found:
    mean, before = (main["mean"], main["reference_mean"]) if main else (None, None)
    if not main or mean is None or not before:
        absent = (main["absent"] if main else None) or "There are no results."
        return Found(model.name, PREDICTION_SHIFT, None, at_most=SHIFT, verdict=UNKNOWN, about=absent)
    value = abs(mean / before - 1)
    by_chance = BEYOND_CHANCE * (main["deviation"] or 0.0) / math.sqrt(main["members"])
    verdict = WARNING if value > SHIFT and abs(mean - before) > by_chance else OK
    return Found(model.name, PREDICTION_SHIFT, value, at_most=SHIFT, verdict=verdict, about=model.column)


def _mean(model: RiskModel, main: Row | None, *, is_full: bool) -> Found:
    value = main["mean"] if main else None
    limits = {"at_least": MEAN_LOW, "at_most": MEAN_HIGH}
    if value is None or not is_full:
        why = "There are no results." if value is None else "Members' look-back is not full yet."
        return Found(model.name, MEAN_PREDICTION, value, **limits, verdict=UNKNOWN, about=why)
    severe = not SEVERE_LOW <= value <= SEVERE_HIGH
    verdict = CRITICAL if severe else OK if MEAN_LOW <= value <= MEAN_HIGH else WARNING
    return Found(model.name, MEAN_PREDICTION, value, **limits, verdict=verdict, about=model.column)


NOT_JUDGED = "No outcome year is judged in this month."


def _error(model: RiskModel, performance: Row | None) -> Found:
    value = performance["mae"] if performance else None
    if not performance or value is None:
        return Found(model.name, MAE, None, at_most=LARGEST_MAE, verdict=UNKNOWN, about=NOT_JUDGED)
    verdict = WARNING if value > LARGEST_MAE else OK
    return Found(model.name, MAE, value, at_most=LARGEST_MAE, verdict=verdict, about=performance["index_month"])


def _fell_short(model: RiskModel, performance: Row | None) -> Found:
    value = performance["value"] if performance else None
    limit = performance["holdout_lower"] if performance else None
    if not performance or value is None or limit is None:
        why = NOT_JUDGED if value is None else "The rule scored: it promised nothing."
        return Found(model.name, PERFORMANCE, value, verdict=UNKNOWN, about=why)
    verdict = WARNING if value < limit else OK
    return Found(model.name, PERFORMANCE, value, at_least=limit, verdict=verdict, about=performance["measure"])
