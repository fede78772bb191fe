"""A small fitted model on real feature columns, for tests of whatever stores, serves or loads one."""

import numpy as np
import pandas as pd
import xgboost

from claims_assets.models.risk_artifact import RiskArtifact, encoded

INPUTS = ["age", "gender", "dual_eligible", "has_ckd", "er_visit_count_12mo", "total_paid_12mo"]
"""One of each type: an integer that may be missing, a word, a boolean that may be missing, one that may not, a count,
an amount."""
CATEGORIES = {"gender": {"F": 0, "M": 1, "U": 2}}


def members(n: int, seed: int = 1) -> pd.DataFrame:
    """Made-up feature rows; one in ten has no age, no money and an unknown eligibility."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "age": rng.integers(0, 90, n).astype(float),
            "gender": rng.choice(["F", "M", "U", None], n),
            "dual_eligible": rng.choice([True, False, None], n),
            "has_ckd": rng.random(n) < 0.3,
            "er_visit_count_12mo": rng.poisson(2, n),
            "total_paid_12mo": rng.gamma(1, 900, n).round(2),
        }
    )
    frame.loc[rng.random(n) < 0.1, ["age", "total_paid_12mo"]] = np.nan
    return frame


def artifact(rounds: int = 5, **facts) -> RiskArtifact:
    """A classifier, or what `facts` say; another number of rounds is another model."""
    rows = members(300)
    return fitted(rows, rows["er_visit_count_12mo"] + 2 * rows["has_ckd"] > 3, INPUTS, rounds, **facts)


def fitted(rows: pd.DataFrame, event: pd.Series, inputs: list[str], rounds: int, **facts) -> RiskArtifact:
    """A model of an event from rows of one's own; a classifier unless `facts` say otherwise."""
    known = {
        "format": 1, "name": "made", "kind": "classifier", "inputs": inputs, "categories": CATEGORIES,
        "calibration": {"kind": "sigmoid", "slope": 0.9, "intercept": -0.1}, "threshold": 0.5,
        "intervals": {"predicted": [0.0, 1.0], "lower": [0.0, 0.8], "upper": [0.2, 1.0]},
        "highest": None, "decimals": 6,
    } | facts  # fmt: skip
    data = xgboost.DMatrix(encoded(rows, inputs, CATEGORIES), event.to_numpy(float), feature_names=inputs, nthread=1)
    objective = "binary:logistic" if known["kind"] == "classifier" else "reg:squarederror"
    booster = xgboost.train({"objective": objective, "max_depth": 3, "seed": 1, "nthread": 1}, data, rounds)
    return RiskArtifact(booster, known)
