"""Versions of one model in a real registry, with the held-out rows and features that their trainings would leave."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np
import pandas as pd
import pyarrow as pa
import xgboost
from deltalake import write_deltalake

from claims_assets.models.governance.evidence import Source
from claims_assets.models.high_risk_predictor import HIGH_RISK
from claims_assets.models.promotion import Judging, judged, note_months_without_versions
from claims_assets.models.promotion_report import Answer
from claims_assets.models.risk_artifact import RiskArtifact, encoded
from claims_assets.partitions import add_months
from claims_assets.predictions.holdout_predictions import publish
from claims_assets.runtime.lake import Lake
from claims_assets.runtime.model_versions import AS_OF_MONTH, ModelVersion
from claims_assets.runtime.tracking import Tracking
from claims_assets_tests.models.governance.heldout import classifier_rows, flag, honest

MONTH, NEXT_MONTH = "2025-06", "2025-09"
NAME = HIGH_RISK.name
GOOD, POOR = "total_paid_12mo", "avg_claim_amount"
"""A feature that shows the risk as it is, and one that shows it dimly: a model of one of them is good or poor."""


@cache
def features(seed: int = 1, n: int = 2000) -> pd.DataFrame:
    """Held-out rows with their features."""
    rows, rng = classifier_rows(n, seed), np.random.default_rng(seed + 9)
    odds = np.log(rows["risk"] / (1 - rows["risk"]))
    dim = 1 / (1 + np.exp(-(odds + rng.normal(0, 0.7, len(rows)))))
    return rows.assign(**{GOOD: (rows["risk"] * 10_000).round(2), POOR: (dim * 10_000).round(2)})


@cache
def model_of(feature: str, threshold: float = 0.2) -> RiskArtifact:
    """A model of one feature, fitted to other members."""
    rows = features(seed=50)
    data = xgboost.DMatrix(encoded(rows, [feature], {}), rows["outcome"], feature_names=[feature], nthread=1)
    facts = {
        "format": 1, "name": NAME, "kind": "classifier", "inputs": [feature], "categories": {},
        "calibration": {"kind": "sigmoid", "slope": 1.0, "intercept": 0.0}, "threshold": threshold, "intervals": None,
        "highest": None, "decimals": 6,
    }  # fmt: skip
    parameters = {"objective": "binary:logistic", "max_depth": 3, "eta": 0.2, "seed": 1, "nthread": 1}
    return RiskArtifact(xgboost.train(parameters, data, 30), facts)


@dataclass
class World:
    """A lake and a registry, and the judging of one model in them."""

    lake: Lake
    tracking: Tracking
    leaks: Mapping[str, int] = field(default_factory=dict)
    clock: datetime = datetime(2026, 1, 5, 9, tzinfo=UTC)

    def trained(self, artifact: RiskArtifact, month: str = MONTH, seed: int = 1, **metrics: float) -> ModelVersion:
        """Register a version as its training would, with true measures unless others are given."""
        rows = features(seed).assign(version=0, claim_month=month)
        rows = flag(rows.assign(predicted=artifact.predict(rows)), artifact.threshold or 0)
        own = dict(honest(rows).metrics) | metrics
        with self.tracking.run(f"{NAME} {month}", {}) as run:
            run.log({}, {n: v for n, v in own.items() if v is not None}, {})
            version = self.tracking.register(run, NAME, artifact, {AS_OF_MONTH: month})
        index = add_months(month, -15)
        given = {"model_name": NAME, "version": version.version, "index_month": index, "rule_flagged": None}
        publish(self.lake, NAME, month, rows.assign(**given, baseline_predicted=None, baseline_flagged=None))
        self.write_features(month, seed)
        return version

    def write_features(self, month: str, seed: int = 1) -> None:
        """The test partition of `gold.risk_training_rows`, as far as these models read it."""
        rows = features(seed)
        rows = rows[rows["part"] == "test"].assign(claim_month=month).sample(frac=1, random_state=0)
        content = pa.Table.from_pandas(rows[["member_id", "claim_month", GOOD, POOR]], preserve_index=False)
        path = str(self.lake.path("gold", "risk_training_rows"))
        only = {"predicate": f"claim_month = '{month}'"} if self.lake.exists("gold", "risk_training_rows") else {}
        write_deltalake(path, content, mode="overwrite", partition_by=["claim_month"], **only)

    def judge(self, month: str = MONTH, run_id: str = "run") -> Answer:
        """The answer about the newest version of the month; each call is an hour later."""
        self.clock += timedelta(hours=1)
        source = Source(self.lake, self.tracking, lambda index: self.leaks, month)
        answers = judged(Judging(source, run_id, lambda: self.clock), [HIGH_RISK])
        note_months_without_versions(self.lake, answers)
        return answers[-1]

    def aliases(self) -> dict[str, int]:
        return {v.alias: v.version for v in self.tracking.versions(NAME) if v.alias}

    def gates(self) -> list[str]:
        return [v.gate for v in self.tracking.versions(NAME)]
