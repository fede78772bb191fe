"""Who commits to Delta tables: delta-rs beside Sail, Spark itself where the engine is Spark.

Both keep the same promises. Rows replace exactly the values asked for, in one commit; a row outside them, and a NULL
in a required column, raise; columns, order and nullability are the contract's. What a table holds is read from its log
in `runtime/delta.py`, for both.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pyspark.sql import functions as F

from claims_assets.runtime.delta import delta_exists, schema_change
from claims_assets.runtime.spark import current_session
from claims_assets.runtime.stage import REASONS, stream
from claims_assets.settings import Engine

if TYPE_CHECKING:
    import pyarrow
    from pyspark.sql import DataFrame
    from pyspark.sql.types import StructType

COMMITS_A_CHECKPOINT = 10
"""Reading a log of fifty commits takes longer than writing a month of a small table. delta-rs itself waits for 100."""

Where = Mapping[str, Sequence[str]]
"""Column -> values; a row belongs to it when every column holds one of its values."""


@dataclass(frozen=True)
class StagedRows:
    """The kept, or the set-aside, rows of a stage, with exactly these columns."""

    folder: Path
    schema: "pyarrow.Schema"
    kept: bool


class DeltaWriter(Protocol):
    """Commits to Delta tables."""

    def replace(
        self, path: Path, rows: "StagedRows | pyarrow.Table", partition: str | None, where: Where | None
    ) -> None:
        """Replace the rows of `where` (None: every row) by `rows`, in one commit; a missing table is made.

        Raises:
            ContractChanged: the stored columns are not those of `rows`, and only part of the table was to be rewritten.
            Exception: the engine's own, where rows lie outside `where` or lack a required value.
        """
        ...


class DeltaRsWriter:
    """delta-rs: streams the rows; needs no JVM."""

    def replace(
        self, path: Path, rows: "StagedRows | pyarrow.Table", partition: str | None, where: Where | None
    ) -> None:
        """See `DeltaWriter.replace`."""
        from deltalake import write_deltalake

        exists = delta_exists(path)
        predicate = _predicate(where) if exists and where else None
        write_deltalake(
            str(path),
            stream(rows.folder, rows.schema, kept=rows.kept) if isinstance(rows, StagedRows) else rows,
            mode="overwrite",
            partition_by=[partition] if partition else None,
            predicate=predicate,
            schema_mode=schema_change(path, rows.schema, whole=predicate is None) if exists else None,
        )


class SparkWriter:
    """The Spark session of this process, on this machine or on a cluster."""

    def replace(
        self, path: Path, rows: "StagedRows | pyarrow.Table", partition: str | None, where: Where | None
    ) -> None:
        """See `DeltaWriter.replace`."""
        from pyspark.sql.pandas.types import from_arrow_schema

        wanted = from_arrow_schema(rows.schema)
        if not delta_exists(path):
            current_session().sql(_create(path, wanted, partition))
        change = schema_change(path, rows.schema, whole=where is None)
        options = {"replaceWhere": _predicate(where)} if where else {}
        if change:
            # An overwritten schema loses its NOT NULL, which Spark states at creation only; the stage has checked it.
            options["mergeSchema" if change == "merge" else "overwriteSchema"] = "true"
        _frame(rows, wanted).write.format("delta").mode("overwrite").options(**options).save(str(path))


def writer_for(engine: Engine) -> DeltaWriter:
    """The writer of an engine."""
    return SparkWriter() if engine == "spark" else DeltaRsWriter()


def _predicate(where: Where) -> str:
    """The values are listed: a range from the smallest to the largest would also delete what lies between."""
    return " and ".join(f"{column} in ({', '.join(repr(v) for v in values)})" for column, values in where.items())


def _create(path: Path, columns: "StructType", partition: str | None) -> str:
    """Only a CREATE TABLE states NOT NULL. Without deletion vectors every other reader counts the rows right."""
    listed = ", ".join(f"`{f.name}` {f.dataType.simpleString()}{'' if f.nullable else ' not null'}" for f in columns)
    partitioned = f" partitioned by ({partition})" if partition else ""
    return (
        f"create table if not exists delta.`{path}` ({listed}) using delta{partitioned}"
        " tblproperties ('delta.enableDeletionVectors' = 'false')"
    )


def _frame(rows: "StagedRows | pyarrow.Table", wanted: "StructType") -> "DataFrame":
    if not isinstance(rows, StagedRows):
        return current_session().createDataFrame(rows)
    reasons = F.size(REASONS)
    stage = current_session().read.parquet(str(rows.folder)).where(reasons == 0 if rows.kept else reasons > 0)
    return stage.select(*[F.col(f.name).cast(f.dataType).alias(f.name) for f in wanted])
