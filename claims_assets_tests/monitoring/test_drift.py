"""Each condition of the rules of drift, with a value on either side of its limit."""

import pytest

from claims_assets.models.registered import MODELS
from claims_assets.monitoring.drift_rules import (
    COMPOSITE,
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
    conditions,
)
from claims_assets.monitoring.psi_results import PsiResults

MONTH = "2024-06"
EMPTY = dict.fromkeys(PsiResults.to_schema().columns)
SCORE = "health_risk_score"


def moved(subject, column, reference="year_before", **given):
    usual = {
        "members": 4_000, "reference_members": 48_000, "reference_months": 12, "drift_score": 0.0, "moved_share": 0.01,
        "missing_share": 0.0, "reference_missing_share": 0.0, "outside_share": 0.0,
        "mean": 50.0, "reference_mean": 50.0, "deviation": 20.0,
    }  # fmt: skip
    about = {"claim_month": MONTH, "subject": subject, "column_name": column, "reference": reference}
    return EMPTY | about | usual | given


def month(features=(), population=(), **score):
    """Results of a month in which all is well but what is given."""
    return [
        moved("features", "age", **dict(features)),
        moved("population", "race", **dict(population)),
        *[moved(m.name, m.column, **(score if m.name == SCORE else {})) for m in MODELS],
    ]


def verdict(rows, subject, condition, performance=()):
    (found,) = [f for f in conditions(MONTH, rows, performance) if (f.subject, f.condition) == (subject, condition)]
    return found.verdict


def judged(**given):
    row = {
        "model_name": SCORE,
        "measure": "r2",
        "value": 0.7,
        "holdout_lower": 0.6,
        "mae": 9.0,
        "index_month": "2023-03",
    }
    return [row | given]


def test_a_month_like_those_before_it_is_ok():
    found = conditions(MONTH, month(), judged())
    assert {f.verdict for f in found} == {"ok", "unknown"}
    assert {(f.subject, f.condition) for f in found if f.verdict == "unknown"} == {
        (m.name, c) for m in MODELS for c in (FROM_TRAINING, PERFORMANCE) if (m.name, c) != (SCORE, PERFORMANCE)
    }


@pytest.mark.parametrize(("score", "expected"), [(0.3, "ok"), (0.301, "warning"), (0.64, "critical")])
def test_a_composite_score_above_three_tenths(score, expected):
    rows = month(features={"drift_score": score})
    assert verdict(rows, "features", DRIFT_SCORE) == expected
    assert verdict(rows, SCORE, COMPOSITE) == expected
    assert verdict(month(drift_score=score), SCORE, COMPOSITE) == expected
    assert verdict(month(drift_score=score), "total_cost_predictor", COMPOSITE) == "ok"
    assert verdict([*month(), moved("features", "age", "trained", drift_score=score)], SCORE, FROM_TRAINING) == expected


def test_what_is_a_season_is_no_drift():
    both = [*month(features={"drift_score": 0.9}), moved("features", "age", "season", drift_score=0.1)]
    assert verdict(both, "features", DRIFT_SCORE) == "ok"


@pytest.mark.parametrize(("error", "expected"), [(15.0, "ok"), (15.01, "warning"), (None, "unknown")])
def test_a_mean_error_above_fifteen(error, expected):
    assert verdict(month(), SCORE, MAE, judged(mae=error)) == expected


def test_no_judged_year_is_unknown():
    assert verdict(month(), SCORE, MAE) == verdict(month(), SCORE, PERFORMANCE) == "unknown"


@pytest.mark.parametrize(("value", "expected"), [(0.6, "ok"), (0.59, "warning")])
def test_a_year_below_the_holdout(value, expected):
    assert verdict(month(), SCORE, PERFORMANCE, judged(value=value)) == expected


@pytest.mark.parametrize(
    ("members", "usual", "expected"),
    [
        (1_500, 4_000, "ok"),  # fifty a day in June
        (1_499, 4_000, "warning"),
        (260, 500, "ok"),  # a small plan never had fifty a day
        (240, 500, "warning"),
        (49, 60, "warning"),
    ],
)
def test_fewer_than_fifty_predictions_a_day(members, usual, expected):
    rows = month(features={"reference_members": 12 * usual}, members=members)
    assert verdict(rows, SCORE, PREDICTION_COUNT) == expected


def test_no_predictions_at_all_are_too_few():
    rows = [r for r in month() if r["subject"] != SCORE]
    assert verdict(rows, SCORE, PREDICTION_COUNT) == "warning"
    assert verdict(rows, SCORE, MEAN_PREDICTION) == verdict(rows, SCORE, PREDICTION_SHIFT) == "unknown"


@pytest.mark.parametrize(
    ("mean", "expected"),
    [(15.0, "ok"), (14.9, "warning"), (10.0, "warning"), (9.9, "critical"), (85.1, "warning"), (90.1, "critical")],
)
def test_a_mean_prediction_out_of_range(mean, expected):
    assert verdict(month(mean=mean), SCORE, MEAN_PREDICTION) == expected


@pytest.mark.parametrize(("mean", "expected"), [(59.9, "ok"), (60.1, "warning"), (39.9, "warning"), (40.1, "ok")])
def test_a_prediction_shift_above_a_fifth(mean, expected):
    assert verdict(month(mean=mean), SCORE, PREDICTION_SHIFT) == expected


def test_a_shift_of_few_members_that_chance_explains_is_none():
    assert verdict(month(mean=61.0, members=30), SCORE, PREDICTION_SHIFT) == "ok"
    assert verdict(month(mean=61.0, members=60), SCORE, PREDICTION_SHIFT) == "warning"


@pytest.mark.parametrize(("share", "expected"), [(0.1, "ok"), (0.11, "warning")])
def test_a_demographic_shift_above_a_tenth(share, expected):
    assert verdict(month(population={"moved_share": share}), "population", DEMOGRAPHIC_SHIFT) == expected


def test_more_missing_values_and_values_out_of_range():
    assert verdict(month(features={"missing_share": 0.06}), "features", MISSING_VALUES) == "warning"
    same = {"missing_share": 0.5, "reference_missing_share": 0.5}
    assert verdict(month(features=same), "features", MISSING_VALUES) == "ok"
    assert verdict(month(features={"outside_share": 0.011}), "features", OUT_OF_RANGE) == "warning"


def test_a_share_that_is_left_out_is_small():
    hidden = moved("features", "age", "season", outside_share=0.02)
    assert verdict([*month(features={"outside_share": None}), hidden], "features", OUT_OF_RANGE) == "ok"


@pytest.mark.requirement("R13")
def test_without_a_reference_a_month_is_unknown_and_not_ok():
    nothing = {"reference_members": 0, "reference_months": 0, "drift_score": None, "reference_mean": None,
               "moved_share": None, "missing_share": None, "outside_share": None, "absent": "None yet."}  # fmt: skip
    rows = month(features=nothing, population=nothing, **nothing)
    for subject, condition in (("features", DRIFT_SCORE), ("population", DRIFT_SCORE), (SCORE, COMPOSITE)):
        assert verdict(rows, subject, condition) == "unknown"
    assert verdict(rows, SCORE, PREDICTION_SHIFT) == verdict(rows, SCORE, MEAN_PREDICTION) == "unknown"


def test_years_of_eligibility_go_by_the_calendar():
    rows = [*month(), moved("features", "eligibility_years", drift_score=0.99, outside_share=0.5)]
    assert verdict(rows, "features", DRIFT_SCORE) == verdict(rows, "features", OUT_OF_RANGE) == "ok"
