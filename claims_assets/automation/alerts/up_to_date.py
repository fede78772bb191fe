"""When a table that was not built for long was last found to need no build.

A schedule builds what is stale by content and nothing else, so a table whose inputs stand still is rightly not built.
It is as fresh as what it was built from: where a feed's landing folder was looked at this morning and nothing new was
in it, all that comes of the feed is of this morning.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

import dagster as dg

from claims_assets.partitions import months_between
from claims_assets.sources.feeds import FEEDS, LANDING
from claims_assets.staleness import Contents

if TYPE_CHECKING:
    from claims_assets.runtime.lake import Lake
    from claims_assets.table import Table


def landed_months(lake: "Lake") -> list[str]:
    """From the first to the last claim month that landed."""
    feeds = [feed.name for feed in FEEDS.values() if feed.date_column]
    held = {month for feed in feeds for month in lake.rows_by_month(LANDING, feed) if month}
    return months_between(min(held), max(held)) if held else []


class UpToDate:
    """What stands behind the tables of a lake, at one moment.

    Args:
        last_built: when each asset was last built.
        months: claim months that the tables must hold.
        now: a table that reads no other and needs no build, such as a shipped list of codes, is of this moment.
    """

    def __init__(
        self,
        lake: "Lake",
        tables: Sequence["Table"],
        last_built: Mapping[dg.AssetKey, datetime],
        months: Sequence[str],
        now: datetime,
    ) -> None:
        self._lake, self._last_built, self._months, self._now = lake, last_built, months, now
        self._tables = {t.asset.key: t for t in tables}
        self._found: dict[dg.AssetKey, datetime | None] = {}

    def moments(self, keys: Iterable[dg.AssetKey]) -> dict[dg.AssetKey, datetime]:
        """Asset -> when it was last built, or last found up to date if later; assets never built are left out."""
        return {key: moment for key in keys if (moment := self._moment(key))}

    def _moment(self, key: dg.AssetKey) -> datetime | None:
        if key not in self._found:
            self._found[key] = self._look(key)
        return self._found[key]

    def _look(self, key: dg.AssetKey) -> datetime | None:
        built, table = self._last_built.get(key), self._tables.get(key)
        if built is None or table is None or self._is_stale(table):
            return built
        behind = [self._moment(source.key) for source in table.inputs]
        known = [moment for moment in behind if moment]
        return max(built, min(known, default=self._now)) if len(known) == len(behind) else built

    def _is_stale(self, table: "Table") -> bool:
        months = self._months if table.partitioned else None
        return bool(self._contents.stale(table.schema, table.name, table.inputs, months, table.code_version))

    @cached_property
    def _contents(self) -> Contents:
        return Contents(self._lake)
