"""The claim month of a landed row, and the reasons for which a row belongs to no month that is kept."""
# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions at import, where pyright can't see them)

import datetime as dt
import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

IN_SCOPE, NOT_FUTURE = "claim_month_is_in_scope", "claim_month_is_not_in_the_future"
LINE_IS_A_RECORD = "line_is_a_record"
ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def is_readable(date_column: str) -> str:
    """Name of the rule that the date of a row can be read."""
    return f"{date_column}_is_readable"


def claim_months(dates: "pa.Array") -> "pa.Array":
    """YYYY-MM of each ISO date that the calendar knows; NULL for any other text."""
    import pyarrow as pa
    import pyarrow.compute as pc

    coded = pc.dictionary_encode(dates)
    return pc.take(pa.array([_month(d) for d in coded.dictionary.to_pylist()], pa.string()), coded.indices)


@lru_cache(100_000)
def _month(date: str | None) -> str | None:
    if date is None or not ISO_DATE.fullmatch(date):
        return None
    try:
        return dt.date.fromisoformat(date).isoformat()[:7]
    except ValueError:
        return None


def reasons(
    months: "pa.Array", received: "pa.Array", date_column: str, start_month: str, latest_month: str
) -> "pa.Array":
    """The rule each row breaks, NULL for a row that stays.

    Args:
        months: claim month of each row.
        received: month of receipt of each row where it is known; `latest_month` stands in elsewhere.
    """
    import pyarrow.compute as pc

    horizon = pc.fill_null(received, latest_month)
    late = pc.if_else(pc.greater(months, horizon), NOT_FUTURE, None)
    broken = pc.if_else(pc.less(months, start_month), IN_SCOPE, late)
    return pc.if_else(pc.is_null(months), is_readable(date_column), broken)
