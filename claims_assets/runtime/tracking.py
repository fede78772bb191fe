"""Experiment tracking and the model registry: the only door to MLflow.

Here: what is asked of them. Elsewhere: how a run is opened and closed (`tracked_runs.py`), what is stored of a model
(`stored_model.py`), what a version is (`model_versions.py`), how the registry tells it (`registry.py`) and when it need
not be asked again (`registry_answers.py`), what is trained and measured (`models/`).
Parameters, metrics, names and trees are stored; never a row of a member.
"""

import logging
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import dagster as dg

from claims_assets.runtime.code_version import code_version
from claims_assets.runtime.model_versions import (
    AS_OF_MONTH,
    CHALLENGER,
    CHAMPION,
    PREVIOUS,
    REIGNS,
    ModelVersion,
    Timeline,
    before_champion,
    crowned,
    rolled_back,
    stated,
    timeline,
    timeline_of,
)
from claims_assets.runtime.registry import create_registered_model, registered_model, version_of, write_reigns
from claims_assets.runtime.registry_answers import Answers
from claims_assets.runtime.stored_model import MODEL_FOLDER, load, save
from claims_assets.runtime.tracked_runs import TrackedRun, tracked
from claims_assets.settings import UNITY_CATALOG

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from claims_assets.models.risk_artifact import RiskArtifact

EXPERIMENT = "/Medicaid/Risk_Prediction_Models"
COMPLIANCE, CODE_VERSION, DELTA_VERSION = "healthcare_compliance", "code_version", "delta_version."
"""Tags of every run; the last one is followed by the name of a table that was read."""
SQLITE = "sqlite:///"
MODELS_SCHEMA = "models"


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
    run_name: str | None = None
    """Name of the runs that are opened; None: that of whoever opens one."""

    @contextmanager
    def run(
        self, name: str, tags: Mapping[str, str], inputs: Mapping[str, int] = MappingProxyType({})
    ) -> Iterator[TrackedRun]:
        """A run that ends with the block: FINISHED, FAILED when the block raises, KILLED when it is interrupted.

        Args:
            name: of the run, for example the model and its month; `run_name` goes before it.
            tags: of the run; `dagster_run_id` says who asked.
            inputs: table -> Delta version that is read.
        """
        client = self._client()
        read = {DELTA_VERSION + table: str(version) for table, version in inputs.items()}
        every = {COMPLIANCE: "true", CODE_VERSION: code_version(), **read, **tags}
        with tracked(client, self.uri, self._experiment_id(client), self.run_name or name, every) as run:
            yield run

    def register(self, run: TrackedRun, name: str, artifact: "RiskArtifact", tags: Mapping[str, str]) -> ModelVersion:
        """Store a fitted model with the run and register it as the next version of `name`.

        What is stored is an ordinary MLflow model with the code that scores it: any Python with xgboost, pandas and
        numpy can load it, without this project.
        """
        with tempfile.TemporaryDirectory() as folder:
            return self.register_saved(run, name, save(artifact, Path(folder)), MODEL_FOLDER, tags)

    def register_saved(
        self, run: TrackedRun, name: str, folder: Path, place: str, tags: Mapping[str, str]
    ) -> ModelVersion:
        """Store an MLflow model that was written to `folder` at a place of the run, as the next version of `name`."""
        run.client.log_artifacts(run.run_id, str(folder), place)
        registered = self._registered_name(name)
        if registered_model(run.client, registered) is None:
            create_registered_model(run.client, registered)
        source = f"{run.artifact_uri}/{place}"
        created = run.client.create_model_version(registered, source=source, run_id=run.run_id, tags=dict(tags))
        return version_of(name, created, {}, {})

    def versions(self, name: str) -> list[ModelVersion]:
        """All versions of a model, oldest first; none when it, or the registry, does not exist."""
        if self._nothing_stored():
            return []
        kept = self._kept(("versions", name), lambda: [asdict(v) for v in self._versions(name)])
        return [stated(values) for values in kept]

    def _versions(self, name: str) -> list[ModelVersion]:
        client = self._client()
        registered = registered_model(client, self._registered_name(name))
        if registered is None:
            return []
        stored = self._stored(client, registered.name)
        aliases = {a: int(v) for a, v in registered.aliases.items()}
        starts = {int(v.version): tuple(v.tags.get(REIGNS, "").split(",")) for v in stored}
        as_of = {int(v.version): v.tags.get(AS_OF_MONTH, "") for v in stored}
        line = timeline(starts, aliases.get(CHAMPION), as_of)
        return sorted((version_of(name, v, aliases, line) for v in stored), key=lambda v: v.version)

    def champion(self, name: str) -> ModelVersion | None:
        """The version with the alias `champion`."""
        return next((v for v in self.versions(name) if v.alias == CHAMPION), None)

    def crown(self, name: str, version: int, month: str) -> None:
        """Make a version champion from a month on; the one before keeps its time until then, and the alias `previous`.

        Of a month before the reigning champion's first one, it fills in the past, and the alias stays where it is.

        Raises:
            ValueError: there is no such version.
        """
        versions = self.versions(name)
        if version not in {v.version for v in versions}:
            raise ValueError(f"{name} has no version {version} that could become champion.")
        champion, before = _holder(versions, CHAMPION), _holder(versions, PREVIOUS)
        line = crowned(timeline_of(versions), version, month)
        self._crown(name, versions, line, before if line[max(line)] == champion else champion)

    def challenge(self, name: str, version: int) -> None:
        """Give a version the alias `challenger`, and take it from any other."""
        self._client().set_registered_model_alias(self._registered_name(name), CHALLENGER, str(version))

    def way_back(self, name: str, month: str) -> tuple[int, int]:
        """The champion, and the version that a rollback from `month` on would make champion again; nothing is changed.

        Raises:
            NoWayBack: there is no champion, none before it, or it became champion after `month`.
        """
        versions = self.versions(name)
        line = timeline_of(versions)
        back = rolled_back(name, line, _holder(versions, PREVIOUS), month)
        return line[max(line)], back[max(back)]

    def rollback(self, name: str, month: str) -> ModelVersion:
        """Make the champion before champion again, from a month on; the version that it is.

        Earlier months keep the champion that they had.

        Raises:
            NoWayBack: see `way_back`.
        """
        versions = self.versions(name)
        line = rolled_back(name, timeline_of(versions), _holder(versions, PREVIOUS), month)
        self._crown(name, versions, line, before_champion(line))
        return next(v for v in self.versions(name) if v.alias == CHAMPION)

    def tag(self, name: str, version: int, **tags: str) -> None:
        """Give a version these tags; those that it has keep their names and lose their values."""
        client = self._client()
        for key, value in tags.items():
            client.set_model_version_tag(self._registered_name(name), str(version), key, value)

    def folder(self, name: str, version: int) -> Path:
        """The files of a registered version, downloaded unless they are of this machine."""
        if "://" in (self.artifacts or ""):  # what is downloaded is of this process
            return self._folder(name, version)
        kept = Path(self._kept(("folder", name, str(version)), lambda: str(self._folder(name, version))))
        # Of one that is gone MLflow says why, each time the same.
        return kept if kept.exists() else self._folder(name, version)

    def _folder(self, name: str, version: int) -> Path:
        os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
        from mlflow.artifacts import download_artifacts

        registered = self._registered_name(name)
        if self.registry == UNITY_CATALOG:  # it alone hands out the key to the files
            source = f"models:/{registered}/{version}"
        else:
            source = self._client().get_model_version_download_uri(registered, str(version))
        return Path(download_artifacts(artifact_uri=source, tracking_uri=self.uri, registry_uri=self.registry))

    def load(self, name: str, version: int) -> "RiskArtifact":
        """A registered version, by the code of this project and not by that which is stored with it."""
        return load(self.folder(name, version))

    def results(self, version: ModelVersion) -> tuple[dict[str, float], dict[str, str]]:
        """Metrics and tags of the run that registered a version."""
        found = self._run_data(version)
        return found["metrics"], found["tags"]

    def params(self, version: ModelVersion) -> dict[str, str]:
        """Parameters of the run that registered a version."""
        return self._run_data(version)["params"]

    def _run_data(self, version: ModelVersion) -> dict[str, Any]:
        def ask() -> dict[str, Any]:
            data = self._client().get_run(version.run_id).data
            return {"metrics": dict(data.metrics), "tags": dict(data.tags), "params": dict(data.params)}

        return self._kept(("run", version.run_id), ask)

    def _kept(self, question: Sequence[str], ask: Callable[[], Any]) -> Any:
        """Of a registry in a file: the answer of last time, while nothing has changed; else the registry is asked."""
        is_file = self.uri.startswith(SQLITE) and self.registry is None
        whole = (self.catalog or "", *question)
        return Answers(_sqlite_file(self.uri)).of(whole, ask) if is_file else ask()

    def log_text(self, version: ModelVersion, name: str, content: str) -> None:
        """Store a small text with the run that registered a version, in place of one of that name."""
        self._client().log_text(version.run_id, content, name)

    def _stored(self, client: "MlflowClient", registered: str) -> list[Any]:
        """MLflow's entities of all versions."""
        found: list[Any] = []
        token = None
        while True:
            page = client.search_model_versions(f"name='{registered}'", page_token=token)
            # A search in Unity Catalog may leave out the tags.
            found += [client.get_model_version(registered, v.version) for v in page] if self.catalog else page
            token = page.token
            if not token:
                return found

    def _crown(self, name: str, versions: Sequence[ModelVersion], line: Timeline, before: int | None) -> None:
        """Write who is champion from when: the new times first, so that a crash leaves no month without a champion."""
        client, registered = self._client(), self._registered_name(name)
        champion = line[max(line)]
        for v in sorted(versions, key=lambda v: v.version != champion):
            write_reigns(client, registered, v, line)
        client.set_registered_model_alias(registered, CHAMPION, str(champion))
        if before is not None:
            client.set_registered_model_alias(registered, PREVIOUS, str(before))
        elif _holder(versions, PREVIOUS) is not None:
            client.delete_registered_model_alias(registered, PREVIOUS)

    def _client(self) -> "MlflowClient":
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        _create_parent(self.uri)
        # They report normal work of every new registry and every model: tables created, no version of pip found.
        logging.getLogger("mlflow.store.db.utils").setLevel(logging.WARNING)
        logging.getLogger("mlflow.pyfunc").setLevel(logging.WARNING)
        logging.getLogger("mlflow.store.model_registry.abstract_store").setLevel(logging.WARNING)
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


def _holder(versions: Sequence[ModelVersion], alias: str) -> int | None:
    return next((v.version for v in versions if alias in v.aliases), None)


def _sqlite_file(uri: str) -> Path:
    return Path(uri.removeprefix(SQLITE))


def _create_parent(uri: str) -> None:
    if uri.startswith(SQLITE):
        _sqlite_file(uri).parent.mkdir(parents=True, exist_ok=True)
