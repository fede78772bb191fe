"""Member features of some months, and registries that hold versions of known as-of months."""

from pathlib import Path

import numpy as np
import pytest
import xgboost

from claims_assets.contracts import compiled
from claims_assets.features.member_features import MemberFeatures
from claims_assets.models.risk_model import RiskModel
from claims_assets.runtime.tracking import ModelVersion, Tracking
from claims_assets_tests.models.registry import empty_registry

MEMBERS = 40


@pytest.fixture
def tracking(tmp_path: Path, tmp_path_factory) -> Tracking:
    """An empty registry of this test's own."""
    return empty_registry(tmp_path / "mlflow", tmp_path_factory)


@pytest.fixture
def features(spark, rows):
    """`features("2025-01", "2025-02")`: members with the same history in each of these months."""

    def build(*months):
        kinds = compiled(MemberFeatures).columns
        given = [
            {n: _value(n, t.simpleString(), i) for n, t in kinds.items()} | {"claim_month": month}
            for month in months
            for i in range(MEMBERS)
        ]
        return rows(MemberFeatures, *given)

    return build


def _value(name: str, kind: str, i: int):
    fixed = {
        "member_id": f"M{i:03d}", "gender": "FMU"[i % 3], "race": "Unknown", "ethnicity": "Unknown", "age": 20 + i,
        "dual_eligible": None, "risk_tier": "Low", "chronic_condition_count": i % 5,
    }  # fmt: skip
    if name in fixed:
        return fixed[name]
    if name.endswith(("_score", "_risk", "_pct")):
        return 1 + i % 3
    if kind == "boolean":
        return (i + len(name)) % 3 == 0
    return None if kind == "string" else (i * len(name)) % 17


def booster_of(model: RiskModel, seed: int = 1) -> xgboost.Booster:
    """A fitted booster with the model's inputs and objective, and no meaning."""
    rng = np.random.default_rng(seed)
    x = rng.random((300, len(model.inputs))).astype("float32") * 17
    y = (x[:, 0] + x[:, -1] > 17).astype("float32") * (1 if model.is_classifier else 900)
    data = xgboost.DMatrix(x, y, feature_names=list(model.inputs), nthread=1)
    return xgboost.train({**model.parameters, "seed": seed, "nthread": 1}, data, 10)


def register(tracking: Tracking, model: RiskModel, as_of: str, seed: int = 1, threshold: float = 0.4) -> ModelVersion:
    """A version of the model with this training month."""
    tags = {"as_of_month": as_of, "training_data": "d", "parameters": "p"}
    if model.is_classifier:
        tags["threshold"] = repr(threshold)
    with tracking.run(f"{model.name} {as_of}", {}) as run:
        return tracking.register(run, model.name, booster_of(model, seed), tags)
