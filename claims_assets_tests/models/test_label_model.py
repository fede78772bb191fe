"""A regression over labelled claims: what it learns, how it is judged, and that its columns are its predictions."""

import numpy as np
import pandas as pd
import pytest

from claims_assets.models.label_artifact import LabelModel
from claims_assets.models.label_model import FOLDS, LEAST_OF_EACH, TooFewLabels, fit, fold_of, judged

INPUTS = ("error_amount", "error_units", "noise", "constant")


def labelled(n, seed, *, informative=True):
    """Claims of 60 providers; the unsupervised score follows one error, the label another one as well."""
    rng = np.random.default_rng(seed)
    amount, units, noise = rng.gamma(1, 2, n), rng.gamma(1, 2, n), rng.normal(0, 3, n)
    units[rng.random(n) < 0.1] = np.nan
    chance = 1 / (1 + np.exp(-(0.4 * amount + (1.5 * np.nan_to_num(units, nan=1.0) - 3 if informative else -1))))
    return pd.DataFrame(
        {
            "error_amount": amount, "error_units": units, "noise": noise, "constant": 1.0,
            "score": amount, "label": (rng.random(n) < chance).astype(int),
            "provider_id": [f"PR{i}" for i in rng.integers(0, 60, n)],
        }
    )  # fmt: skip


def test_labels_that_say_more_than_the_score_make_a_better_model():
    found = judged(labelled(600, 1), INPUTS, "label", "score", "provider_id")
    assert found.better
    assert found.model.value > found.unsupervised.value
    assert found.gain.low > 0
    assert f"on {found.confirmed} confirmed and {found.cleared} cleared claims" in found.said


def test_labels_that_say_no_more_than_the_score_do_not():
    rows = labelled(600, 2, informative=False)
    found = judged(rows, INPUTS, "label", "score", "provider_id")
    assert not found.better


def test_the_judgement_is_that_of_scikit_learn_on_providers_left_out():
    from sklearn.metrics import average_precision_score

    rows = labelled(500, 3)
    fold = rows["provider_id"].map(fold_of)
    said = pd.Series(0.0, rows.index)
    for f in range(FOLDS):
        assert not set(rows.provider_id[fold == f]) & set(rows.provider_id[fold != f])
        said[fold == f] = fit(rows.loc[fold != f], INPUTS, "label").predict(rows.loc[fold == f])
    found = judged(rows, INPUTS, "label", "score", "provider_id")
    assert found.model.value == pytest.approx(average_precision_score(rows.label, said))
    assert found.unsupervised.value == pytest.approx(average_precision_score(rows.label, rows.score))


@pytest.mark.parametrize("lacking", [0, 1])
def test_too_few_labels_of_either_kind_fit_nothing(lacking):
    rows = labelled(2_000, 4)
    few = rows.loc[rows.label == lacking].head(LEAST_OF_EACH - 1)
    with pytest.raises(TooFewLabels, match=rf"\b{LEAST_OF_EACH - 1} c.*; {LEAST_OF_EACH} of each are needed"):
        judged(pd.concat([few, rows.loc[rows.label != lacking]]), INPUTS, "label", "score", "provider_id")


def test_the_fit_depends_on_no_order_and_leaves_out_what_does_not_vary():
    rows = labelled(400, 5)
    one, other = fit(rows, INPUTS, "label"), fit(rows.sample(frac=1, random_state=1), INPUTS, "label")
    assert one.inputs == INPUTS[:-1]
    assert one.weights == pytest.approx(other.weights, abs=1e-3)
    assert one.weights[1] > abs(one.weights[2])


def test_the_columns_are_the_predictions_and_survive_json(spark):
    rows = labelled(300, 6)
    rows.loc[0, "error_amount"] = -5.0
    model = LabelModel.from_json(fit(rows, INPUTS, "label").to_json())
    schema = "n int, error_amount double, error_units double, noise double"
    given = [
        (i, amount, None if np.isnan(units) else units, noise)
        for i, (amount, units, noise) in enumerate(rows[list(INPUTS[:3])].to_numpy().tolist())
    ]
    found = spark.createDataFrame(given, schema).withColumn("said", model.column()).orderBy("n").collect()
    assert [r.said for r in found] == pytest.approx(model.predict(rows).tolist(), abs=1e-6)
