"""Score member features with registered models, month by month, and with the rule of thumb where no model may.

Here: which version may score a month, and the scores as a pure function of features and boosters. Elsewhere: the table
(`member_risk_predictions.py`), inputs and prediction (`models/`), the registry (`runtime/tracking.py`).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from claims_assets.models.er_utilization_predictor import ER_UTILIZATION
from claims_assets.models.fitting import COST_DIGITS, SCORE_DIGITS, predict
from claims_assets.models.high_cost_predictor import HIGH_COST
from claims_assets.models.high_risk_predictor import HIGH_RISK
from claims_assets.models.inputs import INPUTS, with_inputs
from claims_assets.models.risk_model import RiskModel
from claims_assets.models.rule_baseline import RULE_THRESHOLD, history_column, rule_value
from claims_assets.models.total_cost_predictor import TOTAL_COST
from claims_assets.numbers import rounded
from claims_assets.partitions import MONTH
from claims_assets.runtime.tracking import CHAMPION, ModelVersion, Tracking

if TYPE_CHECKING:
    import pandas as pd
    import xgboost

MODELS: tuple[RiskModel, ...] = (ER_UTILIZATION, HIGH_COST, TOTAL_COST, HIGH_RISK)
CANDIDATE, RULE = "candidate", "rule"
MODEL_STATUSES = (CHAMPION, CANDIDATE, RULE)
"""Best first."""
KEYS = ("member_id", MONTH, "risk_tier")


class UnknownInputs(ValueError):
    """A registered version wants inputs that this code doesn't make."""


@dataclass(frozen=True)
class Scorer:
    """One registered version, ready to score anywhere: the booster is bytes."""

    version: int
    status: str
    threshold: float
    booster: bytes


Scorers = Mapping[str, Mapping[str, Scorer]]
"""Model name -> claim month -> the version that scores it; a month that is not there is scored by the rule."""


def choose(versions: Iterable[ModelVersion], month: str) -> ModelVersion | None:
    """The champion if it was trained as of `month` or before, else the newest version that was, else None.

    A version as of T knows outcomes of service up to T - 3 and nothing that became known after T. So with T <= month no
    month is scored by a version that has seen its future.
    """
    past = [v for v in versions if v.as_of_month and v.as_of_month <= month]
    champions = [v for v in past if v.alias == CHAMPION]
    return max(champions or past, key=lambda v: (v.as_of_month, v.version), default=None)


def scorers_for(tracking: Tracking, months: Sequence[str]) -> Scorers:
    """Choose for each model and month, and load each chosen version once."""
    return {model.name: _scorers_of(model, tracking, months) for model in MODELS}


def _scorers_of(model: RiskModel, tracking: Tracking, months: Sequence[str]) -> dict[str, Scorer]:
    versions = tracking.versions(model.name)
    chosen = {month: version for month in months if (version := choose(versions, month))}
    loaded = {v.version: _scorer(model, tracking, v) for v in chosen.values()}
    return {month: loaded[v.version] for month, v in chosen.items()}


def _scorer(model: RiskModel, tracking: Tracking, version: ModelVersion) -> Scorer:
    booster = tracking.load(model.name, version.version)
    unknown = [n for n in booster.feature_names or [] if n not in INPUTS]
    if unknown:
        raise UnknownInputs(
            f"{model.name} version {version.version} needs {', '.join(unknown)}, which models/inputs.py does not make: "
            "add it there, or take the alias from this version and train a new one."
        )
    status = CHAMPION if version.alias == CHAMPION else CANDIDATE
    threshold = RULE_THRESHOLD if version.threshold is None else version.threshold
    return Scorer(version.version, status, threshold, bytes(booster.save_raw("ubj")))


def score(features: DataFrame, scorers: Scorers, months: Sequence[str]) -> DataFrame:
    """Scores, predictions, versions and status for each row of `features` in `months`; nothing is read or looked up."""
    ruled = with_inputs(_with_rule_values(features), *KEYS, *[m.column for m in MODELS])
    learned = sorted({month for of_model in scorers.values() for month in of_model})
    wanted = [*KEYS, *[m.column for m in MODELS]]
    scored = ruled.where(~F.col(MONTH).isin(learned)).select(*wanted)
    if learned:
        types = [f"{n} string" for n in KEYS] + [f"{m.column} double" for m in MODELS]
        modelled = ruled.where(F.col(MONTH).isin(learned)).mapInPandas(partial(_apply, scorers), ", ".join(types))
        scored = scored.unionByName(modelled)
    return scored.join(_choices(features, scorers, months), MONTH).transform(_with_predictions)


def _with_rule_values(features: DataFrame) -> DataFrame:
    values = {
        m.column: rounded(rule_value(m, history_column(m)), SCORE_DIGITS if m.is_classifier else COST_DIGITS)
        for m in MODELS
    }
    return features.withColumns(values)


def _apply(scorers: Scorers, batches: Iterator["pd.DataFrame"]) -> Iterator["pd.DataFrame"]:
    """Replace the rule's value by the model's wherever a version scores the row's month."""
    boosters = {name: _boosters(of_model) for name, of_model in scorers.items()}
    for batch in batches:
        for model in MODELS:
            for months, booster in boosters.get(model.name, []):
                rows = batch[MONTH].isin(months).to_numpy()
                if rows.any():
                    batch.loc[rows, model.column] = predict(model, booster, batch.loc[rows])
        yield batch.loc[:, [*KEYS, *[m.column for m in MODELS]]]


def _boosters(of_model: Mapping[str, Scorer]) -> list[tuple[list[str], "xgboost.Booster"]]:
    """Each distinct version once, with the months it scores."""
    import xgboost

    months: dict[bytes, list[str]] = {}
    for month, scorer in of_model.items():
        months.setdefault(scorer.booster, []).append(month)
    boosters = []
    for content, of_version in months.items():
        booster = xgboost.Booster()
        booster.load_model(bytearray(content))
        boosters.append((of_version, booster))
    return boosters


def _choices(features: DataFrame, scorers: Scorers, months: Sequence[str]) -> DataFrame:
    """One row a month: the version and threshold of each model, and the worst status of the four."""
    rows = []
    for month in months:
        chosen = [scorers.get(m.name, {}).get(month) for m in MODELS]
        statuses = [s.status if s else RULE for s in chosen]
        thresholds = [s.threshold if s else RULE_THRESHOLD for s in chosen]
        versions = [s.version if s else None for s in chosen]
        rows.append((month, max(statuses, key=MODEL_STATUSES.index), *versions, *thresholds))
    columns = [f"{MONTH} string", "model_status string", *[f"{m.version_column} int" for m in MODELS]]
    columns += [f"{m.name}_threshold double" for m in MODELS]
    return features.sparkSession.createDataFrame(rows, ", ".join(columns))


def _with_predictions(scored: DataFrame) -> DataFrame:
    flags = {
        m.prediction: (F.col(m.column) >= F.col(f"{m.name}_threshold")).cast("int") for m in MODELS if m.prediction
    }
    return scored.withColumns(flags).drop(*[f"{m.name}_threshold" for m in MODELS])
