"""The measures of `make bench-fraud`, and that its rivals see the same columns."""

import numpy as np
import pytest

from bench.fraud import _plain, _unsupervised, judged, shown
from claims_assets.models.fraud_fitting import fit
from claims_assets.synthetic.fraud import KINDS
from claims_assets_tests.models.claims import usual_claims

TRUTH = np.array(["", *KINDS, *[""] * 195])


def test_a_perfect_and_a_useless_score():
    perfect = judged((TRUTH != "").astype(float), TRUTH)
    assert {perfect["AUC"], perfect["AP"], perfect["P@1%"], *(perfect[k] for k in KINDS)} == {1.0}
    useless = judged(np.zeros(len(TRUTH)), TRUTH)
    assert useless["AUC"] == 0.5
    assert useless["P@1%"] == 0.5, "of the first two claims, in their order, one is planted"


def test_the_table_names_means_and_extremes():
    table = shown({"one": [{"AUC": 0.5}, {"AUC": 0.7}]})
    assert "0.600 (0.500-0.700)" in table


def test_every_rival_finds_units_that_nobody_could_give():
    detector = fit(usual_claims(800), "xgboost", seed=42).artifact
    claims = usual_claims(200, seed=9)
    claims.loc[:3, ["service_units", "units_per_day"]] = 900.0
    rivals = {"plain": _plain(detector, claims), "dollars": _plain(detector, claims, dollars=True)}
    rivals |= _unsupervised(detector, claims)
    for name, score in rivals.items():
        assert len(score) == len(claims)
        assert not np.isnan(score).any()
        if name != "dollars":
            assert score[:4].min() > np.median(score), name
    assert detector.score(claims)["fraud_score"][:4].min() == pytest.approx(
        detector.score(claims.head(4))["fraud_score"].min()
    )
