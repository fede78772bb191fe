"""Measures: right by hand, absent with a reason where they can't be computed, the rule beside the model."""

import numpy as np
import pandas as pd
import pytest

from claims_assets.models.er_utilization_predictor import ER_UTILIZATION
from claims_assets.models.evaluation import as_markdown, evaluate, of_classifier, of_regression
from claims_assets.models.total_cost_predictor import TOTAL_COST

Y = np.array([0.0, 0.0, 1.0, 1.0])


def test_measures_of_a_classifier_by_hand():
    found = of_classifier(Y, np.array([0.1, 0.6, 0.4, 0.9]), 0.5)
    assert found.absent == {}
    assert found.values["auc"] == 0.75
    assert found.values["average_precision"] == pytest.approx(1 / 2 + 2 / 3 / 2)
    assert found.values["brier"] == pytest.approx((0.01 + 0.36 + 0.36 + 0.01) / 4)
    assert (found.values["precision"], found.values["recall"]) == (0.5, 0.5)


@pytest.mark.requirement("R22")
def test_a_model_that_predicts_nobody_has_recall_zero():
    """R22"""
    found = of_classifier(Y, np.full(4, 0.2), 0.5)
    assert found.values["recall"] == 0.0
    assert found.absent == {"precision": "no row is predicted positive"}


@pytest.mark.requirement("R24")
@pytest.mark.parametrize("y", [np.zeros(4), np.ones(4)], ids=["all negative", "all positive"])
def test_a_test_set_of_one_class_has_no_ranking_measures(y):
    """R24"""
    found = of_classifier(y, np.array([0.1, 0.6, 0.4, 0.9]), 0.5)
    assert found.absent.items() >= dict.fromkeys(("auc", "average_precision"), "the test rows are of one class").items()
    assert not {"auc", "average_precision"} & found.values.keys()
    assert 0 < found.values["brier"] < 1


def test_measures_of_a_regression_by_hand():
    found = of_regression(np.array([0.0, 2.0, 4.0]), np.array([0.0, 2.0, 1.0]))
    assert found.values == {"mae": 1.0, "rmse": pytest.approx(3**0.5), "r2": pytest.approx(1 - 9 / 8)}


@pytest.mark.requirement("R24")
def test_equal_costs_have_no_r2():
    found = of_regression(np.full(3, 5.0), np.array([1.0, 5.0, 9.0]))
    assert found.absent == {"r2": "all test labels are the same"}
    assert found.values["mae"] == pytest.approx(8 / 3)


@pytest.mark.requirement("R24")
@pytest.mark.parametrize("measure", [lambda e: of_classifier(e, e, 0.5), lambda e: of_regression(e, e)])
def test_without_test_rows_every_measure_is_absent(measure):
    found = measure(np.array([]))
    assert found.values == {}
    assert len(found.absent) >= 3


def test_the_rule_is_measured_on_the_same_rows():
    rows = pd.DataFrame({"er_visit_count_12mo": [5.0, 0.0, 3.0, 1.0]})
    found = evaluate(ER_UTILIZATION, rows, Y, np.array([0.1, 0.6, 0.4, 0.9]), 0.5)
    assert found.values["rule_auc"] == 0.5
    assert found.values["rule_precision"] == 0.5
    assert found.values["test_rows"] == 4
    assert found.values["test_positives"] == 2


def test_the_rule_of_cost_is_last_years_cost():
    rows = pd.DataFrame({"total_paid_12mo": [1.0, 2.0], "total_rx_paid_12mo": [1.0, -9.0]})
    found = evaluate(TOTAL_COST, rows, np.array([2.0, 3.0]), np.array([2.0, 3.0]), None)
    assert (found.values["rule_mae"], found.values["test_mae"]) == (1.5, 0.0)


def test_the_table_shows_model_and_rule_and_says_what_is_absent():
    values = {"test_auc": 0.8123, "rule_auc": 0.7, "test_rows": 1234.0}
    table = as_markdown(values, {"test_recall": "no row is positive"})
    assert "| auc | 0.812 | 0.700 |" in table
    assert "| rows | 1,234 |  |" in table
    assert "| recall | absent: no row is positive |  |" in table
