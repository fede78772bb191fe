"""What a plan does not ask for, however stale it is: closed months, and months that stand still.

Elsewhere: the rules themselves (`closed_months.py`, `breaker.py`), the plan (`cli/plan.py`).
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from claims_assets.automation.breaker import Standstill
from claims_assets.automation.closed_months import built_and_closed

if TYPE_CHECKING:
    from claims_assets.runtime.lake import Lake
    from claims_assets.table import Table

LeftAlone = Callable[["Table | None"], Collection[str]]
"""A table (None: a model) -> its months that are not to be asked for; `all` for an unpartitioned table."""


def left_alone(
    lake: "Lake",
    tables: Iterable["Table"],
    universe: Sequence[str],
    *,
    and_closed: bool = False,
    and_bad: bool = False,
) -> LeftAlone:
    """The months as of now: what is built next may change them.

    Args:
        and_closed: closed months are asked for too.
        and_bad: so are those that read a bad month.
    """
    standstill = None if and_bad else Standstill(lake, tables, universe)

    def months(table: "Table | None") -> set[str]:
        if table is None:
            return standstill.months_of_model() if standstill and standstill.bad else set()
        closed = set() if and_closed else built_and_closed(lake, table)
        return closed | (standstill.months(table) if standstill else set())

    return months
