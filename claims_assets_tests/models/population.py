"""A small population in which the past predicts the future, as rows to learn from: the frail go to emergency rooms.

Frail members have heart failure, go to an emergency room four times a year on average (others: 0.8 times), and are
admitted now and then. So last year's visits are a fair rule, and the diagnosis beats it.
"""

from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from deltalake import write_deltalake

from claims_assets.contracts import compiled
from claims_assets.features.risk_training_rows import RiskTrainingRows
from claims_assets.models.windows import index_of
from claims_assets.runtime.lake import Lake

FIRST = "2024-03"
"""The first judged month, of claims that begin in 2022-01."""
TRAINABLE = "2025-06"
TRAIN_INDEX, TEST_INDEX = "2022-12", "2024-03"
MEMBERS = 400
FRAIL = 0.35
NOTHING: dict[str, Any] = {
    "string": "Unknown", "int": 1, "bigint": 0, "double": 0.0, "boolean": False, "decimal(18,2)": Decimal(0),
}  # fmt: skip
"""What a required column holds that no test speaks of."""
FIXED = {
    "gender": "F", "zip_code": None, "county": None, "bmi": None, "bmi_category": None, "smoker": None,
    "dual_eligible": None, "age_group": "18-44", "risk_tier": "Low", "outcome_risk_tier": "Low", "exposure_months": 12,
    "lookback_months": 12, "died": False, "outcome_is_mature": True, "days_since_last_er_visit": 366,
}  # fmt: skip


def write_population(folder: Path, judged: tuple[str, ...] = (FIRST, TRAINABLE), members: int = MEMBERS) -> Lake:
    """A lake that holds `gold.risk_training_rows` of these judged months, and nothing else."""
    lake = Lake(root=str(folder))
    for month in judged:
        write(lake, population(month, members))
    return lake


def write(lake: Lake, rows: pd.DataFrame, mode: Any = "append") -> None:
    """Add rows; what they leave out is as in `completed`."""
    path = str(lake.path("gold", "risk_training_rows"))
    write_deltalake(path, completed(rows), mode=mode, partition_by=["claim_month"])


def completed(rows: pd.DataFrame) -> pa.Table:
    """The rows with all columns of the contract."""
    contract, rows = compiled(RiskTrainingRows), rows.copy()
    for name, kind in contract.columns.items():
        if name not in rows:
            rows[name] = FIXED.get(name, None if contract.nullable[name] else NOTHING[kind.simpleString()])
    return pa.Table.from_pandas(rows, schema=contract.arrow_schema(), preserve_index=False)


def is_frail(member: int) -> bool:
    return member % 100 < FRAIL * 100


def population(judged: str, members: int = MEMBERS) -> pd.DataFrame:
    """The members as judged in a month."""
    rng = np.random.default_rng(int(judged.replace("-", "")))
    frail = np.array([is_frail(m) for m in range(members)])
    visits, later = (rng.poisson(np.where(frail, 4.0, 0.8)) for _ in range(2))
    cost, costs_later = (v * 700 + frail * (rng.random(members) < 0.5) * 21_000 for v in (visits, later))
    return pd.DataFrame(
        {
            "member_id": [f"M{m:04d}" for m in range(members)],
            "claim_month": judged,
            "index_month": index_of(judged),
            "age": 20 + np.arange(members) % 50,
            "gender": np.where(np.arange(members) % 2, "M", "F"),
            "has_heart_failure": frail,
            "er_visit_count_12mo": visits,
            "total_paid_12mo": [Decimal(int(x)) for x in cost],
            "composite_risk_score": _score(visits, cost),
            "outcome_er_visit_count": later,
            "outcome_total_paid": costs_later.astype(float),
            "outcome_composite_risk_score": _score(later, costs_later),
        }
    )


def _score(visits: np.ndarray, cost: np.ndarray) -> np.ndarray:
    return 1 + np.minimum(visits, 6) + np.where(cost > 20_000, 3, 0)
