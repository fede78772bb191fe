"""Grow the trees of a model on a Spark cluster, for training parts that are too large for one machine.

The same rows, parts, labels, weights and candidates as in `fitting.py`; what comes out is an ordinary booster, and
calibration, threshold and intervals follow from it there. Two things differ. No sample of the members is taken. And
without the trees of cross-fitting, what a score means is learnt from the calibration part alone. Spark does not promise
the order of rows to a worker, so a fit here is not promised to be the same bit for bit.
"""

import logging
from dataclasses import dataclass
from typing import Any

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from claims_assets.models.fitting import Grown, constraints
from claims_assets.models.parts import PARTS
from claims_assets.models.risk_model import MOST_ROUNDS, PATIENCE, RiskModel
from claims_assets.models.training_set import ROWS
from claims_assets.models.windows import HORIZON, Split
from claims_assets.partitions import MONTH
from claims_assets.runtime.lake import Lake
from claims_assets.setting_values import SettingError

LABEL, WEIGHT, IS_CALIBRATION = "_label", "_weight", "_is_calibration"
NAMES = {"eta": "learning_rate"}
"""Native parameter -> its name in xgboost's estimators, where it differs."""


@dataclass(frozen=True)
class SparkGrower:
    """Grows the trees of a model on a session's cluster."""

    spark: SparkSession
    lake: Lake
    split: Split
    workers: int
    """Spark tasks that grow one model together; all of them must have a free slot at once."""

    def grow(self, model: RiskModel, candidates: list[dict[str, Any]], seed: int) -> Grown:
        """The candidate with the least loss on the calibration part; the first of equals.

        Raises:
            SettingError: the session is Spark Connect, which has no tasks that talk to each other.
        """
        require_classic(self.spark)
        rows = numbered_rows(model, self.lake.read(self.spark, *ROWS, self.split.train), seed)
        grown = [(self._booster(model, rows, c, seed), c) for c in candidates]
        booster, parameters = min(grown, key=lambda g: g[0].best_score)
        return Grown(booster[: booster.best_iteration + 1], parameters)

    def _booster(self, model: RiskModel, rows: DataFrame, parameters: dict[str, Any], seed: int) -> Any:
        from xgboost.spark import SparkXGBRegressor

        # One line for each round of each candidate.
        logging.getLogger("XGBoost-PySpark").setLevel(logging.WARNING)
        named: dict[str, Any] = {NAMES.get(n, n): v for n, v in (parameters | constraints(model)).items()}
        estimator = SparkXGBRegressor(
            features_col=list(model.inputs),
            label_col=LABEL,
            weight_col=WEIGHT,
            validation_indicator_col=IS_CALIBRATION,
            num_workers=self.workers,
            n_estimators=MOST_ROUNDS,
            early_stopping_rounds=PATIENCE,
            random_state=seed,
            verbose=False,
            **named,
        )
        return estimator.fit(rows).get_booster()


def require_classic(spark: SparkSession) -> None:
    """xgboost's estimators reach into Spark's own process, which a Connect session has no way to.

    Raises:
        SettingError: it is one; the sentence says what to change.
    """
    if type(spark).__module__.startswith("pyspark.sql.connect"):
        raise SettingError(
            "on_spark grows trees on classic Spark, and this session is Spark Connect (Sail, or serverless or standard"
            " compute): leave on_spark out, or set CLAIMS_ENGINE=spark, or use a cluster with dedicated access."
        )


def numbered_rows(model: RiskModel, rows: DataFrame, seed: int) -> DataFrame:
    """Inputs as float columns, label, weight, and whether the row's member is of the calibration part."""
    salted = F.concat(F.lit(f"{seed}|"), F.col("member_id"))
    return rows.select(
        *[_number(model, n).cast("float").alias(n) for n in model.inputs],
        _target(model).alias(LABEL),
        F.when(F.col("died"), F.lit(1.0)).otherwise(F.col("exposure_months") / F.lit(float(HORIZON))).alias(WEIGHT),
        (F.crc32(salted.cast("binary")) % PARTS == 0).alias(IS_CALIBRATION),
        MONTH,
    )


def _number(model: RiskModel, name: str) -> Column:
    if name not in model.categories:
        return F.col(name)
    value = F.lit(None).cast("float")
    for word, code in model.categories[name].items():
        value = F.when(F.col(name) == word, F.lit(float(code))).otherwise(value)
    return value


def _target(model: RiskModel) -> Column:
    outcome = F.col(f"outcome_{model.outcome}").cast("double")
    if model.at_least is not None and not model.fits_outcome:
        return (outcome >= float(model.at_least)).cast("double")
    return F.greatest(outcome, F.lit(0.0)) * F.lit(1.0 if model.fits_outcome else model.scale)
