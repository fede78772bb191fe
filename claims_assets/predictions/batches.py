"""Score batches of member features with fitted models: the function that an engine sends to its workers.

It carries each model as bytes and imports nothing but numpy, pandas and `models/risk_artifact.py`, so a worker needs
neither MLflow nor Dagster. Here: what a model writes into a row. Elsewhere: which model scores which month, and the
rule's values that stand where none does (`scoring.py`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from claims_assets.models.risk_artifact import RiskArtifact

if TYPE_CHECKING:
    import pandas as pd

CLAIM_MONTH = "claim_month"


@dataclass(frozen=True)
class Target:
    """The columns of `gold.member_risk_predictions` that one model fills; None where it has no such column."""

    score: str
    prediction: str | None = None
    """1 where the score reaches the threshold of the version."""
    interval: tuple[str, str] | None = None
    """Lower and upper end."""
    reasons: str | None = None
    """Of rows predicted 1 only: what raised the score most."""

    @property
    def types(self) -> dict[str, str]:
        """Column -> type, of all columns of this model."""
        found = {self.score: "double"}
        if self.prediction:
            found[self.prediction] = "int"
        if self.interval:
            found |= dict.fromkeys(self.interval, "double")
        if self.reasons:
            found[self.reasons] = "array<string>"
        return found


@dataclass(frozen=True)
class Task:
    """One version and the claim months that it scores; it travels to the workers as it is."""

    target: Target
    months: tuple[str, ...]
    artifact: bytes
    """Of `RiskArtifact.to_bytes`."""


def score_batches(
    tasks: Sequence[Task], columns: Sequence[str], batches: Iterator["pd.DataFrame"]
) -> Iterator["pd.DataFrame"]:
    """The same rows with `columns`: what a task's version says in its months, else what the batch came with.

    Args:
        batches: `columns`, and the inputs of every task.
    """
    artifacts = [(task, RiskArtifact.from_bytes(task.artifact)) for task in tasks]
    for batch in batches:
        yield _scored(batch, artifacts, columns)


def _scored(
    batch: "pd.DataFrame", artifacts: Sequence[tuple[Task, RiskArtifact]], columns: Sequence[str]
) -> "pd.DataFrame":
    import pandas as pd

    found = {n: batch[n].to_numpy(copy=True) for n in columns}
    months = batch[CLAIM_MONTH]
    for task, artifact in artifacts:
        rows = np.flatnonzero(months.isin(task.months).to_numpy())
        if len(rows):
            _fill(found, rows, batch if len(rows) == len(batch) else batch.iloc[rows], task.target, artifact)
    return pd.DataFrame(found, columns=pd.Index(columns))


def _fill(
    found: dict[str, np.ndarray], rows: np.ndarray, batch: "pd.DataFrame", target: Target, artifact: RiskArtifact
) -> None:
    """Write what the version says of `batch` into these rows of the columns found."""
    scores = artifact.predict(batch)
    found[target.score][rows] = scores
    if target.interval:
        for name, end in zip(target.interval, artifact.interval(scores), strict=True):
            found[name][rows] = end
    if target.prediction:
        decisions = artifact.decide(scores)
        found[target.prediction][rows] = decisions
        flagged = np.flatnonzero(decisions)
        if target.reasons and len(flagged):
            # One by one, because numpy would make a table of lists of equal length.
            for row, said in zip(rows[flagged], artifact.reasons(batch.iloc[flagged]), strict=True):
                found[target.reasons][row] = said
