"""A fraud detector in the model registry: one registered model a feature, `fraud_detector_{algorithm}_{feature}`.

All features of one training share a run, and their versions carry its tags. Here: how a detector is stored, found and
loaded. Elsewhere: the registry itself (`runtime/tracking.py`), the fit (`fraud_fitting.py`).
"""

import importlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from claims_assets.models import fraud_artifact
from claims_assets.models.fraud_artifact import FILE, FraudArtifact
from claims_assets.models.fraud_boosters import library
from claims_assets.models.fraud_inputs import MODELLED
from claims_assets.runtime.model_versions import ModelVersion
from claims_assets.runtime.stored_model import DATA_FOLDER
from claims_assets.runtime.tracked_runs import without_warnings
from claims_assets.runtime.tracking import Tracking

FIRST = MODELLED[0]
"""The feature whose versions stand for the whole detector: without amounts there is nothing to detect."""


def registered_name(algorithm: str, feature: str) -> str:
    """Name in the registry: `fraud_detector_{feature}` of the public project sandeshregmi/claims-autoencoder, with the
    algorithm, so that two never share a name.
    """
    return f"fraud_detector_{algorithm}_{feature}"


def detectors(tracking: Tracking, algorithm: str) -> list[ModelVersion]:
    """The registered detectors of an algorithm, oldest first, each by the version of its first feature."""
    return [v for v in tracking.versions(registered_name(algorithm, FIRST)) if v.as_of_month]


def detector_at(versions: Iterable[ModelVersion], month: str) -> ModelVersion | None:
    """Which detector scores a claim month: the newest as of it or before, else the oldest; None without any.

    A claim is scored by models that never saw it, so that an early month may be scored by a later training.
    """
    known = sorted(versions, key=lambda v: (v.as_of_month, v.version))
    past = [v for v in known if v.as_of_month <= month]
    # Of one month's trainings the last one, of the oldest month too.
    first = [v for v in known if v.as_of_month == known[0].as_of_month] if known else []
    return past[-1] if past else first[-1] if first else None


def load_detector(tracking: Tracking, algorithm: str, version: ModelVersion) -> FraudArtifact:
    """The detector that was registered by the run of this version."""
    first = FraudArtifact.load(tracking.folder(version.name, version.version) / DATA_FOLDER / FILE)
    parts = []
    for feature in first.facts["features"]:
        if feature in (FIRST, *_without_trees(first)):
            continue
        name = registered_name(algorithm, feature)
        (own,) = [v for v in tracking.versions(name) if v.run_id == version.run_id]
        parts.append(FraudArtifact.load(tracking.folder(name, own.version) / DATA_FOLDER / FILE))
    return first.joined(parts)


def _without_trees(artifact: FraudArtifact) -> list[str]:
    return [n for n, f in artifact.facts["features"].items() if not f["inputs"]]


def save_part(artifact: FraudArtifact, feature: str, folder: Path) -> None:
    """Write the MLflow model of one feature: trees, facts, the one file of code that scores them, the signature."""
    part = artifact.part(feature)
    needed = [library(artifact.facts["algorithm"]), *(f"{n}=={_installed(n)}" for n in ("pandas", "numpy"))]
    with without_warnings(UserWarning):
        pyfunc = importlib.import_module("mlflow.pyfunc")
        pyfunc.save_model(
            folder,
            loader_module=fraud_artifact.__name__.rpartition(".")[2],
            code_paths=[fraud_artifact.__file__],
            data_path=str(part.save(folder.parent / f"{feature}_data")),
            signature=_signature(part),
            pip_requirements=needed,
        )


def _signature(part: FraudArtifact) -> Any:
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    kinds = {n: "string" if part.facts["columns"][n] == "word" else "double" for n in part.columns}
    given = Schema([ColSpec("string", "claim_id"), *(ColSpec(kind, n) for n, kind in kinds.items())])
    return ModelSignature(inputs=given, outputs=Schema([ColSpec("double", n) for n in ("error", "evidence")]))


def _installed(name: str) -> str:
    return importlib.import_module(name).__version__
