"""Member features of some months, fitted models without meaning, and registries with versions of known months."""

from pathlib import Path

import numpy as np
import pytest
import xgboost

from claims_assets.contracts import compiled
from claims_assets.features.member_features import MemberFeatures
from claims_assets.models.inputs import INPUTS
from claims_assets.models.risk_artifact import RiskArtifact
from claims_assets.models.risk_model import RiskModel
from claims_assets.predictions.scoring import CHAMPION, MODELS, PASSED, Scorer
from claims_assets.runtime.model_versions import ModelVersion
from claims_assets.runtime.tracking import Tracking
from claims_assets_tests.models.registry import empty_registry

MEMBERS = 40
NAMES = [n for n in INPUTS if n in compiled(MemberFeatures).columns]
VERDICT = "gate"
"""Tag of a version."""


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
        "member_id": f"M{i:03d}", "gender": "FMU"[i % 3], "race": "Unknown", "ethnicity": "Unknown", "age": 40 + i,
        "dual_eligible": (None, True, False)[i % 3], "smoker": (True, None, False)[i % 3], "risk_tier": "Low",
        "chronic_condition_count": i % 5, "bmi_category": (None, "normal", "obese")[i % 3],
    }  # fmt: skip
    if name in fixed:
        return fixed[name]
    if name.endswith(("_score", "_risk", "_pct")):
        return 1 + i % 3
    if kind == "boolean":
        return (i + len(name)) % 3 == 0
    if kind.startswith("decimal"):
        return f"{(i * len(name)) % 17}.37"
    return None if kind == "string" or (name == "bmi" and i % 2) else (i * len(name)) % 17


def artifact_of(model: RiskModel, seed: int = 1, threshold: float = 0.4, inputs: list[str] | None = None):
    """A fitted model with the inputs and the shape of a real one, and no meaning."""
    names = inputs or [n for n in NAMES if n in model.inputs]
    rng = np.random.default_rng(seed)
    x = rng.random((300, len(names))).astype("float32") * 17
    y = (x[:, 0] + x[:, -1] > 17).astype("float32") * (1 if model.is_classifier else 60)
    data = xgboost.DMatrix(x, y, feature_names=names, nthread=1)
    objective = "binary:logistic" if model.is_classifier else "reg:squarederror"
    booster = xgboost.train({"objective": objective, "max_depth": 3, "seed": seed, "nthread": 1}, data, 10)
    return RiskArtifact(
        booster,
        {
            "format": 1, "name": model.name, "kind": "classifier" if model.is_classifier else "regression",
            "inputs": names, "categories": {n: c for n, c in model.categories.items() if n in names},
            "calibration": {"kind": "sigmoid", "slope": 1.1, "intercept": 0.1}
            if model.is_classifier
            else {"kind": "none"},
            "threshold": threshold if model.is_classifier else None,
            "intervals": {"predicted": [0.0, 60.0], "lower": [0.0, 50.0], "upper": [9.0, 90.0]},
            "highest": model.highest, "decimals": model.decimals,
        },
    )  # fmt: skip


def scorer(artifact: RiskArtifact, version: int = 1, status: str = CHAMPION) -> Scorer:
    """The version ready to score."""
    return Scorer(version, status, tuple(artifact.inputs), artifact.to_bytes())


def register(
    tracking: Tracking, model: RiskModel, as_of: str, seed: int = 1, threshold: float = 0.4, gate: str = ""
) -> ModelVersion:
    """A version of the model with this training month and this verdict of the gate."""
    tags = {"as_of_month": as_of, "training_data": "d", "parameters": "p"} | ({VERDICT: gate} if gate else {})
    with tracking.run(f"{model.name} {as_of}", {}) as run:
        return tracking.register(run, model.name, artifact_of(model, seed, threshold), tags)


def crown(tracking: Tracking, model: RiskModel, as_of: str, seed: int = 1, threshold: float = 0.4) -> ModelVersion:
    """A version that passed the gate and is champion from its training month on."""
    made = register(tracking, model, as_of, seed, threshold, gate=PASSED)
    tracking.crown(model.name, made.version, as_of)
    return made


def crown_all(tracking: Tracking, as_of: str, seed: int = 1) -> None:
    """A champion of each model."""
    for model in MODELS:
        crown(tracking, model, as_of, seed)
