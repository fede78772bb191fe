"""25,000 USD or more of medical and pharmacy cost in the next twelve months."""

from claims_assets.models.risk_model import Aim, Baseline, RiskModel
from claims_assets.models.training import model_asset

HIGH_COST = RiskModel(
    name="high_cost_predictor",
    outcome="total_paid",
    at_least=25_000,
    history=("total_paid_12mo", "total_rx_paid_12mo"),
    column="high_cost_risk_score",
    prediction="high_cost_prediction",
    aim=Aim("precision", 0.65),
    baseline=Baseline("gradient_boosting", {"n_estimators": 100, "max_depth": 5, "learning_rate": 0.1}),
)

high_cost_predictor = model_asset(HIGH_COST, __doc__)
