"""Composite risk score of the next twelve months, on a scale from 0 to 100."""

from claims_assets.features.scores import HIGHEST_COMPOSITE
from claims_assets.models.risk_model import SCORE, Baseline, RiskModel
from claims_assets.models.training import model_asset

HIGHEST = 100.0

HEALTH_RISK = RiskModel(
    name="health_risk_score",
    outcome="composite_risk_score",
    at_least=None,
    history=("composite_risk_score",),
    column="health_risk_score",
    baseline=Baseline(
        "random_forest", {"n_estimators": 100, "max_depth": 10, "min_samples_split": 5, "min_samples_leaf": 2}
    ),
    scale=HIGHEST / HIGHEST_COMPOSITE,
    highest=HIGHEST,
    high_share=0.95,
    parameters=SCORE,
)
"""High is what reaches the 95th percentile, as in the governance notebook of the public project
juanlamadrid20/insurance-mlops."""

health_risk_score = model_asset(HEALTH_RISK, __doc__)
