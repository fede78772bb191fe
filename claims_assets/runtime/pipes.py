"""Steps in another process through Dagster Pipes: for serverless workspaces and for those without a DBFS root.

Here: what a step sends there and makes of what comes back. Elsewhere: the program that runs there (`pipes_entry.py`),
which workspace and how (`pipes_workspace.py`). A step differs in nothing else: the other process runs the same asset
with the same resources, this one keeps the event log. So lineage and data versions are those of a local run, which a
step launcher's are not.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
from dagster import PipesClientCompletedInvocation
from dagster._core.errors import DagsterPipesExecutionError

ASSET, MONTHS, CONFIG, TAGS, ENVIRONMENT, SECRETS = "asset", "months", "config", "tags", "environment", "secrets"
"""What is sent: the extras of the Pipes context."""
MONTH, METADATA, FAILURE = "month", "metadata", "failure"
"""What comes back beside Pipes' own messages, which know no partition."""
OF_DAGSTER = "dagster/"
ASKED_BY = "claims/run_id"
"""Tag of the run there: the run that asked for it, which is the one that anybody can look up."""


@dataclass(frozen=True)
class PipesCompute:
    """Runs a step in another process and reports it here as if it had run in this one."""

    submit: Callable[..., PipesClientCompletedInvocation]
    """`submit(context=, extras=)`: the `run` of a Pipes client that starts `pipes_entry` and waits for its end."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables of the other process; readable there by anyone, so none is a secret."""
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Variable of the other process -> `scope/key` of the workspace's secret that it gets there."""

    def run(self, context: dg.AssetExecutionContext, tags: Mapping[str, str] | None = None) -> Iterator[Any]:
        """The events of the step.

        Args:
            tags: of the run there, beside the tags of this run that are not Dagster's.

        Raises:
            dg.Failure: the step failed there, or the other process ended without saying how.
        """
        try:
            told = self.submit(context=context.op_execution_context, extras=self._asked(context, tags or {}))
        except DagsterPipesExecutionError as error:
            raise dg.Failure(_broken_off(context, error)) from None
        results = told.get_results(implicit_materializations=False)
        checks = [r for r in results if isinstance(r, dg.AssetCheckResult)]
        messages = told.get_custom_messages()
        failed = [m[FAILURE] for m in messages if FAILURE in m]
        done = [r for r in results if isinstance(r, dg.MaterializeResult)]
        if failed or not done:
            yield from checks
            raise dg.Failure(failed[0] if failed else _silence(context))
        for message in messages:
            context.add_asset_metadata(
                _given(message[METADATA]), asset_key=context.asset_key, partition_key=message[MONTH]
            )
        yield dg.MaterializeResult(metadata=told.metadata, check_results=checks)

    def _asked(self, context: dg.AssetExecutionContext, tags: Mapping[str, str]) -> dict[str, Any]:
        own = {name: value for name, value in context.run.tags.items() if not name.startswith(OF_DAGSTER)}
        return {
            ASSET: context.asset_key.to_user_string(),
            MONTHS: sorted(context.partition_keys) if context.has_partition_key_range else [],
            CONFIG: context.op_execution_context.op_config,
            TAGS: own | dict(tags) | {ASKED_BY: context.run.run_id},
            ENVIRONMENT: dict(self.environment),
            SECRETS: dict(self.secrets),
        }


def _broken_off(context: dg.AssetExecutionContext, error: DagsterPipesExecutionError) -> str:
    reason = str(error).removeprefix("Error running Databricks job: ").rstrip(".")
    return (
        f"{context.asset_key.to_user_string()} could not be run there ({reason}): see that run's own log; a commit is"
        " all or nothing, so the step can be materialized again."
    )


def _silence(context: dg.AssetExecutionContext) -> str:
    return (
        f"The process of {context.asset_key.to_user_string()} ended without saying how: see its own log; a commit is"
        " all or nothing, so the step can be materialized again."
    )


LINEAGE = "column_lineage"
"""A type of metadata that Pipes does not know; in our own messages alone."""
KINDS = {dg.MarkdownMetadataValue: "md", dg.UrlMetadataValue: "url", dg.JsonMetadataValue: "json"}


def told(metadata: Mapping[str, dg.MetadataValue]) -> dict[str, Any]:
    """Metadata as Pipes sends it; what Pipes has no name for goes as the text or number that it is."""
    return {n: _told(v) for n, v in metadata.items()}


def _told(value: dg.MetadataValue) -> dict[str, Any]:
    if isinstance(value, dg.TableColumnLineageMetadataValue):
        return {"raw_value": dg.serialize_value(value), "type": LINEAGE}
    return {"raw_value": value.value, "type": KINDS.get(type(value), "__infer__")}


def _given(metadata: Mapping[str, Any]) -> dict[str, Any]:
    kinds: dict[str, Callable[[Any], Any]] = {
        "md": dg.MetadataValue.md,
        "url": dg.MetadataValue.url,
        "json": dg.MetadataValue.json,
        LINEAGE: dg.deserialize_value,
    }
    return {n: kinds.get(v["type"], lambda raw: raw)(v["raw_value"]) for n, v in metadata.items()}
