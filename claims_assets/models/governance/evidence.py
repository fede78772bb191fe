"""What is known of a registered version: its run's measures, its held-out rows, its file, the features' time travel.

Here: reading, each part on its own; one that can't be read is named with the kind of error, and refuses. Not its
message: it may hold a member's value. Elsewhere: what follows (`gate.py`, `promotion.py`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from pyspark.sql import SparkSession

from claims_assets.models.governance.gate import TEST_PART, Evidence
from claims_assets.models.governance.measures import Scored
from claims_assets.models.governance.thresholds import REPRODUCED, TIME_TRAVEL_MEMBERS, TIME_TRAVEL_SHARE
from claims_assets.models.risk_artifact import RiskArtifact
from claims_assets.models.risk_model import RiskModel
from claims_assets.models.time_travel import differing_features
from claims_assets.models.windows import HORIZON, RUN_OUT
from claims_assets.partitions import MONTH, add_months
from claims_assets.predictions.holdout_predictions import read_holdout
from claims_assets.runtime.delta import read_arrow
from claims_assets.runtime.lake import Lake
from claims_assets.runtime.model_versions import ModelVersion
from claims_assets.runtime.tracking import Tracking

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

TRAINING_ROWS = ("gold", "risk_training_rows")
RUN, ROWS, FILE, TRAVEL = "run's measures", "held-out rows", "stored model", "time travel"
"""Parts that may be unreadable; the names of their criteria in `gate.py`."""
ROWS_AT_ONCE = 65_536

Found = TypeVar("Found")


@dataclass
class Parts:
    """Reads parts and remembers which could not be read."""

    unreadable: dict[str, str] = field(default_factory=dict)

    def read(self, what: str, call: Callable[[], Found]) -> Found | None:
        """The answer of `call`; None, and a sentence in `unreadable`, if it breaks."""
        try:
            return call()
        except Exception as error:  # noqa: BLE001  (whatever breaks must refuse the version by name, not hide it)
            self.unreadable[what] = f"could not be read ({type(error).__name__})."
            return None


@dataclass
class Source:
    """Where the evidence of one month lies; what all versions share is read once."""

    lake: Lake
    tracking: Tracking
    travel: Callable[[str], Mapping[str, int]]
    """Index month -> feature -> cells that differ from what was known then; see `travel_through`."""
    month: str
    """Training month T."""

    @cached_property
    def leaks(self) -> Mapping[str, int] | None:
        """Feature -> differing cells; None: they can't be built again."""
        return self._parts.read(TRAVEL, lambda: self.travel(add_months(self.month, -HORIZON - RUN_OUT)))

    @cached_property
    def _parts(self) -> Parts:
        return Parts()

    @property
    def no_travel(self) -> dict[str, str]:
        """Why the features can't be built again; empty: they can."""
        return {} if self.leaks is not None else dict(self._parts.unreadable)

    def features(self, members: "pd.Series", inputs: list[str]) -> "Any":
        """Arrow rows of these members in their order, with these columns of the month's test partition.

        Raises:
            LookupError: a member is not there.
        """
        import pyarrow as pa

        path = self.lake.path(*TRAINING_ROWS)
        stored = read_arrow(path, ["member_id", *inputs], (MONTH, self.month))
        positions = {m: i for i, m in enumerate(stored["member_id"].to_pylist())}
        if not set(members) <= positions.keys():
            raise LookupError(f"{'.'.join(TRAINING_ROWS)} does not hold all test members of {self.month}.")
        return stored.take(pa.array([positions[m] for m in members], pa.int64())).select(inputs)


def travel_through(lake: Lake, spark: Callable[[], SparkSession]) -> Callable[[str], Mapping[str, int]]:
    """Time travel through this lake: all members of a small one, a share of them where there are many."""

    def travel(index: str) -> Mapping[str, int]:
        rows = lake.rows_by_month(*TRAINING_ROWS).get(add_months(index, HORIZON + RUN_OUT), 0)
        if not rows:
            raise LookupError(f"{'.'.join(TRAINING_ROWS)} has no rows of index month {index}.")
        share = min(1.0, max(TIME_TRAVEL_SHARE, TIME_TRAVEL_MEMBERS / rows))
        return differing_features(lake, spark(), index, share)

    return travel


def evidence(model: RiskModel, version: ModelVersion, source: Source) -> Evidence:
    """All parts of one version."""
    parts = Parts()
    metrics = parts.read(RUN, lambda: source.tracking.results(version)[0])
    rows = parts.read(ROWS, lambda: _rows_of(version, source))
    changed = None if rows is None else parts.read(FILE, lambda: _changed_scores(version, rows, source))
    return Evidence(
        model=model.name,
        is_classifier=model.is_classifier,
        metrics=metrics or {},
        rows=_none() if rows is None else rows,
        leaks=source.leaks or {},
        changed_scores=changed or 0,
        unreadable=parts.unreadable | source.no_travel,
    )


def champions_scores(champion: ModelVersion, known: Evidence, source: Source) -> Scored:
    """What the champion says of the challenger's test members.

    Raises:
        Exception: its file can't be read, or wants a feature that is not there.
    """
    artifact = source.tracking.load(champion.name, champion.version)
    predicted = _predicted(artifact, known.part(TEST_PART), source)
    flagged = None if artifact.threshold is None else artifact.decide(predicted) > 0
    return known.scored(TEST_PART, predicted, flagged)


def _rows_of(version: ModelVersion, source: Source) -> "pd.DataFrame":
    rows = read_holdout(source.lake, version.name, source.month)
    return rows.loc[rows["version"] == version.version, :]


def _none() -> "pd.DataFrame":
    import pandas as pd

    return pd.DataFrame()


def _changed_scores(version: ModelVersion, rows: "pd.DataFrame", source: Source) -> int:
    import numpy as np

    test = rows.loc[rows["part"] == TEST_PART, :]
    artifact = source.tracking.load(version.name, version.version)
    again = _predicted(artifact, test, source)
    return int((~np.isclose(again, test["predicted"].to_numpy("float64"), REPRODUCED, REPRODUCED)).sum())


def _predicted(artifact: RiskArtifact, rows: "pd.DataFrame", source: Source) -> "np.ndarray":
    """In pieces, so that the features of a large plan need not lie in memory as pandas."""
    import numpy as np

    members: pd.Series = rows.loc[:, "member_id"]
    pieces = source.features(members, artifact.inputs).to_batches(max_chunksize=ROWS_AT_ONCE)
    return np.concatenate([artifact.predict(piece.to_pandas()) for piece in pieces] or [np.empty(0)])
