"""Score member features with registered models, month by month, and with the rule of thumb where no model may.

Here: which version may score a month, and the scores as a pure function of features and versions. Elsewhere: the table
(`member_risk_predictions.py`), what runs on the workers (`batches.py`), the registry (`runtime/tracking.py`), who is
promoted (`models/promotion`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from claims_assets.models.registered import MODELS
from claims_assets.models.risk_model import RiskModel
from claims_assets.models.rule_baseline import RULE_THRESHOLD, history_column, rule_value
from claims_assets.numbers import rounded
from claims_assets.partitions import MONTH
from claims_assets.predictions.batches import Target, Task, score_batches
from claims_assets.runtime.model_versions import CHAMPION, ModelVersion, champion_at
from claims_assets.runtime.tracking import Tracking

CANDIDATE, RULE = "candidate", "rule"
MODEL_STATUSES = (CHAMPION, CANDIDATE, RULE)
"""Best first."""
PASSED, BELOW_FLOOR = "passed", "below_floor"
"""Verdicts of the gate with which a version may score: as champion, or visibly as candidate."""
REVIEW_SMOKERS_ABOVE = 60
"""Completed years above which a person looks at every smoker (public project juanlamadrid20/insurance-mlops)."""


class UnknownInputs(ValueError):
    """A registered version wants inputs that the features don't hold."""


@dataclass(frozen=True)
class Scorer:
    """One registered version, ready to score anywhere: the model is bytes."""

    version: int
    status: str
    inputs: tuple[str, ...]
    artifact: bytes


Scorers = Mapping[str, Mapping[str, Scorer]]
"""Model name -> claim month -> the version that scores it; a month that is not there is scored by the rule."""


def target_of(model: RiskModel) -> Target:
    """The columns of a model: a classifier decides and says why, any other states how far off it may be."""
    if model.is_classifier:
        return Target(
            model.column, model.prediction, reasons=model.version_column.replace("_model_version", "_reasons")
        )
    return Target(model.column, interval=(f"{model.column}_lower", f"{model.column}_upper"))


KEYS = {"member_id": "string", MONTH: "string", "risk_tier": "string", "is_older_smoker": "boolean"}
"""What a row is known by, and what the table makes its own columns of."""
COLUMNS: dict[str, str] = KEYS | {n: kind for m in MODELS for n, kind in target_of(m).types.items()}
"""Column -> type, of all that is scored."""


def choose(versions: Iterable[ModelVersion], month: str) -> tuple[ModelVersion, str] | None:
    """Which version scores a claim month, and as what; None: the rule does.

    The version that was champion in `month`, else the newest one as of `month` or before that the gate found below a
    floor of quality and not unsafe. What the gate refused, or has not judged, never scores. A version as of T knows
    outcomes of service up to T - 3 and nothing that became known after T; with T <= month no month is scored by a
    version that has seen its future, and a later champion changes no earlier month.
    """
    past = [v for v in versions if v.as_of_month and v.as_of_month <= month]
    champion = champion_at((v for v in past if v.gate == PASSED), month)
    if champion:
        return champion, CHAMPION
    below = [v for v in past if v.gate == BELOW_FLOOR]
    return (max(below, key=lambda v: (v.as_of_month, v.version)), CANDIDATE) if below else None


def scorers_for(tracking: Tracking, months: Sequence[str], columns: Iterable[str]) -> Scorers:
    """Choose for each model and month, and load each chosen version once.

    Raises:
        UnknownInputs: a version needs an input that is not among `columns`.
    """
    known = set(columns)
    return {model.name: _scorers_of(model, tracking, months, known) for model in MODELS}


def _scorers_of(model: RiskModel, tracking: Tracking, months: Sequence[str], known: set[str]) -> dict[str, Scorer]:
    versions = tracking.versions(model.name)
    chosen = {month: found for month in months if (found := choose(versions, month))}
    loaded = {found: _scorer(tracking, *found, known) for found in set(chosen.values())}
    return {month: loaded[found] for month, found in chosen.items()}


def _scorer(tracking: Tracking, version: ModelVersion, status: str, known: set[str]) -> Scorer:
    artifact = tracking.load(version.name, version.version)
    unknown = [n for n in artifact.inputs if n not in known]
    if unknown:
        raise UnknownInputs(
            f"{version.name} version {version.version} needs {', '.join(unknown)}, which gold.member_features does not "
            "hold: add it there, or go back to a version without it (`claims models rollback`)."
        )
    return Scorer(version.version, status, tuple(artifact.inputs), artifact.to_bytes())


def score(features: DataFrame, scorers: Scorers, months: Sequence[str]) -> DataFrame:
    """Scores, decisions, reasons, versions and status for each row of `features` in `months`; nothing is looked up."""
    ruled = features.withColumn("is_older_smoker", _is_older_smoker()).withColumns(_rule_values())
    learned = sorted({month for of_model in scorers.values() for month in of_model})
    scored = ruled.where(~F.col(MONTH).isin(learned)).select(*COLUMNS)
    if learned:
        scored = scored.unionByName(ruled.where(F.col(MONTH).isin(learned)).transform(_modelled, scorers))
    return scored.join(_choices(features, scorers, months), MONTH)


def _is_older_smoker() -> Column:
    """See REVIEW_SMOKERS_ABOVE; what is not reported counts as no."""
    return F.coalesce(F.col("smoker") & (F.col("age") > REVIEW_SMOKERS_ABOVE), F.lit(False))


def _rule_values() -> dict[str, Column]:
    """All columns of all models as the rule fills them: a score, a decision, no interval, no reasons."""
    values = {}
    for model in MODELS:
        target = target_of(model)
        values |= {n: F.lit(None).cast(kind) for n, kind in target.types.items()}
        value = rule_value(model, history_column(model))
        values[target.score] = rounded(value, model.decimals)
        if target.prediction:
            values[target.prediction] = (values[target.score] >= RULE_THRESHOLD).cast("int")
    return values


def _tasks(scorers: Scorers) -> list[Task]:
    """Each distinct version once, with the months it scores."""
    tasks = []
    for model in MODELS:
        of_version: dict[Scorer, list[str]] = {}
        for month, scorer in scorers.get(model.name, {}).items():
            of_version.setdefault(scorer, []).append(month)
        tasks += [Task(target_of(model), tuple(sorted(m)), s.artifact) for s, m in of_version.items()]
    return tasks


def _modelled(ruled: DataFrame, scorers: Scorers) -> DataFrame:
    """What the versions say, made on the workers; the features go there as they are."""
    inputs = {n for of_model in scorers.values() for scorer in of_model.values() for n in scorer.inputs}
    sent = ruled.select(*_as_numbers(ruled, [*COLUMNS, *sorted(inputs - COLUMNS.keys())]))
    schema = ", ".join(f"{n} {t}" for n, t in COLUMNS.items())
    return sent.mapInPandas(partial(score_batches, _tasks(scorers), list(COLUMNS)), schema)


def _as_numbers(frame: DataFrame, names: Sequence[str]) -> list[Column]:
    """Decimals as the doubles that a model makes of them anyway: pandas has them as objects, which takes seconds."""
    kinds = dict(frame.dtypes)
    return [F.col(n).cast("double").alias(n) if kinds[n].startswith("decimal") else F.col(n) for n in names]


def _choices(features: DataFrame, scorers: Scorers, months: Sequence[str]) -> DataFrame:
    """One row a month: the version of each model, and the least status of them all."""
    rows = []
    for month in months:
        chosen = [scorers.get(m.name, {}).get(month) for m in MODELS]
        statuses = [s.status if s else RULE for s in chosen]
        rows.append((month, max(statuses, key=MODEL_STATUSES.index), *[s.version if s else None for s in chosen]))
    columns = [f"{MONTH} string", "model_status string", *[f"{m.version_column} int" for m in MODELS]]
    return features.sparkSession.createDataFrame(rows, ", ".join(columns))
