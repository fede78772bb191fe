"""The landing assets: one table `landing.<feed>` a feed, refreshed from its files or the provider database.

Here: the Dagster face of the stage, and the one place of the project that reads the clock. Elsewhere: the work
(`stage.py`), the judgement beforehand (`preflight.py`), the provider database (`provider_database.py`).
"""

import datetime as dt
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg

from claims_assets.code_links import link_to
from claims_assets.freshness import policy
from claims_assets.layers import LAKE_POOL, LAYERS
from claims_assets.runtime.memory import told
from claims_assets.sources.auto_loader import AUTO_LOADED, AutoLoader
from claims_assets.sources.feeds import FEEDS, LANDING, SOURCE_LINE, Feed, LandingError
from claims_assets.sources.folder import FilesOf, files_by_path
from claims_assets.sources.inventory import contents
from claims_assets.sources.mapping import Mapping
from claims_assets.sources.preflight import preflight
from claims_assets.sources.provider_database import ProvidersUnreachable, check_reachable, has_table, read_table
from claims_assets.sources.provider_server import embedded_or
from claims_assets.sources.refreshed import Refreshed
from claims_assets.sources.stage import DATABASE, refresh, stage_table

LAYER = LAYERS["sources"]
NOTHING_IS_LOST = "nothing_is_lost"
NAMES_SHOWN = 20
"""Files named in metadata and log; a first load may bring thousands."""
ABOUT_COLUMNS = {
    "source_file": "Landing file, relative to the landing folder, or the database table.",
    SOURCE_LINE: "Physical line (CSV, header = 1) or record number from 1 (Avro, Parquet, database).",
    "received_month": "Month in which the record was received, where the mapping says how to tell.",
    "_rescued_data": "Values of columns that the feed does not know, as JSON.",
    "_raw": "The record as it came, as JSON, where the mapping rewrote a value.",
    "claim_month": "Month of the service or fill date.",
    "file_key": "First 16 hex digits of the SHA-256 of source_file.",
}


class LandingZone(dg.ConfigurableResource):
    """Where landing files lie and how far back claims are kept."""

    folder: str
    lake_root: str
    start_month: str
    providers_url: str | None = None
    """The provider database; None: the embedded server, where it holds providers."""
    postgres: str | None = None
    """Data directory of the embedded server; it is asked only once it exists."""
    arrival_month: str | None = None
    """Month of this refresh; None takes the current month, UTC."""
    streams: str | None = None
    """Folder of Auto Loader's streams; None: files are found by listing their folder."""
    file_events: bool = False
    """Whether Auto Loader is told of new files by the storage, instead of listing."""

    def latest_month(self) -> str:
        """The month in which files that are met now have arrived."""
        return self.arrival_month or f"{dt.datetime.now(dt.UTC):%Y-%m}"

    def check(self) -> None:
        """Everything that can be known to be wrong beforehand; see `preflight`."""
        url = self.providers_url
        preflight(
            Path(self.folder),
            check_providers=(lambda table: check_reachable(url, table)) if url else None,
            files_of=self._files_met,
        )

    def refresh(self, feed: str, log: Any) -> Refreshed:
        """Refresh the stage of a feed; provider files go before the provider database."""
        landing, lake = Path(self.folder), Path(self.lake_root)
        months = {"start_month": self.start_month, "latest_month": self.latest_month()}
        mapping = Mapping.load(landing, feed)
        if feed == "providers" and self._has_database() and not files_by_path(landing, feed, mapping):
            with embedded_or(self.providers_url, Path(self.postgres or "")) as url:
                # The embedded server may have been started and never loaded; a configured one must hold the table.
                found = bool(self.providers_url) or has_table(url, mapping.table)
                rows = read_table(url, mapping.table) if found else None
            if rows is not None:
                return stage_table(feed, rows, f"{DATABASE}{mapping.table}", landing, lake, **months, progress=log.info)
        return refresh(feed, landing, lake, **months, progress=log.info, files_of=self._finder(feed))

    def _finder(self, feed: str) -> FilesOf:
        if self.streams and feed in AUTO_LOADED:
            return AutoLoader(Path(self.streams), self.file_events).files_by_path
        return files_by_path

    def _files_met(self, landing: Path, feed: str, mapping: Mapping) -> dict[str, Path]:
        """Without running a stream, which another step may be doing."""
        if self.streams and feed in AUTO_LOADED:
            return AutoLoader(Path(self.streams), self.file_events).files_met(landing, feed, mapping)
        return files_by_path(landing, feed, mapping)

    def _has_database(self) -> bool:
        return bool(self.providers_url) or bool(self.postgres and Path(self.postgres).exists())


def _landing_asset(feed: Feed) -> dg.AssetsDefinition:
    key = dg.AssetKey([LANDING, feed.name])

    @dg.asset(
        key=key,
        group_name=LAYER.folder,
        description=f"{feed.description}\n\nAll columns as text. Grain: source_file, source_line.",
        owners=[LAYER.owner],
        tags={
            "domain": feed.domain,
            "phi": "none" if feed.name == "providers" else "identified",
            "compute": LAYER.compute,
        },
        kinds={"deltalake"},
        pool=LAKE_POOL,
        metadata={"dagster/column_schema": _column_schema(feed), "dagster/table_name": f"{LANDING}.{feed.name}"}
        | link_to(Path(__file__).with_name("feeds.py")),
        freshness_policy=policy(LAYER.cadence),
        check_specs=[
            dg.AssetCheckSpec(
                NOTHING_IS_LOST,
                asset=key,
                blocking=True,
                description="Every record and line that was read is in the stage or in its quarantine.",
            )
        ],
        required_resource_keys={"landing", LAYER.launcher},
    )
    def step(context: dg.AssetExecutionContext) -> Iterator[Any]:
        if elsewhere := getattr(context.resources, LAYER.launcher):
            yield from elsewhere.run(context)
            return
        zone: LandingZone = context.resources.landing
        try:
            with told(f"{LANDING}.{feed.name}"):
                zone.check()
                found = zone.refresh(feed.name, context.log)
        except (LandingError, ProvidersUnreachable) as error:
            raise dg.Failure(description=str(error)) from None
        yield from _report(context, key, found, _version(zone, feed))

    return step


def _version(zone: LandingZone, feed: Feed) -> dg.DataVersion:
    """Of the content: a refresh that finds nothing new makes nothing after it stale in the UI."""
    told = contents(Path(zone.lake_root), feed.name)
    return dg.DataVersion(hashlib.sha256("\n".join(f"{m} {h}" for m, h in sorted(told.items())).encode()).hexdigest())


def _column_schema(feed: Feed) -> dg.TableSchema:
    columns = []
    for name in feed.stage_schema().names:
        kind = "bigint" if name == SOURCE_LINE else "string"
        required = " Required." if name in feed.required else ""
        about = ABOUT_COLUMNS.get(name, f"As it came, text.{required}")
        columns.append(dg.TableColumn(name, kind, description=about))
    return dg.TableSchema(columns=columns)


def _report(
    context: dg.AssetExecutionContext, key: dg.AssetKey, found: Refreshed, version: dg.DataVersion
) -> Iterator[Any]:
    """What the refresh found, in the log and as metadata: names of files and counts, no value of a row."""
    context.log.info(_summary(found))
    check = dg.AssetCheckResult(
        check_name=NOTHING_IS_LOST,
        asset_key=key,
        passed=found.nothing_is_lost,
        metadata={
            "rows in": found.rows_in,
            "rows staged": found.rows_staged,
            "rows quarantined": found.rows_quarantined,
        },
    )
    if not found.nothing_is_lost:
        yield check
        raise dg.Failure(
            description=f"{found.feed}: {found.rows_in} rows read, but {found.rows_staged} staged and"
            f" {found.rows_quarantined} quarantined (did another refresh run at the same time?): materialize it again."
        )
    yield dg.MaterializeResult(asset_key=key, metadata=_metadata(found), check_results=[check], data_version=version)


def _summary(found: Refreshed) -> str:
    if not found.seen:
        return f"{found.feed}: no files, so the table is empty; that is fine for an optional feed"
    return (
        f"{found.feed}: {found.seen} files ({len(found.new)} new, {len(found.changed)} changed,"
        f" {len(found.removed)} removed, {found.unchanged} unchanged, {len(found.duplicates)} duplicates,"
        f" {len(found.empty)} empty); {found.rows_staged} rows staged, {found.rows_quarantined} quarantined;"
        f" {len(found.touched_months)} months touched"
    )


def _metadata(found: Refreshed) -> dict[str, Any]:
    reasons = "\n".join(f"| {reason} | {n:,} |" for reason, n in found.quarantined_by_reason.items())
    return {
        "dagster/row_count": found.rows_staged,
        "summary": _summary(found),
        "files": found.seen,
        "files new": _names(found.new),
        "files changed": _names(found.changed),
        "files removed": _names(found.removed),
        "files with the content of another": _names(found.duplicates),
        "files empty": _names(found.empty),
        "bytes": found.bytes,
        "rows in": found.rows_in,
        "rows quarantined": found.rows_quarantined,
        "quarantined by reason": dg.MetadataValue.md(
            f"| reason | rows |\n|---|--:|\n{reasons}" if reasons else "None."
        ),
        "touched months": ", ".join(found.touched_months) or "none",
    }


def _names(paths: tuple[str, ...]) -> str:
    more = f" and {len(paths) - NAMES_SHOWN} more" if len(paths) > NAMES_SHOWN else ""
    return (", ".join(paths[:NAMES_SHOWN]) + more) or "none"


landing_assets = [_landing_asset(feed) for feed in FEEDS.values()]
