"""What MLflow's registry says of a model, and how its tags tell which version was champion when.

Here: its entities read and written, and the errors that are no errors. Elsewhere: what is asked of the registry
(`tracking.py`), what a version is (`model_versions.py`).
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, get_args

from claims_assets.runtime.model_versions import (
    AS_OF_MONTH,
    CHAMPION,
    CHAMPION_FROM,
    CHAMPION_UNTIL,
    GATE,
    PARAMETERS,
    REIGNS,
    THRESHOLD,
    TRAINING_DATA,
    Gate,
    ModelVersion,
    Timeline,
    reigns,
)

if TYPE_CHECKING:
    from mlflow import MlflowClient


def registered_model(client: "MlflowClient", name: str) -> Any:
    """The registered model, or None. Not by a search: Unity Catalog refuses one that filters."""
    from mlflow.exceptions import MlflowException
    from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST, ErrorCode

    try:
        return client.get_registered_model(name)
    except MlflowException as error:
        if error.error_code != ErrorCode.Name(RESOURCE_DOES_NOT_EXIST):
            raise
        return None


def create_registered_model(client: "MlflowClient", name: str) -> None:
    """Another process may be creating it too."""
    from mlflow.exceptions import MlflowException
    from mlflow.protos.databricks_pb2 import RESOURCE_ALREADY_EXISTS, ErrorCode

    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != ErrorCode.Name(RESOURCE_ALREADY_EXISTS):
            raise


def version_of(name: str, stored: Any, aliases: Mapping[str, int], line: Timeline) -> ModelVersion:
    """From MLflow's entity; a version that others registered may lack our tags, and then scores no month."""
    tags, version = dict(stored.tags), int(stored.version)
    threshold = tags.get(THRESHOLD)
    own = tuple(sorted((a for a, v in aliases.items() if v == version), key=lambda a: (a != CHAMPION, a)))
    return ModelVersion(
        name=name,
        version=version,
        as_of_month=tags.get(AS_OF_MONTH, ""),
        training_data=tags.get(TRAINING_DATA, ""),
        alias=own[0] if own else None,
        parameters=tags.get(PARAMETERS, ""),
        threshold=float(threshold) if threshold else None,
        run_id=stored.run_id or "",
        gate=found if (found := tags.get(GATE, "")) in get_args(Gate) else "",
        reigns=reigns(line, version),
        aliases=own,
        tags=tags,
    )


def write_reigns(client: "MlflowClient", registered: str, version: ModelVersion, line: Timeline) -> None:
    """The tags that hold a version's times as champion; only what changes is written."""
    own = replace(version, reigns=reigns(line, version.version))
    wanted = {
        REIGNS: ",".join(first for first, _ in own.reigns),
        CHAMPION_FROM: own.champion_from,
        CHAMPION_UNTIL: own.champion_until,
    }
    for key, value in wanted.items():
        if value and version.tags.get(key) != value:
            client.set_model_version_tag(registered, str(version.version), key, value)
        elif not value and key in version.tags:
            client.delete_model_version_tag(registered, str(version.version), key)
