"""Made-up member features as a Delta table, and models fitted on them: columns and sizes of the real ones, no meaning.

Sicker members have more of everything, so the trees have something to split on and some rows are flagged.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import xgboost
from deltalake import write_deltalake

from claims_assets.contracts import compiled
from claims_assets.features.member_features import MemberFeatures
from claims_assets.models.registered import MODELS
from claims_assets.models.risk_artifact import FORMAT, RiskArtifact, encoded
from claims_assets.models.risk_model import RiskModel
from claims_assets.runtime.lake import Lake

MONTH = "2026-01"
TABLE = ("gold", "member_features")
CHUNK = 100_000
TREES, DEPTH, ROWS_TO_FIT = 100, 4, 50_000
FLAGGED = 0.05
"""Share of members that each classifier flags: the share that the source's high-risk cut flags."""
WORDS = {
    "gender": ["F", "M", "U"], "bmi_category": ["underweight", "normal", "overweight", "obese", None],
    "risk_tier": ["Very Low", "Low", "Medium", "High"], "age_group": ["0-17", "18-44", "45-64", "65+"],
}  # fmt: skip


def write_features(lake: Lake, members: int) -> None:
    """`members` rows of one claim month, in pieces, so that making them takes less memory than scoring them."""
    path = str(lake.path(*TABLE))
    for start in range(0, members, CHUNK):
        rows = made(start, min(CHUNK, members - start))
        write_deltalake(path, rows, mode="append", partition_by=["claim_month"])


def made(start: int, n: int) -> pa.Table:
    """Members `start` to `start + n`; the same ones every time."""
    rng = np.random.default_rng(start)
    sick = rng.gamma(0.7, 1.5, n)
    schema = compiled(MemberFeatures).arrow_schema()
    return pa.table({f.name: _column(f, n, start, sick, rng) for f in schema}, schema=schema)


def _column(field: pa.Field, n: int, start: int, sick: np.ndarray, rng: np.random.Generator) -> pa.Array:
    if field.name == "member_id":
        return pa.array([f"M{start + i:08d}" for i in range(n)])
    if field.name == "claim_month":
        return pa.array([MONTH] * n)
    if field.name == "age":
        return pa.array(rng.integers(0, 95, n), field.type)
    if pa.types.is_string(field.type):
        return pa.array(rng.choice(np.array(WORDS.get(field.name, ["Unknown"]), dtype=object), n))
    if pa.types.is_boolean(field.type):
        return pa.array(rng.random(n) < sick / 6, mask=(rng.random(n) < 0.1) if field.nullable else None)
    if pa.types.is_date(field.type):
        return pa.nulls(n, field.type)
    if pa.types.is_decimal(field.type):
        return pa.array(np.round(sick * rng.gamma(1.0, 3_000, n)).astype("int32")).cast(field.type)
    return pa.array(rng.poisson(sick * 2, n)).cast(field.type)


def fitted(members: int = ROWS_TO_FIT) -> dict[str, RiskArtifact]:
    """A model of each name: real inputs, a made-up label, 100 trees of depth 4."""
    rows = made(0, members).to_pandas()
    return {model.name: _fitted(model, rows) for model in MODELS}


def _fitted(model: RiskModel, rows: pd.DataFrame) -> RiskArtifact:
    inputs = [n for n in model.inputs if n in rows.columns]
    content = encoded(rows, inputs, model.categories)
    weight = rows["er_visit_count_12mo"] * 3 + rows["total_paid_12mo"].astype("float64") / 900 + rows["age"] / 9
    label = (weight >= weight.quantile(1 - FLAGGED)) if model.is_classifier else weight.clip(0, 100)
    data = xgboost.DMatrix(content, label.to_numpy("float64"), feature_names=inputs)
    objective = "binary:logistic" if model.is_classifier else "reg:squarederror"
    booster = xgboost.train({"objective": objective, "max_depth": DEPTH, "eta": 0.1, "seed": 1}, data, TREES)
    facts = {
        "format": FORMAT, "name": model.name, "inputs": inputs, "categories": model.categories,
        "kind": "classifier" if model.is_classifier else "regression",
        "calibration": {"kind": "sigmoid", "slope": 1.0, "intercept": 0.0} if model.is_classifier else {"kind": "none"},
        "threshold": 0.5 if model.is_classifier else None, "highest": model.highest, "decimals": model.decimals,
        "intervals": {"predicted": [0.0, 100.0], "lower": [0.0, 80.0], "upper": [20.0, 100.0]},
    }  # fmt: skip
    return RiskArtifact(booster, facts)


def save(artifacts: dict[str, RiskArtifact], folder: Path) -> None:
    for name, artifact in artifacts.items():
        artifact.save(folder / name)


def load(folder: Path) -> dict[str, RiskArtifact]:
    return {model.name: RiskArtifact.load(folder / model.name) for model in MODELS}
