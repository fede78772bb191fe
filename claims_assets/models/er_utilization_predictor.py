"""Three or more emergency visits in the next twelve months."""

from claims_assets.models.risk_model import COUNT, Aim, Baseline, RiskModel
from claims_assets.models.training import model_asset

ER_UTILIZATION = RiskModel(
    name="er_utilization_predictor",
    outcome="er_visit_count",
    at_least=3,
    history=("er_visit_count_12mo",),
    column="er_utilization_risk_score",
    prediction="er_utilization_prediction",
    fits_outcome=True,
    parameters=COUNT,
    aim=Aim("precision", 0.60),
    baseline=Baseline("random_forest", {"n_estimators": 100, "max_depth": 10, "min_samples_split": 20}),
)

er_utilization_predictor = model_asset(ER_UTILIZATION, __doc__)
