"""The jobs: a layer or more each, with the time, the time limit and the retries of the source system.

Here: what runs together. Elsewhere: when (`schedules.py`), what exactly a tick asks for (`stale_runs.py`). A job whose
layers hold nothing to build is left out: the monitoring job appears with the first asset of its folder that is a step.
"""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import dagster as dg

from claims_assets.layers import LAYERS

MAX_RUNTIME, MAX_RETRIES = "dagster/max_runtime", "dagster/max_retries"
"""Run tags of Dagster: seconds until a run is ended by the daemon, and how often a failed run is started again."""


@dataclass(frozen=True)
class Job:
    """Some layers that run together."""

    name: str
    description: str
    layers: tuple[str, ...]
    cron: str | None
    """New York time; None: on demand."""
    seconds: int
    retries: int

    @property
    def tags(self) -> dict[str, str]:
        return {MAX_RUNTIME: str(self.seconds), MAX_RETRIES: str(self.retries)}

    @property
    def selection(self) -> dg.AssetSelection:
        return dg.AssetSelection.groups(*self.layers).materializable()

    @cached_property
    def definition(self) -> Any:
        """One object, which the schedule and the sensors name too."""
        return dg.define_asset_job(self.name, self.selection, description=self.description, tags=self.tags)


BRONZE = Job(
    "bronze_ingestion", "Stage new landing files, then the raw tables.", ("sources", "bronze"), "0 1 * * *", 7_200, 2
)
SILVER = Job("silver_cleaning", "The cleaned tables.", ("silver",), "0 2 * * *", 7_200, 2)
FEATURES = Job("feature_engineering", "Conditions, features and cost.", ("features",), "0 3 * * 0", 10_800, 2)
TRAINING = Job(
    "model_training",
    "Risk models and fraud detectors of a complete claim month, then the gate.",
    ("models",),
    "0 0 1 * *",
    14_400,
    1,
)
SCORING = Job(
    "scoring_and_outreach",
    "Scores and outreach lists, and first the features that they need.",
    ("features", "predictions", "outreach"),
    "0 4 * * *",
    7_200,
    2,
)
MONITORING = Job("model_monitoring", "Drift, fairness and performance.", ("monitoring",), "0 6 * * *", 7_200, 2)
END_TO_END = Job(
    "end_to_end",
    "Everything, in the order of the flow.",
    tuple(LAYERS),
    None,
    sum(job.seconds for job in (BRONZE, SILVER, FEATURES, TRAINING, SCORING)),
    2,
)
PROMOTION = dg.AssetSelection.assets(["models", "promotion"])
"""The gate: what it lets in may score."""
ML_STAGES: dict[str, tuple[tuple[str, ...], dg.AssetSelection]] = {
    "features": (("features",), dg.AssetSelection.groups("features")),
    "training": (("models",), dg.AssetSelection.groups("models") - PROMOTION),
    "governance": (("models",), PROMOTION),
    "validation of a scored batch": (("predictions",), dg.AssetSelection.groups("predictions")),
    "set-up of monitoring": (("monitoring",), dg.AssetSelection.groups("monitoring").materializable()),
}
"""The five stages of the machine-learning pipeline of the public project juanlamadrid20/insurance-mlops -> the layers
and assets that hold them. No asset of a stage reads one of a later stage, so their order is that of the flow. A scored
batch is validated by the checks of its own write, before the commit."""
ML_TRAINING_PIPELINE = Job(
    "ml_training_pipeline",
    f"The stages of machine learning in their order: {'; '.join(ML_STAGES)}.",
    tuple(dict.fromkeys(layer for layers, _ in ML_STAGES.values() for layer in layers)),
    None,
    FEATURES.seconds + TRAINING.seconds + SCORING.seconds,
    1,
)
JOBS = (BRONZE, SILVER, FEATURES, TRAINING, SCORING, MONITORING, END_TO_END, ML_TRAINING_PIPELINE)
"""Times, limits and retries: public project sechan9999/GenZ (scripts/create_jobs.py), 06:00 for monitoring as in the
public project juanlamadrid20/insurance-mlops; that gives monitoring no limit, so it has that of the other daily jobs.

`scoring_and_outreach` holds the features too: daily scores on weekly features would be a week old."""


def jobs(assets: Collection[Any]) -> list[Job]:
    """The jobs that have something to build."""
    layers = {layer for a in assets if isinstance(a, dg.AssetsDefinition) for layer in a.group_names_by_key.values()}
    return [job for job in JOBS if layers & set(job.layers)]
