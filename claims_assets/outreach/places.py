"""The candidates of a month as contacts in the order of urgency, and the place that each is given.

Here: from rows to contacts and back, a month at a time and only the columns that decide, as a month's candidates are in
memory together. Elsewhere: which contact gets what (`capacity.py`).
"""

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
    "member_id": "string",
    "claim_month": "string",
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


def places(candidates: DataFrame) -> DataFrame:
    """One row per candidate, with the columns of PLACED.

    Without room a candidate has neither channel nor rank, nor has one who is held out. `within_capacity` is the same
    pass as if nobody were. Households come in the order of their most urgent member, and their contacts together; ties
    break by household and member id.

    Args:
        candidates: members with `is_holdout`, `_household`, `contact_member_id`, `reachable_channels`,
            `outreach_priority_score` and the capacity of the month.
    """
    reachable = F.concat_ws(" ", "reachable_channels").alias("_reachable")
    asked = candidates.select("claim_month", *[reachable if name == "_reachable" else name for name in DECIDES])
    schema = ", ".join(f"{name} {kind}" for name, kind in PLACED.items())
    return asked.groupBy("claim_month").applyInArrow(lambda rows: _of_month(rows), schema)


def _of_month(candidates: "pa.Table") -> "pa.Table":
    import pyarrow as pa

    return pa.table(
        {name: candidates[name] for name in ("member_id", "claim_month")} | placed_in_order(candidates.to_pandas())
    )


def placed_in_order(candidates: "pd.DataFrame") -> "dict[str, pa.Array]":
    """The other columns of PLACED for the candidates of one month, in their order."""
    import numpy as np
    import pyarrow as pa

    members = _in_order(candidates)
    is_next = members[CONTACT].ne(members[CONTACT].shift()).any(axis="columns").to_numpy()  # pyright: ignore[reportAttributeAccessIssue]
    first = members.loc[is_next]
    household = first.groupby("_household", sort=False).ngroup()
    tiers = [tier_of(best) for best in first["_of_contact"]]
    channels = [reachable.split() for reachable in first["_reachable"]]
    contacts = list(map(Contact, household, tiers, channels, first["is_holdout"]))
    month = candidates.iloc[0]
    per_week = {c: int(month[f"{c}_per_week"]) for c in CHANNELS}
    given = placed(contacts, per_week, int(month["weeks"]))
    channel = [p.channel for p in given]
    contact = np.cumsum(is_next) - 1
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
