"""Empty registries for tests: real MLflow on SQLite, copied from one that was made once, because that takes 2 s."""

import shutil
from pathlib import Path

from mlflow import MlflowClient

from claims_assets.runtime.tracking import Tracking


def empty_registry(folder: Path, tmp_path_factory) -> Tracking:
    """A registry in `folder` that holds nothing."""
    made = tmp_path_factory.getbasetemp() / "empty_mlflow.db"
    if not made.exists():
        MlflowClient(f"sqlite:///{made}", f"sqlite:///{made}")
    folder.mkdir(parents=True)
    shutil.copy(made, folder / "mlflow.db")
    return Tracking(uri=f"sqlite:///{folder}/mlflow.db")
