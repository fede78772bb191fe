"""Held-out rows as a training would leave them: a classifier that knows the risk of its members fairly well."""

import numpy as np
import pandas as pd

from claims_assets.models.governance.gate import Evidence, judge
from claims_assets.models.governance.measures import measure

MODEL = "high_risk_predictor"
SCORE = "health_risk_score"


def members(n: int, part: str, seed: int) -> pd.DataFrame:
    """Members with a hidden risk of about 15 % on average, and groups that have nothing to do with it."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "part": part,
            "member_id": [f"{part}{i}" for i in range(n)],
            "risk": 1 / (1 + np.exp(3.2 - 2.5 * rng.normal(size=n))),
            "draw": rng.random(n),
            "gender": rng.choice(["F", "M"], n, p=[0.55, 0.45]),
            "race": rng.choice(["White", "Black", "Asian"], n, p=[0.6, 0.37, 0.03]),
            "ethnicity": rng.choice(["Hispanic", "Not Hispanic"], n, p=[0.3, 0.7]),
            "age_group": rng.choice(["18-44", "45-64", "65+"], n, p=[0.4, 0.35, 0.25]),
            "dual_eligible": rng.random(n) < 0.3,
        }
    )


def classifier_rows(n: int = 4000, seed: int = 1, threshold: float = 0.25) -> pd.DataFrame:
    """Both parts; predictions are the risk itself, the rule is a poor copy of it."""
    rows = pd.concat([members(n, "calibration", seed), members(n, "test", seed + 1)], ignore_index=True)
    rng = np.random.default_rng(seed + 2)
    rows["outcome"] = (rows["draw"] < rows["risk"]).astype("float64")
    rows["is_event"] = rows["outcome"].astype("int64")
    rows["predicted"] = rows["risk"]
    rows["rule_predicted"] = np.clip(rows["risk"] + rng.normal(0, 0.25, len(rows)), 0, 1)
    return flag(rows, threshold)


def score_rows(n: int = 4000, seed: int = 1) -> pd.DataFrame:
    """A score of 0 to 100 that is predicted with a little noise; high from the 95th percentile on."""
    rows = classifier_rows(n, seed)
    rng = np.random.default_rng(seed + 3)
    rows["outcome"] = np.clip(100 * rows["risk"] + rng.normal(0, 5, len(rows)), 0, 100)
    high = rows.loc[rows["part"] == "calibration", "outcome"].quantile(0.95)
    rows["is_event"] = (rows["outcome"] >= high).astype("int64")
    rows["predicted"] = 100 * rows["risk"]
    rows["rule_predicted"] = np.clip(rows["outcome"] + rng.normal(0, 25, len(rows)), 0, None)
    return flag(rows, float(high))


def flag(rows: pd.DataFrame, threshold: float) -> pd.DataFrame:
    """The rows with the flags that follow from their predictions."""
    return rows.assign(flagged=(rows["predicted"] >= threshold).astype("int64"))


def honest(rows: pd.DataFrame, model: str = MODEL, **given) -> Evidence:
    """What is known of a version whose run states the measures of its rows truly."""
    known = Evidence(model, model != SCORE, {}, rows)
    names = {*known.demands.measures, "precision", "recall", "accuracy"}
    metrics = {f"test_{n}": float(measure(n, known.test)[0]) for n in names}
    return Evidence(**{"model": model, "is_classifier": model != SCORE, "metrics": metrics, "rows": rows} | given)


def refusals(known: Evidence) -> dict[str, str]:
    """Criterion -> reason, of those that refuse."""
    return {c.name: c.reason for c in judge(known).verdict.criteria if c.outcome == "refused"}
