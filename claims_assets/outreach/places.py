"""The candidates of a month as contacts in the order of urgency, and the place that each is given.

Here: from rows to contacts and back, a month at a time and as numbers, so that a month of a million members needs some
tens of megabytes. Elsewhere: which contact gets what (`capacity.py`).
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from claims_assets.outreach.capacity import Contact, Place, placed
from claims_assets.outreach.formulas import by_tier
from claims_assets.outreach.policy import CHANNELS

if TYPE_CHECKING:
    import pyarrow

CONTACT = ("claim_month", "_household", "contact_member_id", "_reachable")
"""What tells contacts apart: members who are reached through one person and the same channels share one."""
CAPACITY = ("weeks", *[f"{c}_per_week" for c in CHANNELS])
ROWS_AT_ONCE = 50_000
PLACED = (
    "member_id string, claim_month string, contact_tier string, contact_channel string, contact_week int,"
    " also_by_mail boolean, letter_week int, within_capacity boolean, outreach_rank int"
)


def places(candidates: DataFrame) -> DataFrame:
    """One row per candidate, with the columns of PLACED.

    Without room a candidate has neither channel nor rank, nor has one who is held out. `within_capacity` is the same
    pass as if nobody were. Households come in the order of their most urgent member, and their contacts together; ties
    break by household and member id.

    Args:
        candidates: members with `is_holdout`, `_household`, `contact_member_id`, `reachable_channels`,
            `outreach_priority_score` and the capacity of the month.
    """
    piece = F.struct("_place", "_contact", "_number", "contact_tier", "_reachable", "is_holdout", "member_id")
    return (
        _in_order(candidates)
        .groupBy("claim_month", *CAPACITY)
        .agg(F.collect_list(piece).alias("members"))
        .mapInArrow(_batches, PLACED)
    )


def _in_order(candidates: DataFrame) -> DataFrame:
    """`_place` of each member, `_contact` and `_number` of its contact and household, all 1 first and by month."""
    named = candidates.select(
        "claim_month",
        "member_id",
        "is_holdout",
        "_household",
        "contact_member_id",
        "outreach_priority_score",
        *CAPACITY,
        F.concat_ws(" ", "reachable_channels").alias("_reachable"),
    )
    household = F.max("outreach_priority_score").over(Window.partitionBy("claim_month", "_household"))
    contact = F.max("outreach_priority_score").over(Window.partitionBy(*CONTACT))
    best = named.withColumns({"_first": household, "_best": contact})
    month = Window.partitionBy("claim_month")
    of_household = [F.desc("_first"), F.asc("_household")]
    of_contact = [*of_household, F.desc("_best"), F.asc("contact_member_id"), F.asc("_reachable")]
    of_member = [*of_contact, F.desc("outreach_priority_score"), F.asc("member_id")]
    return best.withColumns(
        {
            "_number": F.dense_rank().over(month.orderBy(*of_household)),
            "_contact": F.dense_rank().over(month.orderBy(*of_contact)),
            "_place": F.row_number().over(month.orderBy(*of_member)),
            "contact_tier": by_tier(1, "_best"),
        }
    )


def _batches(batches: "Iterator[pyarrow.RecordBatch]") -> "Iterator[pyarrow.RecordBatch]":
    import pyarrow as pa

    kinds = {"string": pa.string(), "int": pa.int32(), "boolean": pa.bool_()}
    schema = pa.schema([(name, kinds[kind]) for name, kind in (c.split() for c in PLACED.split(","))])
    for batch in batches:
        for n in range(batch.num_rows):
            of_month = {name: batch.column(name)[n] for name in ("claim_month", *CAPACITY)}
            members = sorted(batch.column("members")[n].as_py(), key=lambda m: m["_place"])
            rows = _rows({name: value.as_py() for name, value in of_month.items()}, members)
            for start in range(0, len(rows), ROWS_AT_ONCE):
                some = rows[start : start + ROWS_AT_ONCE]
                arrays = [pa.array([row[i] for row in some], field.type) for i, field in enumerate(schema)]
                yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def _rows(month: dict[str, Any], members: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """The columns of PLACED, for the members of one month in the order of urgency."""
    contacts: dict[int, Contact] = {}
    for m in members:
        if m["_contact"] not in contacts:
            channels = tuple(m["_reachable"].split())
            contacts[m["_contact"]] = Contact(m["_number"], m["contact_tier"], channels, m["is_holdout"])
    per_week = {c: month[f"{c}_per_week"] for c in CHANNELS}
    given = dict(zip(contacts, placed(list(contacts.values()), per_week, month["weeks"]), strict=True))
    rows, rank = [], 0
    for m in members:
        place = given[m["_contact"]]
        rank += place.channel is not None
        rows.append(_row(m, month["claim_month"], place, rank))
    return rows


def _row(member: dict[str, Any], month: str, place: Place, rank: int) -> tuple[Any, ...]:
    return (
        member["member_id"],
        month,
        member["contact_tier"],
        place.channel,
        place.week,
        place.letter_week is not None,
        place.letter_week,
        place.within_capacity,
        rank if place.channel else None,
    )
