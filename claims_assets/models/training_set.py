"""Rows to train and test on: inputs as of each index month, with what happened in the year after it.

Here: the frame, its split by time, its fingerprint. Elsewhere: which months (`windows.py`), inputs (`inputs.py`),
labels (`features/outcomes.py`). Members count who were enrolled at the index and in any month of the outcome year; of
those who left or died in that year, it is what was seen of it.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from claims_assets.features.outcomes import outcomes
from claims_assets.models.inputs import INPUTS, with_inputs
from claims_assets.models.windows import HORIZON, RUN_OUT, NotTrainable, Split, require_months, split_for
from claims_assets.partitions import MONTH
from claims_assets.runtime.lake import Lake

if TYPE_CHECKING:
    import pandas as pd

TABLES = (("gold", "member_features"), ("silver", "member_months"), ("silver", "claim_versions"))
KEYS = ("member_id", MONTH)
OUTCOMES = ("er_visit_count", "total_paid", "composite_risk_score")
"""Columns of the outcomes that models predict; `outcome_<name>` in the frame."""
MOST_ROWS = 1_000_000
"""Rows that one training takes to the driver (about 0.2 GB); of more, a fixed sample of the members is taken."""
SHARES = 1_000
"""Steps of the sampled share."""
MOST_KEPT_ROWS = 2 * MOST_ROWS
"""Rows of the training sets kept in memory for the next model of the same run."""


@dataclass(frozen=True)
class TrainingSet:
    """Rows of one training month: member_id, claim_month (the index), INPUTS, composite_risk_score, outcome_*."""

    split: Split
    train: "pd.DataFrame"
    test: "pd.DataFrame"
    fingerprint: str
    """Of the content of all rows."""

    @property
    def rows(self) -> int:
        return len(self.train) + len(self.test)


_kept: OrderedDict[tuple, TrainingSet] = OrderedDict()
"""The four models of a run share their rows: key (lake, split, versions of the tables read, most rows)."""


@dataclass(frozen=True)
class Held:
    """What the lake holds, from the Delta logs alone; read once for all training months of a step."""

    features: dict[str, int]
    """Rows of `gold.member_features` by month."""
    claims: dict[str, int]
    """Rows of `silver.claim_versions` by month."""
    versions: tuple[str, ...]
    """Delta table ids and versions of TABLES."""


def held_by(lake: Lake) -> Held:
    """The months of `lake` that training can read."""
    features, _, claims = (lake.rows_by_month(*t) for t in TABLES)
    return Held(features, claims, tuple(_version(lake, *t) for t in TABLES))


def training_set(
    lake: Lake, held: Held, spark: Callable[[], SparkSession], as_of: str, most_rows: int = MOST_ROWS
) -> TrainingSet:
    """The rows of training month `as_of`; `spark` is asked for a session only where rows have to be read.

    Raises:
        NotTrainable: there is not enough history, or a month is missing.
    """
    if not held.claims:
        raise NotTrainable("silver.claim_versions holds no claims: materialize it first.")
    split = split_for(as_of, min(held.claims))
    require_months(split, held.features, held.claims)
    key = (lake.root, split, held.versions, most_rows)
    if key not in _kept:
        share = min(1.0, most_rows / sum(held.features[i] for i in split.indexes))
        _keep(key, _read(lake, spark(), split, share))
    return _kept[key]


def training_rows(
    features: DataFrame, member_months: DataFrame, claim_versions: DataFrame, split: Split, share: float = 1.0
) -> DataFrame:
    """One row per member and index month: `member_id`, `claim_month`, inputs, history, outcomes.

    Args:
        features: `gold.member_features`, at least of the index months.
        member_months: `silver.member_months`, at least of the months after them.
        claim_versions: `silver.claim_versions`, at least of the outcome years.
        share: part of the members to take; the same ones every time.
    """
    year_later = F.date_format(F.add_months(F.to_date(F.concat(MONTH, F.lit("-01"))), HORIZON), "yyyy-MM")
    people = (
        features.where(F.col(MONTH).isin(list(split.indexes)))
        .transform(lambda f: f if share >= 1 else f.where(_in_sample(share)))
        .transform(lambda f: with_inputs(f, "member_id", MONTH, "composite_risk_score"))
        .withColumn("outcome_month", year_later)
    )
    seen = people.transform(lambda p: _still_enrolled(p, member_months))
    aged = seen.select("member_id", F.col("outcome_month").alias(MONTH), (F.col("age") + 1).cast("int").alias("age"))
    labels = outcomes(claim_versions, split.outcome_months, members=aged, run_out=RUN_OUT).select(
        "member_id",
        F.col(MONTH).alias("outcome_month"),
        *[F.col(n).cast("double").alias(f"outcome_{n}") for n in OUTCOMES],
    )
    return seen.join(labels, ["member_id", "outcome_month"]).drop("outcome_month")


def _still_enrolled(people: DataFrame, member_months: DataFrame) -> DataFrame:
    """Members of an index month who were enrolled in any month of the year after it."""
    later = member_months.select(F.col("member_id").alias("_member"), F.col(MONTH).alias("_month"))
    in_year = (F.col("_month") > F.col(MONTH)) & (F.col("_month") <= F.col("outcome_month"))
    return people.join(later, (F.col("member_id") == F.col("_member")) & in_year, "left_semi")


def _in_sample(share: float):
    return F.pmod(F.xxhash64("member_id"), F.lit(SHARES)) < int(share * SHARES)


def _read(lake: Lake, spark: SparkSession, split: Split, share: float) -> TrainingSet:
    """Bring the rows to the driver, in one order, as float32 (what the trees compare)."""
    months = (list(split.indexes), split.service_months, split.service_months)
    features, members, claims = (lake.read(spark, *t, m) for t, m in zip(TABLES, months, strict=True))
    rows = training_rows(features, members, claims, split, share)
    numbers = [F.col(n).cast("float").alias(n) for n in INPUTS]
    others = [*KEYS, "composite_risk_score", *[f"outcome_{n}" for n in OUTCOMES]]
    frame = rows.select(*others, *numbers).toPandas().sort_values([MONTH, "member_id"], ignore_index=True)
    is_test = (frame[MONTH] == split.test).to_numpy()
    return TrainingSet(split, frame.loc[~is_test], frame.loc[is_test], _fingerprint(frame))


def _fingerprint(frame: "pd.DataFrame") -> str:
    content = hashlib.sha256()
    for name in sorted(frame.columns):
        text = "\n".join(frame[name]).encode() if name in KEYS else frame[name].to_numpy("float64").tobytes()
        content.update(name.encode() + text)
    return content.hexdigest()[:16]


def _version(lake: Lake, schema: str, table: str) -> str:
    from deltalake import DeltaTable

    if not lake.exists(schema, table):
        return ""
    stored = DeltaTable(str(lake.path(schema, table)))
    # With the id, because a table that was removed and made anew counts its versions from 0 again.
    return f"{stored.metadata().id} {stored.version()}"


def _keep(key: tuple, found: TrainingSet) -> None:
    """Drop the oldest sets until the rows kept are few enough; the newest always stays."""
    _kept[key] = found
    while len(_kept) > 1 and sum(s.rows for s in _kept.values()) > MOST_KEPT_ROWS:
        _kept.popitem(last=False)
