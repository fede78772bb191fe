"""The candidates of a month as contacts in the order of urgency, and the place that each is given.

Here: from rows to contacts and back, a month at a time, as Arrow tables: a month's rows are in memory together, about
1 kB each. Elsewhere: which contact gets what (`capacity.py`).
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from claims_assets.outreach.capacity import Contact, better_channels, placed
from claims_assets.outreach.formulas import tier_of
from claims_assets.outreach.policy import CHANNELS

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

SCORE = "outreach_priority_score"
CONTACT = ["_household", "contact_member_id", "_reachable"]
"""What tells contacts of a month apart: members who are reached through one person and the same channels share one."""
URGENCY = {
    "_of_household": False, "_household": True, "_of_contact": False, "contact_member_id": True, "_reachable": True,
    SCORE: False, "member_id": True,
}  # fmt: skip
"""Columns that put the members of a month in order -> whether they ascend."""
CAPACITY = ("weeks", *[f"{c}_per_week" for c in CHANNELS])
DECIDES = ("member_id", "is_holdout", *CONTACT, SCORE, *CAPACITY)
PLACED = {
    "contact_tier": "string",
    "contact_channel": "string",
    "contact_week": "int",
    "also_by_mail": "boolean",
    "letter_week": "int",
    "within_capacity": "boolean",
    "outreach_rank": "int",
    "_better": "array<string>",
}
"""What is told of a place; `_better`: channels that the contact's tier prefers to the one it got."""


def with_places(members: DataFrame, kept: Mapping[str, str]) -> DataFrame:
    """Adds the columns of PLACED, NULL for members who are no candidates.

    Without room a candidate has neither channel nor rank, nor has one who is held out. `within_capacity` is the same
    pass as if nobody were. Households come in the order of their most urgent member, and their contacts together; ties
    break by household and member id.

    Args:
        members: members with `is_holdout`, `_household`, `contact_member_id`, `reachable_channels`,
            `outreach_priority_score`, the capacity of the month, and `_before`, which is NULL for candidates.
        kept: columns of the result -> types.
    """
    reachable = F.concat_ws(" ", "reachable_channels").alias("_reachable")
    more = [name for name in (*DECIDES, "_before") if name not in (*kept, "_reachable")]
    asked = members.select(*[F.col(n).cast(kind).alias(n) for n, kind in kept.items()], *more, reachable)
    schema = ", ".join(f"{name} {kind}" for name, kind in (kept | PLACED).items())
    # Each row goes through, where a join with the places would compute all that was joined so far a second time.
    return asked.groupBy("claim_month").applyInArrow(lambda rows: _of_month(rows, list(kept)), schema)


def _of_month(members: "pa.Table", kept: list[str]) -> "pa.Table":
    """The members of one month with their places."""
    import numpy as np
    import pyarrow as pa

    candidates = members["_before"].is_null().to_numpy()
    found = places(members.filter(pa.array(candidates)).select(DECIDES).to_pandas())
    row = pa.array(np.cumsum(candidates) - 1, mask=~candidates)
    result = members.select(kept)
    for name, values in found.items():
        result = result.append_column(name, values.take(row))
    return result


def places(candidates: "pd.DataFrame") -> "dict[str, pa.Array]":
    """The columns of PLACED for the candidates of one month, in their order."""
    import numpy as np
    import pyarrow as pa

    members = _in_order(candidates)
    is_next = members[CONTACT].ne(members[CONTACT].shift()).any(axis=1)
    first = members[is_next]
    household = first["_household"].ne(first["_household"].shift()).cumsum()
    tiers = [tier_of(best) for best in first["_of_contact"]]
    channels = [reachable.split() for reachable in first["_reachable"]]
    contacts = list(map(Contact, household, tiers, channels, first["is_holdout"]))
    month = next(candidates[list(CAPACITY)].itertuples(), None)
    per_week = {c: getattr(month, f"{c}_per_week", 0) for c in CHANNELS}
    given = placed(contacts, per_week, getattr(month, "weeks", 0))
    channel = [p.channel for p in given]
    contact = is_next.cumsum().to_numpy() - 1
    listed = np.array([c is not None for c in channel], dtype=bool)[contact]
    of_contact = {
        "contact_tier": pa.array(tiers, pa.string()),
        "contact_channel": pa.array(channel, pa.string()),
        "contact_week": pa.array([p.week for p in given], pa.int32()),
        "also_by_mail": pa.array([p.letter_week is not None for p in given], pa.bool_()),
        "letter_week": pa.array([p.letter_week for p in given], pa.int32()),
        "within_capacity": pa.array([p.within_capacity for p in given], pa.bool_()),
        "_better": pa.array(map(better_channels, tiers, channel), pa.list_(pa.string())),
    }
    back = np.argsort(members.index.to_numpy())
    rank = pa.array(np.cumsum(listed), pa.int32(), mask=~listed)
    return {n: values.take(pa.array(contact[back])) for n, values in of_contact.items()} | {
        "outreach_rank": rank.take(pa.array(back))
    }


def _in_order(candidates: "pd.DataFrame") -> "pd.DataFrame":
    """The most urgent household, contact and member first, with the best score of household and contact.

    A score that is missing comes last. The index says where a row was.
    """
    members = candidates.reset_index(drop=True).fillna({SCORE: float("-inf")})
    score = members[SCORE]
    best = members.assign(
        _of_household=score.groupby(members["_household"]).transform("max"),
        _of_contact=score.groupby([members[name] for name in CONTACT]).transform("max"),
    )
    return best.sort_values(list(URGENCY), ascending=list(URGENCY.values()))
