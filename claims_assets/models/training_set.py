"""Rows of one training month, ready to fit and to measure: the training, the calibration and the test part.

Read from `gold.risk_training_rows` by delta-rs, one judged month after the other, ordered by member, so that neither
the order of files nor the engine shows in a model. Of the training part at most one judged month is in memory at a
time, unless the whole set is small. Here: parts, fingerprint. Elsewhere: which months (`windows.py`), the rows
themselves (`features/risk_training_rows.py`), what is fitted to them (`fitting.py`).
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from claims_assets.models.inputs import CATEGORIES, INPUTS
from claims_assets.models.parts import numbered, part_of
from claims_assets.models.windows import NotTrainable, Split, require_months, split_for
from claims_assets.partitions import MONTH
from claims_assets.predictions.holdout_predictions import GROUPS
from claims_assets.runtime.delta import read_arrow
from claims_assets.runtime.lake import Lake

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow

ROWS = ("gold", "risk_training_rows")
INDEX_MONTH, MATURE = "index_month", "outcome_is_mature"
KEYS = ("member_id", MONTH, INDEX_MONTH)
OUTCOMES = ("er_visit_count", "total_paid", "composite_risk_score")
"""Columns of the outcomes that models predict; `outcome_<name>` in the frame."""
NUMBERS = (
    *[n for n in INPUTS if n not in CATEGORIES],
    "composite_risk_score", *[f"outcome_{n}" for n in OUTCOMES], "exposure_months", "died",
)  # fmt: skip
"""Read as double."""
WORDS = tuple(dict.fromkeys([*CATEGORIES, *(g for g in GROUPS if g not in NUMBERS)]))
MOST_ROWS = 1_000_000
"""Rows of one training; of more, a fixed sample of the members is taken."""
SHARES = 1_000
"""Steps of the sampled share."""
MOST_HELD_ROWS = 200_000
"""Rows of a training part that stay in memory between two passes over it (about 0.1 GB); more are read again."""
MOST_KEPT_ROWS = 2 * MOST_ROWS
"""Rows of the sets kept for the next model of the same run."""


@dataclass(frozen=True)
class TrainingSet:
    """Rows of one training month: KEYS, INPUTS, `composite_risk_score`, `outcome_*`, exposure and death, GROUPS."""

    split: Split
    train: "Callable[[], Iterator[pd.DataFrame]]"
    """The training part, in pieces; the same pieces on each call."""
    train_rows: int
    calibration: "pd.DataFrame"
    test: "pd.DataFrame"
    test_unseen: "np.ndarray"
    """Of each test row, whether its member is in neither of the other parts."""
    fingerprint: str
    """Of the content of all rows."""

    @property
    def rows(self) -> int:
        return self.train_rows + len(self.calibration) + len(self.test)


_kept: OrderedDict[tuple, TrainingSet] = OrderedDict()
"""The models of a run share their rows: key (lake, split, version of the table, seed, most rows)."""


@dataclass(frozen=True)
class Held:
    """What the lake holds, from the Delta log alone; read once for all training months of a step."""

    rows: dict[str, int]
    """Rows of `gold.risk_training_rows` by judged month."""
    version: str
    """Delta table id and version."""
    delta_version: int = 0


def held_by(lake: Lake) -> Held:
    """The judged months that training can read."""
    from deltalake import DeltaTable

    if not lake.exists(*ROWS):
        return Held({}, "")
    stored = DeltaTable(str(lake.path(*ROWS)))
    # With the id, because a table that was removed and made anew counts its versions from 0 again.
    name = f"{stored.metadata().id} {stored.version()}"
    return Held({m: n for m, n in lake.rows_by_month(*ROWS).items() if n}, name, stored.version())


def training_set(lake: Lake, held: Held, as_of: str, *, seed: int, most_rows: int = MOST_ROWS) -> TrainingSet:
    """The rows of training month `as_of`.

    Raises:
        NotTrainable: there is not enough history, or a month is missing or not mature.
    """
    if not held.rows:
        raise NotTrainable(
            "gold.risk_training_rows holds no rows: materialize it first; with claims of fewer than 27 months it stays"
            " empty."
        )
    split = split_for(as_of, held.rows)
    require_months(split, held.rows)
    key = (lake.root, split, held.version, seed, most_rows)
    if key not in _kept:
        share = min(1.0, most_rows / sum(held.rows[m] for m in split.judged))
        _keep(key, _read(Source(lake, split, seed, share)))
    return _kept[key]


@dataclass(frozen=True)
class Source:
    """Where the rows of one training month come from."""

    lake: Lake
    split: Split
    seed: int
    share: float = 1.0
    """Part of the members to take; the same ones every time."""

    def month(self, judged: str) -> "pyarrow.Table":
        """The rows judged in a month, ordered by member."""
        import pyarrow as pa

        columns = [*KEYS, MATURE, *NUMBERS, *WORDS]
        found = read_arrow(self.lake.path(*ROWS), columns, (MONTH, judged))
        # Spark's and delta-rs's files state text and numbers in different widths.
        kinds = dict.fromkeys(NUMBERS, pa.float64()) | dict.fromkeys((*KEYS, *WORDS), pa.string())
        for name, kind in kinds.items():
            place = found.schema.get_field_index(name)
            found = found.set_column(place, name, _cast(found.column(name), kind))
        found = found.sort_by("member_id")
        if self.share >= 1:
            return found
        drawn = numbered(found.column("member_id").to_pylist(), "sample", SHARES)
        return found.filter(pa.array(drawn < int(self.share * SHARES)))

    def parts(self, judged: str) -> "tuple[pyarrow.Table, pyarrow.Table]":
        """The training and the calibration part of a month: all rows of a member are on one side."""
        import pyarrow as pa

        found = self.month(judged)
        is_calibration = part_of(found.column("member_id").to_pylist(), self.seed) == 0
        return found.filter(pa.array(~is_calibration)), found.filter(pa.array(is_calibration))


def _cast(column: Any, kind: Any) -> Any:
    import pyarrow as pa

    # Arrow has no cast from true and false to a floating number.
    return (column.cast(pa.int8()) if pa.types.is_boolean(column.type) else column).cast(kind)


def _read(source: Source) -> TrainingSet:
    """Count, hash and split once; keep what is small.

    Raises:
        NotTrainable: the test month, or all training months, are not mature.
    """
    import numpy as np
    import pandas as pd

    test = source.month(source.split.test)
    if not _mature(test):
        raise NotTrainable(_immature(source.split, source.split.test))
    months, calibration, content, seen, rows = [], [], _Fingerprint(), [], 0
    held: list[pd.DataFrame] | None = []
    content.add(test)
    for judged in source.split.train:
        train, aside = source.parts(judged)
        if not _mature(train) or not _mature(aside):
            continue
        months.append(judged)
        rows += len(train)
        for part in (train, aside):
            content.add(part)
            seen.append(_hashes(part))
        calibration.append(aside.to_pandas())
        held = [*held, train.to_pandas()] if held is not None and rows <= MOST_HELD_ROWS else None
    if not months:
        raise NotTrainable(_immature(source.split, source.split.train[-1]))
    known = np.unique(np.concatenate(seen))
    return TrainingSet(
        split=source.split.of(months),
        train=(lambda: iter(held)) if held is not None else (lambda: _pieces(source, months)),
        train_rows=rows,
        calibration=pd.concat(calibration, ignore_index=True),
        test=test.to_pandas(),
        test_unseen=~np.isin(_hashes(test), known),
        fingerprint=content.hexdigest(),
    )


def _pieces(source: Source, months: list[str]) -> "Iterator[pd.DataFrame]":
    for judged in months:
        yield source.parts(judged)[0].to_pandas()


def _mature(rows: "pyarrow.Table") -> bool:
    return all(rows.column(MATURE).to_pylist())


def _immature(split: Split, judged: str) -> str:
    return (
        f"The outcome year judged in {judged}, which training as of {split.as_of} reads, is less than nine tenths"
        " complete, or its completion is not known: train as of a later month."
    )


def _hashes(rows: "pyarrow.Table") -> "np.ndarray":
    """Eight bytes for each member."""
    import numpy as np

    return _pandas_hashing().hash_array(np.array(rows.column("member_id").to_pylist(), dtype="object"))


def _pandas_hashing() -> Any:
    """`pandas.util` states no types."""
    import pandas.util

    return pandas.util


class _Fingerprint:
    """Of rows in any order."""

    def __init__(self) -> None:
        self.total, self.rows = 0, 0

    def add(self, rows: "pyarrow.Table") -> None:
        hashed = _pandas_hashing().hash_pandas_object(rows.to_pandas(), index=False).to_numpy()
        self.total = (self.total + int(hashed.sum(dtype="uint64"))) % 2**64
        self.rows += len(rows)

    def hexdigest(self) -> str:
        return hashlib.sha256(f"{self.total} {self.rows}".encode()).hexdigest()[:16]


def _keep(key: tuple, found: TrainingSet) -> None:
    """Drop the oldest sets until the rows kept are few enough; the newest always stays."""
    _kept[key] = found
    while len(_kept) > 1 and sum(s.rows for s in _kept.values()) > MOST_KEPT_ROWS:
        _kept.popitem(last=False)
