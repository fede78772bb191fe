"""Score claims with a registered fraud detector, month by month: what both algorithms' tables share.

Here: the contract, which version scores which month, and the function that an engine sends to its workers. Elsewhere:
what a detector does (`models/fraud_artifact.py`), the registry (`models/fraud_registry.py`), the tables
(`fraud_scores_xgboost.py`, `fraud_scores_catboost.py`). A claim carries its own id to the worker and back, so scores
never meet claims by position.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Annotated, Any

import dagster as dg
import numpy as np
import pyspark.sql.types as T
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from claims_assets import columns as c
from claims_assets.contracts import Contract
from claims_assets.models.fraud_artifact import FraudArtifact
from claims_assets.models.fraud_inputs import COLUMNS, WORDS
from claims_assets.models.fraud_registry import detector_at, detectors, load_detector
from claims_assets.partitions import MONTH
from claims_assets.runtime.tracking import Tracking

if TYPE_CHECKING:
    import pandas as pd

QUICK = 1
"""Compression of what travels to the workers once."""
Numbers = Annotated[T.ArrayType, T.DoubleType(), True]


class FraudScoreColumns(Contract):
    """Columns of the scores of one algorithm."""

    claim_id: str = c.claim_id()
    claim_month: str = c.claim_month()
    fraud_score: c.Number = c.required(
        "How unusual the claim is for what else is known of it: the three rarest errors, as -log10 of the share of"
        " held-out claims with so large a one, added up.",
        ge=0.0,
    )
    fraud_percentile: c.Number = c.share("Share of the held-out claims of the training with a lower score.")
    is_flagged: bool = c.flag("The score reaches the 95th percentile of the held-out claims.")
    top_reasons: c.Words = c.optional(
        "What raised the score most, largest first, as `feature = value, expected ...`; NULL: not flagged."
    )
    top_features: c.Words = c.optional("The features of these reasons, in the same order.")
    feature_errors: Numbers = c.required(
        "Evidence of each feature that counts, in the order of `counted` of the version's detector."
    )
    model_version: c.Whole = c.required("Version of the detector (of its first feature).", ge=1)
    model_as_of_month: str = c.month("Month as of which it was trained.")


SCORES: dict[str, str] = {
    "fraud_score": "double",
    "fraud_percentile": "double",
    "is_flagged": "boolean",
    "top_reasons": "array<string>",
    "top_features": "array<string>",
    "feature_errors": "array<double>",
}
KEYS: dict[str, str] = {"claim_id": "string", MONTH: "string"}
VERSION: dict[str, str] = {"model_version": "int", "model_as_of_month": "string"}
NAMES = {**KEYS, **SCORES, **VERSION}


@dataclass(frozen=True)
class FraudTask:
    """One detector and the claim months that it scores; it travels to the workers as it is."""

    months: tuple[str, ...]
    version: int
    as_of_month: str
    artifact: bytes


def asset_of(algorithm: str) -> dg.AssetKey:
    """The asset that trains the detector."""
    return dg.AssetKey(["models", f"fraud_autoencoder_{algorithm}"])


def scored(features: DataFrame, tracking: Tracking, algorithm: str, months: Sequence[str]) -> DataFrame:
    """Claims of the months, each scored by the version of its month; no rows where no detector is registered."""
    return score(features, tasks_for(tracking, algorithm, months))


def tasks_for(tracking: Tracking, algorithm: str, months: Sequence[str]) -> list[FraudTask]:
    """Each detector that is needed, loaded once, with its months."""
    versions = detectors(tracking, algorithm)
    chosen: dict[int, list[str]] = {}
    for month in months:
        if found := detector_at(versions, month):
            chosen.setdefault(found.version, []).append(month)
    by_number = {v.version: v for v in versions}
    return [
        FraudTask(
            tuple(of_version),
            number,
            by_number[number].as_of_month,
            load_detector(tracking, algorithm, by_number[number]).to_bytes(level=QUICK),
        )
        for number, of_version in sorted(chosen.items())
    ]


def score(features: DataFrame, tasks: Sequence[FraudTask]) -> DataFrame:
    """Scores of the claims in the months of the tasks; nothing is looked up."""
    asked = [month for task in tasks for month in task.months]
    # Python would turn a missing whole number or flag into what one engine can't read: they go as doubles.
    inputs = [F.col(n) if n in WORDS else F.col(n).cast("double").alias(n) for n in COLUMNS]
    sent = features.where(F.col(MONTH).isin(asked)).select(*KEYS, *inputs)
    schema = ", ".join(f"{name} {kind}" for name, kind in NAMES.items())
    return sent.mapInPandas(partial(score_batches, tuple(tasks)), schema)


def score_batches(tasks: Sequence[FraudTask], batches: "Iterator[pd.DataFrame]") -> "Iterator[pd.DataFrame]":
    """Scores of each batch by the task of each claim's month."""
    loaded = [(task, _detector(task.artifact)) for task in tasks]
    for batch in batches:
        for task, artifact in loaded:
            rows = np.flatnonzero(batch[MONTH].isin(task.months).to_numpy())
            if len(rows):
                yield _as_rows(batch.iloc[rows].reset_index(drop=True), artifact, task)


@lru_cache(maxsize=2)
def _detector(content: bytes) -> FraudArtifact:
    """Opened once a process: its trees take longer than a month of a small plan, and each task of the engine asks."""
    return FraudArtifact.from_bytes(content)


def _as_rows(rows: "pd.DataFrame", artifact: FraudArtifact, task: FraudTask) -> "pd.DataFrame":
    found = artifact.score(rows)
    for name in KEYS:
        found[name] = rows[name]
    found["model_version"] = np.full(len(rows), task.version, dtype="int32")
    found["model_as_of_month"] = task.as_of_month
    whole: Any = found[list(NAMES)]
    return whole
