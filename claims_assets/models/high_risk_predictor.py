"""Risk tier High or Medium over the next twelve months."""

from claims_assets.features.scores import RISK_TIERS
from claims_assets.models.inputs import INPUTS
from claims_assets.models.risk_model import Aim, Baseline, RiskModel
from claims_assets.models.training import model_asset

HIGH_RISK = RiskModel(
    name="high_risk_predictor",
    outcome="composite_risk_score",
    at_least=RISK_TIERS["Medium"],
    history=("composite_risk_score",),
    column="high_risk_score",
    prediction="high_risk_prediction",
    aim=Aim("recall", 0.70),
    baseline=Baseline("logistic_regression", {"C": 1.0, "max_iter": 1000}),
    inputs=tuple(n for n in INPUTS if n != "high_risk_flag"),
)

high_risk_predictor = model_asset(HIGH_RISK, __doc__)
