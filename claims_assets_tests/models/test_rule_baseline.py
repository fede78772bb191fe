"""The rule: grows with the history, is one half at the limit of the label, and is the same on both sides."""

import numpy as np
import pandas as pd
import pytest

from claims_assets.features.scores import RISK_TIERS
from claims_assets.models.health_risk_score import HEALTH_RISK
from claims_assets.models.high_risk_predictor import HIGH_RISK
from claims_assets.models.rule_baseline import RULE_THRESHOLD, history_column, history_of, rule_flags, rule_value
from claims_assets.models.total_cost_predictor import TOTAL_COST
from claims_assets_tests.models.test_fitting import MODELS

CLASSIFIERS = [m for m in MODELS if m.is_classifier]


@pytest.mark.parametrize("model", CLASSIFIERS, ids=lambda m: m.name)
def test_the_score_grows_from_zero_through_one_half_at_the_limit(model):
    history = np.array([0.0, model.at_least / 2, model.at_least, model.at_least * 10])
    scores = rule_value(model, history)
    assert scores[0] == 0.0
    assert scores[2] == RULE_THRESHOLD
    assert (np.diff(scores) > 0).all() and scores[-1] < 1


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
def test_the_engine_and_the_driver_agree_also_on_missing_and_reversed_years(model, spark):
    given = [(None, 5.0), (-10.0, 2.0), (3.0, 4.5), (30_000.0, 0.0)]
    columns = [*model.history, "spare"][:2]
    frame = spark.createDataFrame(given, ", ".join(f"{n} double" for n in columns))
    engine = [r.value for r in frame.select(rule_value(model, history_column(model)).alias("value")).collect()]
    driver = rule_value(model, history_of(model, pd.DataFrame(given, columns=columns, dtype="float64")))
    assert sorted(engine) == pytest.approx(sorted(driver))


def test_high_risk_is_the_tiers_high_and_medium():
    tiers = [t for t, least in RISK_TIERS.items() if least >= HIGH_RISK.at_least]
    assert tiers == ["High", "Medium"]


def test_the_rule_of_the_health_score_is_last_years_score_in_points():
    assert rule_value(HEALTH_RISK, np.array([0.0, 3.0, 12.0])).tolist() == [0, 25, 100]


def test_the_rule_flags_whose_history_reaches_what_the_model_warns_of():
    scores = rule_value(HIGH_RISK, np.array([5.0, 6.0, 7.0]))
    assert rule_flags(HIGH_RISK, scores, 1.0).tolist() == [False, True, True]
    assert rule_flags(HEALTH_RISK, np.array([49.0, 50.0]), 50.0).tolist() == [False, True]
    assert rule_flags(TOTAL_COST, np.array([1e6]), None) is None
