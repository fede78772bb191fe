"""The Dagster asset of an extract: a file of a claim month, from `gold.immunization_targeting`.

Here: what a run does, and which extracts are out of date. Elsewhere: what is in each (one module an extract), how files
are written (`extract_files.py`), who got one (`monitoring/audit_log.py`). A run over several months writes each of
them; what runs by itself asks for the newest month alone (`out_of_date`), because an old list is of no use to callers.
"""

import getpass
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from claims_assets.code_links import link_to
from claims_assets.freshness import policy
from claims_assets.inputs import Input, ThisMonth, Window
from claims_assets.layers import LAKE_POOL, LAYERS
from claims_assets.monitoring.audit_log import EXPORT, Access, record
from claims_assets.outreach.extract_files import Staged, staged
from claims_assets.outreach.extract_folder import ExtractFolder, Manifest, NoKey
from claims_assets.outreach.month_rows import TARGETING, MonthRows, rows_of
from claims_assets.partitions import claim_months
from claims_assets.runtime.lake import Lake
from claims_assets.staleness import Contents

if TYPE_CHECKING:
    import pyarrow as pa

LAYER = LAYERS["outreach"]
SCHEMA = LAYER.folder
"""First part of the keys: a file is no table of the schema gold."""
VERSION = "1"
"""Changes when what was written must be written again."""
OF_MONTH = Input("gold_immunization_targeting", *TARGETING, ThisMonth)


@dataclass(frozen=True)
class Source:
    """What an extract is made of."""

    rows: MonthRows
    lake: Lake
    folder: ExtractFolder


@dataclass(frozen=True)
class Content:
    """Columns and rows of an extract, and what else there is to say of it; no member's value."""

    schema: "pa.Schema"
    batches: "Iterable[pa.RecordBatch]"
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Extract:
    """One extract."""

    name: str
    make: Callable[[Source], Content]
    inputs: tuple[Input, ...] = (OF_MONTH,)

    @property
    def key(self) -> dg.AssetKey:
        return dg.AssetKey([SCHEMA, self.name])

    def read_now(self, lake: Lake, months: Sequence[str]) -> dict[str, str]:
        """Month -> hash of the contents that the extract would be made of now."""
        return Contents(lake).read_for(self.inputs, months, f"{self.name} {VERSION}")


EXTRACTS: dict[dg.AssetKey, Extract] = {}
"""Those declared; full once the definitions are built."""


def extract_asset(
    name: str,
    description: str,
    file: str,
    make: Callable[[Source], Content],
    *,
    phi: str,
    also_reads: Sequence[Input] = (),
) -> dg.AssetsDefinition:
    """The asset `outreach/<name>`.

    Args:
        file: `__file__` of the module that declares it.
        phi: a tag: restricted (named members), limited, or none.
        also_reads: tables beside the targeting.
    """
    extract = Extract(name, make, (OF_MONTH, *also_reads))
    EXTRACTS[extract.key] = extract

    @dg.asset(
        key=extract.key,
        group_name=LAYER.folder,
        description=description,
        deps=[dg.AssetDep(i.key, partition_mapping=_mapping(i.window)) for i in extract.inputs],
        partitions_def=claim_months,
        backfill_policy=dg.BackfillPolicy.single_run(),
        freshness_policy=policy(LAYER.cadence),
        owners=[LAYER.owner],
        tags={"phi": phi, "domain": "outreach", "compute": LAYER.compute},
        kinds={"csv", "parquet"},
        metadata=link_to(Path(file)),
        required_resource_keys={"spark", "lake", "extracts", LAYER.launcher},
        pool=LAKE_POOL,
    )
    def step(context: dg.AssetExecutionContext):
        resources = context.resources
        if elsewhere := getattr(resources, LAYER.launcher):
            yield from elsewhere.run(context)
            return
        if resources.lake.engine == "spark":
            _ = resources.spark.spark_session  # it writes the record
        for month in sorted(context.partition_keys):
            metadata = write(extract, month, resources.lake, resources.extracts, context.run.run_id, datetime.now(UTC))
            context.add_asset_metadata(metadata, asset_key=context.asset_key, partition_key=month)
            context.log.info(f"{month}: {metadata['dagster/partition_row_count']} rows")
        yield dg.MaterializeResult()

    return step


def _mapping(window: Window) -> dg.PartitionMapping | None:
    return None if window.months == 1 else dg.AllPartitionMapping()


def write(
    extract: Extract, month: str, lake: Lake, folder: ExtractFolder, run_id: str | None, now: datetime
) -> dict[str, Any]:
    """Write the month's files, record the export, put them in place; the metadata.

    Raises:
        dg.Failure: the extract can't be made; the files of before stay.
    """
    inputs = extract.read_now(lake, [month])[month]
    place = folder.of_month(extract.name, month)
    try:
        with rows_of(lake, month) as rows:
            content = extract.make(Source(rows, lake, folder))
            with staged(place, extract.name, content.schema, content.batches) as files:
                record(lake, _accesses(extract.name, month, files, run_id, now))
                files.put_in_place()
    except NoKey as why:
        raise dg.Failure(description=str(why), allow_retries=False) from why
    folder.keep(Manifest(extract.name, month, files.rows, files.columns, inputs, files.sha256))
    return {
        "dagster/partition_row_count": files.rows,
        "folder": dg.MetadataValue.path(str(place)),
        "columns": ", ".join(files.columns),
        **{f"sha256_{kind}": told for kind, told in files.sha256.items()},
        **content.metadata,
    }


def _accesses(name: str, month: str, files: Staged, run_id: str | None, now: datetime) -> list[Access]:
    about = f"materialization of {SCHEMA}/{name}"
    return [
        Access(
            recorded_at=now,
            actor=getpass.getuser(),
            action=EXPORT,
            object=f"{SCHEMA}/{name}.{kind}",
            claim_month=month,
            rows=files.rows,
            columns=files.columns,
            sha256=told,
            purpose=about,
            run_id=run_id,
        )
        for kind, told in files.sha256.items()
    ]


def folder_beside(lake: Lake) -> ExtractFolder:
    """Where the extracts of a lake are, to look at."""
    return ExtractFolder(folder=str(Path(lake.root).parent / "extracts"))


def is_extract(key: dg.AssetKey) -> bool:
    """Whether the asset is an extract."""
    return key.path[0] == SCHEMA


def out_of_date(key: dg.AssetKey, lake: Lake, folder: ExtractFolder, months: Sequence[str]) -> list[str]:
    """The newest of the months, if the extract would come out differently now; an old one is asked for by hand."""
    if not months:
        return []
    newest, extract = max(months), EXTRACTS[key]
    kept = folder.manifest(extract.name, newest)
    is_new = kept is None or kept.inputs != extract.read_now(lake, [newest])[newest]
    return [newest] if is_new and newest in lake.rows_by_month(*TARGETING) else []
