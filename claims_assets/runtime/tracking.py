"""Experiment tracking and the model registry: the only door to MLflow.

Here: what is asked of them. Elsewhere: how a run is opened and closed (`tracked_runs.py`), what a version is
(`model_versions.py`), what is trained and measured (`models/`).
Parameters, metrics, names and trees are stored; never a row of a member.
"""

import importlib
import logging
import os
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import dagster as dg

from claims_assets.runtime.code_version import code_version
from claims_assets.runtime.model_versions import (
    AS_OF_MONTH,
    CHAMPION,
    PARAMETERS,
    THRESHOLD,
    TRAINING_DATA,
    ModelVersion,
)
from claims_assets.runtime.tracked_runs import TrackedRun, tracked
from claims_assets.settings import UNITY_CATALOG

if TYPE_CHECKING:
    import xgboost
    from mlflow import MlflowClient

EXPERIMENT = "/Medicaid/Risk_Prediction_Models"
COMPLIANCE, CODE_VERSION, DELTA_VERSION = "healthcare_compliance", "code_version", "delta_version."
"""Tags of every run; the last one is followed by the name of a table that was read."""
SQLITE = "sqlite:///"
MODELS_SCHEMA = "models"
MODEL_FOLDER = "model"


class Tracking(dg.ConfigurableResource):
    """MLflow tracking server and model registry; an SQLite file with artifacts beside it needs no server."""

    uri: str
    artifacts: str | None = None
    """Folder of the artifacts. None: beside the SQLite file; for a server, wherever the server keeps them."""
    experiment: str = EXPERIMENT
    registry: str | None = None
    """Model registry; None: the one of `uri`."""
    catalog: str | None = None
    """Catalog of the registered models, in its schema `models`; None: names have one part."""

    @contextmanager
    def run(
        self, name: str, tags: Mapping[str, str], inputs: Mapping[str, int] = MappingProxyType({})
    ) -> Iterator[TrackedRun]:
        """A run that ends with the block: FINISHED, FAILED when the block raises, KILLED when it is interrupted.

        Args:
            name: of the run, for example the model and its month.
            tags: of the run; `dagster_run_id` says who asked.
            inputs: table -> Delta version that is read.
        """
        client = self._client()
        read = {DELTA_VERSION + table: str(version) for table, version in inputs.items()}
        every = {COMPLIANCE: "true", CODE_VERSION: code_version(), **read, **tags}
        with tracked(client, self.uri, self._experiment_id(client), name, every) as run:
            yield run

    def register(self, run: TrackedRun, name: str, booster: "xgboost.Booster", tags: Mapping[str, str]) -> ModelVersion:
        """Store a fitted booster with the run and register it as the next version of `name`.

        The artifact carries its own inputs (names and order) and its signature in float64.
        """
        with tempfile.TemporaryDirectory() as folder:
            _flavour().save_model(
                booster,
                f"{folder}/{MODEL_FOLDER}",
                model_format="ubj",
                signature=_signature(booster.feature_names or []),
                # Stated, because MLflow else finds them by running the model in a process of its own.
                pip_requirements=[f"xgboost=={_xgboost_version()}"],
            )
            run.client.log_artifacts(run.run_id, f"{folder}/{MODEL_FOLDER}", MODEL_FOLDER)
        registered = self._registered_name(name)
        if _registered(run.client, registered) is None:
            run.client.create_registered_model(registered)
        source = f"{run.artifact_uri}/{MODEL_FOLDER}"
        created = run.client.create_model_version(registered, source=source, run_id=run.run_id, tags=dict(tags))
        return _version(name, created, {})

    def versions(self, name: str) -> list[ModelVersion]:
        """All versions of a model, oldest first; none when it, or the registry, does not exist."""
        if self._nothing_stored():
            return []
        client = self._client()
        registered = _registered(client, self._registered_name(name))
        if registered is None:
            return []
        aliases = {str(v): a for a, v in sorted(registered.aliases.items(), key=lambda x: x[0] == CHAMPION)}
        found: list[ModelVersion] = []
        token = None
        while True:
            page = client.search_model_versions(f"name='{registered.name}'", page_token=token)
            # A search in Unity Catalog may leave out the tags.
            whole = [client.get_model_version(registered.name, v.version) for v in page] if self.catalog else page
            found += [_version(name, v, aliases) for v in whole]
            token = page.token
            if not token:
                return sorted(found, key=lambda v: v.version)

    def champion(self, name: str) -> ModelVersion | None:
        """The version with the alias `champion`."""
        return next((v for v in self.versions(name) if v.alias == CHAMPION), None)

    def promote(self, name: str, version: int) -> None:
        """Give the alias `champion` to this version, and take it from any other."""
        self._client().set_registered_model_alias(self._registered_name(name), CHAMPION, str(version))

    def load(self, name: str, version: int) -> "xgboost.Booster":
        """The booster of a registered version."""
        from mlflow.artifacts import download_artifacts

        registered = self._registered_name(name)
        if self.registry == UNITY_CATALOG:  # it alone hands out the key to the files
            source = f"models:/{registered}/{version}"
        else:
            source = self._client().get_model_version_download_uri(registered, str(version))
        folder = download_artifacts(artifact_uri=source, tracking_uri=self.uri, registry_uri=self.registry)
        return _flavour().load_model(folder)

    def results(self, version: ModelVersion) -> tuple[dict[str, float], dict[str, str]]:
        """Metrics and tags of the run that registered a version."""
        data = self._client().get_run(version.run_id).data
        return dict(data.metrics), dict(data.tags)

    def _client(self) -> "MlflowClient":
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        _create_parent(self.uri)
        # Both report normal work of every new registry and every model: tables created, no version of pip found.
        logging.getLogger("mlflow.store.db.utils").setLevel(logging.WARNING)
        logging.getLogger("mlflow.utils.environment").setLevel(logging.ERROR)
        from mlflow import MlflowClient

        return MlflowClient(tracking_uri=self.uri, registry_uri=self.registry or self.uri)

    def _registered_name(self, name: str) -> str:
        return f"{self.catalog}.{MODELS_SCHEMA}.{name}" if self.catalog else name

    def _experiment_id(self, client: "MlflowClient") -> str:
        from mlflow.exceptions import MlflowException

        known = client.get_experiment_by_name(self.experiment)
        if known is None:
            try:
                return client.create_experiment(self.experiment, artifact_location=self._artifact_location())
            except MlflowException:
                # Another process may have created it since; if not, there is a reason to show.
                known = client.get_experiment_by_name(self.experiment)
                if known is None:
                    raise
        return known.experiment_id

    def _artifact_location(self) -> str | None:
        if self.artifacts:
            return Path(self.artifacts).absolute().as_uri()
        if self.uri.startswith(SQLITE):
            return (_sqlite_file(self.uri).parent / "artifacts").absolute().as_uri()
        return None

    def _nothing_stored(self) -> bool:
        """An SQLite file that was never made: looking things up must neither make it nor cost MLflow's import."""
        return self.uri.startswith(SQLITE) and not _sqlite_file(self.uri).exists()


def _registered(client: "MlflowClient", name: str) -> Any:
    """The registered model, or None. Not by a search: Unity Catalog refuses one that filters."""
    from mlflow.exceptions import MlflowException
    from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST, ErrorCode

    try:
        return client.get_registered_model(name)
    except MlflowException as error:
        if error.error_code != ErrorCode.Name(RESOURCE_DOES_NOT_EXIST):
            raise
        return None


def _flavour() -> Any:
    """MLflow's module for xgboost."""
    with warnings.catch_warnings():
        # The import of mlflow.pyfunc, which saving needs, warns of a type hint of its own.
        warnings.simplefilter("ignore", UserWarning)
        importlib.import_module("mlflow.pyfunc")
        return importlib.import_module("mlflow.xgboost")


def _sqlite_file(uri: str) -> Path:
    return Path(uri.removeprefix(SQLITE))


def _create_parent(uri: str) -> None:
    if uri.startswith(SQLITE):
        _sqlite_file(uri).parent.mkdir(parents=True, exist_ok=True)


def _version(name: str, stored: Any, aliases: Mapping[str, str]) -> ModelVersion:
    """From MLflow's entity; a version that others registered may lack our tags, and then scores no month."""
    tags = dict(stored.tags)
    threshold = tags.get(THRESHOLD)
    return ModelVersion(
        name=name,
        version=int(stored.version),
        as_of_month=tags.get(AS_OF_MONTH, ""),
        training_data=tags.get(TRAINING_DATA, ""),
        alias=aliases.get(str(stored.version)),
        parameters=tags.get(PARAMETERS, ""),
        threshold=float(threshold) if threshold else None,
        run_id=stored.run_id or "",
    )


def _signature(inputs: Sequence[str]) -> Any:
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    return ModelSignature(inputs=Schema([ColSpec("double", n) for n in inputs]), outputs=Schema([ColSpec("double")]))


def _xgboost_version() -> str:
    import xgboost

    return xgboost.__version__
