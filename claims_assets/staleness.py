"""Which months would come out differently if they were built now: by content, never by time.

A month is up to date when the contents it was built from are those its inputs have today. So a file that arrives late,
a void that reaches an old month through its chain, or a corrected enrolment makes exactly those months stale whose
inputs changed, and a rebuild that changes nothing stops there. Changes of code are seen only by a table's
`code_version`: ask for the months otherwise.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from claims_assets.inputs import Input
from claims_assets.monitoring.built_months import NOTHING, Built, built
from claims_assets.monitoring.contract_results import WHOLE
from claims_assets.sources.feeds import LANDING
from claims_assets.sources.inventory import contents

if TYPE_CHECKING:
    from claims_assets.runtime.lake import Lake


class Contents:
    """What the tables of a lake hold, as hashes by month; a picture of the moment in which it is made."""

    def __init__(self, lake: "Lake") -> None:
        self._lake = lake
        self._landed: dict[str, dict[str, str]] = {}

    @cached_property
    def _built(self) -> Built:
        return built(self._lake)

    def read_for(
        self, inputs: Iterable[Input], months: Sequence[str] | None, code_version: str | None = None
    ) -> dict[str, str]:
        """Claim month (`all` for an unpartitioned table) -> hash of all contents that its inputs give it now."""
        sources, code = list(inputs), [code_version] if code_version else []
        return {
            month: _digest([*code, *self._lines(sources, month)]) for month in ([WHOLE] if months is None else months)
        }

    def stale(
        self,
        schema: str,
        name: str,
        inputs: Iterable[Input],
        months: Sequence[str] | None,
        code_version: str | None = None,
    ) -> list[str]:
        """Those of `months` (None: the one snapshot, `all`) that were never built, or from other contents."""
        then = self._built.get(f"{schema}.{name}", {})
        now = self.read_for(inputs, months, code_version)
        return [m for m in now if m not in then or then[m]["inputs"] != now[m]]

    def _lines(self, inputs: Iterable[Input], month: str) -> list[str]:
        """One line for each month of each input."""
        lines = []
        for source in inputs:
            held = self._of(source.schema, source.name)
            for m in self._months_of(source, held.keys(), month):
                content = _of_span(held, m) if source.window.by_span and m != WHOLE else held.get(m, NOTHING)
                if source.window.as_known and month != WHOLE:
                    content = self._as_known(source, m, month) or content
                lines.append(f"{source.schema}.{source.name}|{m}|{content}")
        return lines

    def _as_known(self, source: Input, held: str, month: str) -> str | None:
        """What was known of a month of an input at the end of the asked one; None where the input does not tell."""
        row = self._built.get(f"{source.schema}.{source.name}", {}).get(held, {})
        if row.get("known_content") is None:
            return None
        return max((told for told in row["known_content"] if told.partition(" ")[0] <= month), default=NOTHING)

    @staticmethod
    def _months_of(source: Input, held: Collection[str], month: str) -> list[str]:
        if month == WHOLE:
            return [WHOLE] if WHOLE in held else sorted(held)
        if source.window.by_span:
            return source.window.reach([month]) or [month]
        if WHOLE in held:
            return [WHOLE]
        reach = source.window.reach([month])
        return sorted(held) if reach is None else reach

    def _of(self, schema: str, name: str) -> dict[str, str]:
        """Month (`all` for an unpartitioned table) -> hash of the content."""
        if schema == LANDING:
            if name not in self._landed:
                found = contents(Path(self._lake.root), name)
                self._landed[name] = {m or WHOLE: told for m, told in found.items()}
            return self._landed[name]
        return {m: row["fingerprint"] for m, row in self._built.get(f"{schema}.{name}", {}).items()}


def _of_span(held: Mapping[str, str], month: str) -> str:
    """Content of the rows that speak of a month: that of the latest month, up to it, in which they changed."""
    return held.get(max((m for m in held if m <= month), default=""), NOTHING)


def _digest(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
