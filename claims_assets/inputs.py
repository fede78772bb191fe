"""What a table reads: its inputs and how far back each reaches."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import dagster as dg
from pyspark.sql import DataFrame

from claims_assets.partitions import add_months


@dataclass(frozen=True)
class Window:
    """How far back an input reaches: the last `months` claim months up to each asked one; None: all of the table."""

    months: int | None
    by_span: bool = False
    """Of an unpartitioned table: only its rows that speak of a month (`span` of `@table`) matter to that month."""
    lag: int = 0
    """Months left out before the window begins: with a lag of 3, a month reads up to the third month before it."""
    step: int = 1
    """Months from one month of the window to the next: two with a step of 15 are a month and the 15th before it."""
    as_known: bool = False
    """Only what was known by the end of the asked month matters to it (`known` of `@table`): later news change nothing.
    """

    def newest(self, month: str) -> str:
        """The last month that an asked one reads, of a table that is not read whole."""
        return add_months(month, -self.lag)

    def reach(self, months: Sequence[str]) -> list[str] | None:
        """The months to read for the asked ones; None for all of the table."""
        if self.months is None:
            return None
        return sorted({add_months(self.newest(m), -back * self.step) for m in months for back in range(self.months)})

    def reached_by(self, month: str) -> list[str]:
        """The months that read this one; empty for a table read whole, which every month reads."""
        return [add_months(month, self.lag + ahead * self.step) for ahead in range(self.months or 0)]


ThisMonth = Window(1)
LastYear = Annotated[DataFrame, Window(12)]
"""An input read for the twelve claim months up to each asked one."""
LastYearAsKnown = Annotated[DataFrame, Window(12, as_known=True)]
"""The same of an input whose later news a month must not know."""
Whole = Annotated[DataFrame, Window(None)]
"""An input read whole; whatever changes in it concerns every month."""
WholeAsKnown = Annotated[DataFrame, Window(None, as_known=True)]
"""An input read whole of which a month uses what was known by its end; what became known later does not concern it."""
Spans = Annotated[DataFrame, Window(None, by_span=True)]
"""An input read whole whose rows say which months they speak of; a change concerns these months only."""


@dataclass(frozen=True)
class Input:
    """One dependency of a table."""

    parameter: str
    schema: str
    name: str
    window: Window

    @property
    def key(self) -> dg.AssetKey:
        return dg.AssetKey([self.schema, self.name])
