"""Who is contacted, through which channel and in which week, when a week has room for so many contacts of each kind.

Here: one pass over the candidates of a month in the order of urgency, as windows. A contact is one person to be reached
through one channel; it may serve several members, such as a mother and her children. In that order each contact takes
the first channel of its preference that has room, and a call of the most urgent tier a letter too. As the order is one
for all channels, a channel that is full stays full for all later contacts: so the pass is found by asking which channel
is full first, from where on the others choose again, as often as there are channels. Elsewhere: who is a candidate
(`standing.py`), tiers (`formulas.py`).
"""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from claims_assets.outreach.formulas import TIERS, by_tier
from claims_assets.outreach.outreach_policy import per_week
from claims_assets.outreach.policy import CHANNELS

PHONE, MAIL, EMAIL, PORTAL = CHANNELS
PREFERENCES = {
    TIERS[0][1]: (PHONE, MAIL, EMAIL, PORTAL),
    TIERS[1][1]: (PHONE, MAIL, EMAIL, PORTAL),
    TIERS[2][1]: (MAIL, EMAIL, PORTAL, PHONE),
    TIERS[3][1]: (EMAIL, PORTAL, MAIL, PHONE),
}
"""Tier -> channels, best first: that of the tier's recommended contact, then the next. A call is what is scarce, so it
comes last for those who are not urgent."""
NEVER = 2_000_000_000
"""Later than any place."""
LETTER_TIER = TIERS[0][1]
"""Its recommended contact is a call and a letter."""

CONTACT = ("claim_month", "_household", "contact_member_id", "_reachable")
"""What tells contacts apart: members who are reached through one person and the same channels share one."""
PLACED = ("contact_tier", "contact_channel", "within_capacity", "contact_week", "also_by_mail", "letter_week")
CAPACITY = ("weeks", *[f"{c}_per_week" for c in CHANNELS])


def places(candidates: DataFrame) -> DataFrame:
    """One row per candidate: `member_id`, `claim_month`, the columns PLACED and `outreach_rank`.

    Without room a candidate has neither channel nor rank, nor has one who is held out. `within_capacity` is the same
    pass as if nobody were. Households come in the order of their most urgent member, and their contacts together; ties
    break by household and member id.

    Args:
        candidates: members with `is_holdout`, `_household`, `contact_member_id`, `reachable_channels`,
            `outreach_priority_score` and the capacity of the month.
    """
    narrow = candidates.select(
        "member_id", "is_holdout", "outreach_priority_score", *CAPACITY, *CONTACT[:-1],
        F.concat_ws(" ", "reachable_channels").alias("_reachable"),
    )  # fmt: skip
    contacts = _in_order(narrow)
    everybody = _chosen(contacts, F.lit(True)).withColumn("within_capacity", F.col("contact_channel").isNotNull())
    invited = _chosen(everybody, ~F.col("is_holdout")).transform(_with_weeks).select(*CONTACT, "_place", *PLACED)
    told = narrow.select("member_id", "outreach_priority_score", *CONTACT).join(invited, list(CONTACT))
    listed = F.col("contact_channel").isNotNull()
    in_order = Window.partitionBy("claim_month").orderBy(
        F.desc("_listed"), "_place", F.desc("outreach_priority_score"), "member_id"
    )
    ranked = told.withColumn("_listed", listed).withColumn("_rank", F.row_number().over(in_order))
    rank = F.when(F.col("_listed"), F.col("_rank"))
    return ranked.select("member_id", "claim_month", *PLACED, rank.alias("outreach_rank"))


def _in_order(candidates: DataFrame) -> DataFrame:
    """The contacts, with `_place` in the order of urgency, 1 first."""
    best = [F.max(name).alias(name) for name in ("outreach_priority_score", "is_holdout", *CAPACITY)]
    household = F.max("outreach_priority_score").over(Window.partitionBy("claim_month", "_household"))
    urgency = Window.partitionBy("claim_month").orderBy(
        F.desc("_best"), "_household", F.desc("outreach_priority_score"), "contact_member_id", "_reachable"
    )
    return (
        candidates.groupBy(*CONTACT)
        .agg(*best)
        .withColumns({"_best": household, "contact_tier": by_tier(1)})
        .withColumn("_place", F.row_number().over(urgency))
        .drop("_best", "outreach_priority_score")
    )


def _chosen(ordered: DataFrame, takes_part: Column) -> DataFrame:
    """Adds `contact_channel` of each contact that takes part, NULL where there is no room, and `also_by_mail`.

    Each round finds the place from which on one more channel is full, of those that are not yet the earliest.
    """
    month = Window.partitionBy("claim_month")
    frame = ordered.withColumns({"_part": takes_part, **{f"_full_{c}": F.lit(NEVER) for c in CHANNELS}})
    for _ in CHANNELS:
        frame = frame.withColumn("contact_channel", _first_open()).withColumn("also_by_mail", _letter())
        frame = frame.withColumns({f"_taken_{c}": _taken_so_far(c) for c in CHANNELS})
        over = {c: F.when(_takes(c) & (F.col(f"_taken_{c}") > _room(c)), F.col("_place")) for c in CHANNELS}
        frame = frame.withColumns({f"_over_{c}": F.min(place).over(month) for c, place in over.items()})
        earliest = F.least(*[F.coalesce(f"_over_{c}", F.lit(NEVER)) for c in CHANNELS])
        frame = frame.withColumn("_earliest", earliest).withColumns({f"_full_{c}": _now_full(c) for c in CHANNELS})
    chosen = frame.withColumn("contact_channel", _first_open()).withColumn("also_by_mail", _letter())
    return chosen.drop("_part", "_earliest", *[f"_{n}_{c}" for n in ("full", "taken", "over") for c in CHANNELS])


def _first_open() -> Column:
    """The first channel of the contact's preference that is reachable and not full at its place."""
    choice = F.lit(None).cast("string")
    for tier, channels in PREFERENCES.items():
        best = F.lit(None).cast("string")
        for c in reversed(channels):
            best = F.when(_is_open(c), F.lit(c)).otherwise(best)
        choice = F.when(F.col("contact_tier") == tier, best).otherwise(choice)
    return F.when(F.col("_part"), choice)


def _letter() -> Column:
    """A letter beside the call."""
    by_phone = F.coalesce(F.col("contact_channel") == PHONE, F.lit(False))
    return by_phone & (F.col("contact_tier") == LETTER_TIER) & _is_open(MAIL)


def _is_open(channel: str) -> Column:
    return F.array_contains(F.split("_reachable", " "), channel) & (F.col("_place") < F.col(f"_full_{channel}"))


def _takes(channel: str) -> Column:
    takes = F.coalesce(F.col("contact_channel") == channel, F.lit(False))
    return takes | F.col("also_by_mail") if channel == MAIL else takes


def _taken_so_far(channel: str) -> Column:
    """Contacts through the channel up to the row's own."""
    urgency = Window.partitionBy("claim_month").orderBy("_place")
    return F.sum(_takes(channel).cast("int")).over(urgency.rowsBetween(Window.unboundedPreceding, Window.currentRow))


def _now_full(channel: str) -> Column:
    earliest = F.col("_earliest")
    return F.when(F.col(f"_over_{channel}") == earliest, earliest).otherwise(F.col(f"_full_{channel}"))


def _room(channel: str) -> Column:
    return F.col(f"{channel}_per_week") * F.col("weeks")


def _with_weeks(chosen: DataFrame) -> DataFrame:
    """Adds `contact_week` and `letter_week`: weeks fill in the order of urgency.

    A contact waits for the latest one of its household where that week has room; the most urgent tier never waits.
    """
    numbered = chosen.withColumns({f"_number_{c}": _taken_so_far(c) for c in CHANNELS})
    weeks = {f"_week_{c}": F.ceil(F.col(f"_number_{c}") / _positive(F.col(f"{c}_per_week"))) for c in CHANNELS}
    own = numbered.withColumns({name: week.cast("int") for name, week in weeks.items()}).withColumns(
        {"_week": _by_channel("_week"), "letter_week": F.when(F.col("also_by_mail"), F.col(f"_week_{MAIL}"))}
    )
    latest = F.max("_week").over(Window.partitionBy("claim_month", "_household"))
    waits = (F.col("_week") < F.col("_latest")) & (F.col("contact_tier") != LETTER_TIER)
    asked = own.withColumn("_latest", latest).withColumn("_waits", F.coalesce(waits, F.lit(False)))
    week = F.when(F.col("_waits") & _has_room(), F.col("_latest")).otherwise(F.col("_week"))
    used = [f"_{n}_{c}" for n in ("number", "week", "all") for c in CHANNELS]
    everything = {f"_all_{c}": F.max(f"_number_{c}").over(Window.partitionBy("claim_month")) for c in CHANNELS}
    return asked.withColumns(everything).withColumn("contact_week", week).drop("_week", "_latest", "_waits", *used)


def _has_room() -> Column:
    """The latest week of the household takes the row's contact besides its own and those that wait before it."""
    so_far = (
        Window.partitionBy("claim_month", "contact_channel", "_latest")
        .orderBy("_place")
        .rowsBetween(Window.unboundedPreceding, Window.currentRow)
    )
    room = per_week(F.col("contact_channel"))
    before = (F.col("_latest") - 1) * room
    filled = F.least(F.greatest(_by_channel("_all") - before, F.lit(0)), room)
    return filled + F.sum(F.col("_waits").cast("int")).over(so_far) <= room


def _by_channel(name: str) -> Column:
    """The column of this name of the row's channel; NULL without one."""
    found = F.lit(None).cast("int")
    for c in CHANNELS:
        found = F.when(F.col("contact_channel") == c, F.col(f"{name}_{c}")).otherwise(found)
    return found


def _positive(number: Column) -> Column:
    """NULL for zero, which nothing is divided by."""
    return F.when(number > 0, number)
