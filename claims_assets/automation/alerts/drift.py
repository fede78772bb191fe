"""Members or predictions that are not what they were: the drift of the newest complete month, as conditions.

Here: pure rules from rows of `monitoring.drift` to conditions. Elsewhere: what counts as drift and its limits
(`monitoring/drift_rules.py`), the rows (`look.py`), the training that it asks for (`automation/retraining.py`).
An alert is about what moved and not about a month: it stays open as long as each newest month says the same.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from claims_assets.automation.alerts.conditions import Condition, page_of
from claims_assets.automation.completeness import FEED_DAYS, expected_month
from claims_assets.monitoring.drift_rules import (
    COMPOSITE,
    CRITICAL,
    DEMOGRAPHIC_SHIFT,
    DRIFT_SCORE,
    FROM_TRAINING,
    MAE,
    MEAN_PREDICTION,
    MISSING_VALUES,
    OUT_OF_RANGE,
    PERFORMANCE,
    PREDICTION_COUNT,
    PREDICTION_SHIFT,
    TOLD,
)
from claims_assets.partitions import MONTH
from claims_assets.predictions.monthly_profiles import FEATURES

ASSET = "monitoring/drift"
WORDS = {
    DRIFT_SCORE: "the drift score of {about}",
    COMPOSITE: "the composite drift score, led by {about},",
    FROM_TRAINING: "the drift score of {about} against what the version in service was trained on",
    MISSING_VALUES: "the rise of the share without {about}",
    OUT_OF_RANGE: "the share with {about} beyond all values of the reference",
    DEMOGRAPHIC_SHIFT: "the share of members that changed groups of {about}",
    PREDICTION_COUNT: "the number of predictions",
    PREDICTION_SHIFT: "the change of the mean of {about}",
    MEAN_PREDICTION: "the mean of {about}",
    MAE: "the mean absolute error of the predictions of {about}",
    PERFORMANCE: "{about} of the predictions whose year is over",
}
"""Condition -> what is measured, in words."""
REMEDY = "See `claims monitor report` and docs/monitoring.md: is a feed wrong, or have members changed?"

Row = Mapping[str, Any]


def drifts(rows: Iterable[Row], today: date) -> list[Condition]:
    """What is not as it was in the newest complete month.

    Args:
        rows: of `monitoring.drift`.
    """
    complete = [r for r in rows if r[MONTH] <= expected_month(today, FEED_DAYS)]
    newest = max((r[MONTH] for r in complete), default=None)
    of_month = [r for r in complete if r[MONTH] == newest]
    return [_condition(r) for r in of_month if r["verdict"] in TOLD and not _told_by_inputs(r, of_month)]


def _told_by_inputs(row: Row, of_month: Sequence[Row]) -> bool:
    """What moved in the inputs moves every model; it is told once."""
    return row["condition"] == COMPOSITE and any(
        (r["subject"], r["condition"], r["about"]) == (FEATURES, DRIFT_SCORE, row["about"]) and r["verdict"] in TOLD
        for r in of_month
    )


def _condition(row: Row) -> Condition:
    about = WORDS[row["condition"]].format(about=row["about"])
    limits = [f"{row[n]:,.4g}" for n in ("at_least", "at_most") if row[n] is not None]
    limit = " to ".join(limits)
    said = "less than" if row["at_least"] is not None and row["value"] < row["at_least"] else "more than"
    beside = f"fine is {limit}" if len(limits) > 1 else f"{said} {limit}"
    return Condition(
        "drift",
        f"{ASSET}: {row['subject']} {row['condition']}",
        "critical" if row["verdict"] == CRITICAL else "warning",
        f"{row['subject']} {row[MONTH]}: {about} is {row['value']:,.4g}, {beside}.",
        REMEDY,
        page_of(ASSET, "partitions", row[MONTH]),
        asset=ASSET,
    )
