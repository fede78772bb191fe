"""Medical and pharmacy cost of the next twelve months, USD."""

from claims_assets.models.risk_model import COST, Baseline, RiskModel
from claims_assets.models.training import model_asset

TOTAL_COST = RiskModel(
    name="total_cost_predictor",
    outcome="total_paid",
    at_least=None,
    history=("total_paid_12mo", "total_rx_paid_12mo"),
    column="predicted_total_cost",
    baseline=Baseline("gradient_boosting", {"n_estimators": 150, "max_depth": 6, "learning_rate": 0.05}),
    parameters=COST,
)

total_cost_predictor = model_asset(TOTAL_COST, __doc__)
