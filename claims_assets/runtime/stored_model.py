"""A fitted model as files: an ordinary MLflow model with the code that scores it.

Here: its folder, written and read. Elsewhere: the artifact inside (`models/risk_artifact.py`), its signature
(`models/signature.py`), where the folder is kept and under which version (`tracking.py`).
"""

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

from claims_assets.runtime.tracked_runs import without_warnings

if TYPE_CHECKING:
    from claims_assets.models.risk_artifact import RiskArtifact

MODEL_FOLDER, DATA_FOLDER = "model", "data"
"""Of a stored model; the second is MLflow's."""
NEEDED = ("xgboost", "pandas", "numpy")
"""What a stored model needs to score, in the versions that it was fitted with."""


def save(artifact: "RiskArtifact", folder: Path) -> Path:
    """Write the MLflow model `folder/model`: trees and facts, the one file of code that scores them, the signature.

    Returns:
        The folder of the model.
    """
    from claims_assets.models import risk_artifact
    from claims_assets.models.signature import example_for, signature_of

    # Its import warns of a type hint of its own, and a signature with integers of values that may be missing.
    with without_warnings(UserWarning):
        pyfunc = importlib.import_module("mlflow.pyfunc")
        pyfunc.save_model(
            folder / MODEL_FOLDER,
            loader_module=risk_artifact.__name__.rpartition(".")[2],
            code_paths=[risk_artifact.__file__],
            data_path=str(artifact.save(folder)),
            signature=signature_of(artifact),
            input_example=example_for(artifact),
            # Stated, because MLflow else finds them by running the model in a process of its own.
            pip_requirements=[f"{name}=={_installed(name)}" for name in NEEDED],
        )
    return folder / MODEL_FOLDER


def load(folder: Path) -> "RiskArtifact":
    """The model of a folder that `save` wrote, by the code of this project and not by that which is stored with it."""
    from claims_assets.models.risk_artifact import FILE, RiskArtifact

    return RiskArtifact.load(folder / DATA_FOLDER / FILE)


def _installed(name: str) -> str:
    return importlib.import_module(name).__version__
