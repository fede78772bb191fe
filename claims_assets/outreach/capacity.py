"""Who is contacted, through which channel and in which week, when a week has room for so many contacts of each kind.

Here: one pass over the candidates of a month in the order of urgency, as windows. A contact is one person to be reached
through one channel; it may serve several members, such as a mother and her children. In that order each contact takes
the first channel of its preference that has room. As the order is one for all channels, a channel that is full stays
full for all later ones: so the pass is found by asking which channel is full first, from where on the others choose
again, as often as there are channels. Elsewhere: who is a candidate (`standing.py`), tiers (`formulas.py`).
"""

from pyspark.sql import Column, DataFrame, Window, WindowSpec
from pyspark.sql import functions as F

from claims_assets.outreach.formulas import TIERS
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

UNIT = ("claim_month", "_household", "contact_member_id", "_reachable")
"""What one contact serves."""


def with_places(candidates: DataFrame) -> DataFrame:
    """Adds `contact_tier`, `contact_channel` (NULL: no room), `within_capacity`, `contact_week`, `also_by_mail` and
    `_place`, a number in the order of urgency.

    Households come in the order of their most urgent member, and their contacts together; ties break by household and
    member id. `within_capacity` is the same pass as if nobody were held out.

    Args:
        candidates: members with `_candidate`, `is_holdout`, `_household`, `contact_member_id`, `reachable_channels`,
            `outreach_priority_score`, `outreach_tier` and the policy of the month.
    """
    ordered = candidates.transform(_in_order)
    everybody = _chosen(ordered, F.col("_candidate"), "_everybody")
    invited = _chosen(everybody, F.col("_candidate") & ~F.col("is_holdout"), "contact_channel")
    weeks = invited.withColumn("within_capacity", F.col("_everybody").isNotNull()).transform(_with_weeks)
    return weeks.transform(_with_letters)


def _in_order(candidates: DataFrame) -> DataFrame:
    score = F.when(F.col("_candidate"), F.col("outreach_priority_score"))
    unit = Window.partitionBy(*UNIT)
    within = unit.orderBy(F.desc("_candidate"), F.desc("outreach_priority_score"), "member_id")
    named = candidates.withColumn("_reachable", F.concat_ws(" ", "reachable_channels"))
    best = named.withColumns(
        {
            "_best": F.max(score).over(unit),
            "_best_of_household": F.max(score).over(Window.partitionBy("claim_month", "_household")),
            "_first": (F.row_number().over(within) == 1) & F.col("_candidate"),
            "contact_tier": F.first("outreach_tier").over(within),
        }
    )
    return best.withColumn("_place", F.sum(F.col("_first").cast("int")).over(in_order_of_urgency()))


def in_order_of_urgency() -> WindowSpec:
    """Units in their order, members of a unit together; those who are no candidates come last."""
    return (
        Window.partitionBy("claim_month")
        .orderBy(
            F.desc_nulls_last("_best_of_household"),
            "_household",
            F.desc_nulls_last("_best"),
            "contact_member_id",
            "_reachable",
            F.desc("_candidate"),
            F.desc("outreach_priority_score"),
            "member_id",
        )
        .rowsBetween(Window.unboundedPreceding, Window.currentRow)
    )


def _chosen(ordered: DataFrame, takes_part: Column, name: str) -> DataFrame:
    """Adds the channel of each member that takes part, NULL where there is no room.

    Each round finds the place from which on one more channel is full, of those that are not yet the earliest.
    """
    month = Window.partitionBy("claim_month")
    frame = ordered.withColumns({"_part": takes_part, **{f"_full_{c}": F.lit(NEVER) for c in CHANNELS}})
    for _ in CHANNELS:
        frame = frame.withColumn("_choice", _first_open())
        counted = F.col("_first") & F.col("_part")
        taken = {
            f"_taken_{c}": F.sum((counted & (F.col("_choice") == c)).cast("int")).over(in_order_of_urgency())
            for c in CHANNELS
        }
        frame = frame.withColumns(taken)
        over = {
            f"_over_{c}": F.min(
                F.when(F.col("_part") & (F.col("_choice") == c) & (F.col(f"_taken_{c}") > _room(c)), F.col("_place"))
            ).over(month)
            for c in CHANNELS
        }
        frame = frame.withColumns(over)
        earliest = F.least(*[F.coalesce(f"_over_{c}", F.lit(NEVER)) for c in CHANNELS])
        frame = frame.withColumn("_earliest", earliest).withColumns(
            {
                f"_full_{c}": F.when(F.col(f"_over_{c}") == F.col("_earliest"), F.col("_earliest")).otherwise(
                    F.col(f"_full_{c}")
                )
                for c in CHANNELS
            }
        )
    used = ["_part", "_choice", "_earliest", *[f"_{n}_{c}" for n in ("full", "taken", "over") for c in CHANNELS]]
    return frame.withColumn(name, F.when(F.col("_part"), _first_open())).drop(*used)


def _first_open() -> Column:
    """The first channel of the contact's preference that is reachable and not full at its place."""
    choice = F.lit(None).cast("string")
    for tier, channels in PREFERENCES.items():
        best = F.lit(None).cast("string")
        for c in reversed(channels):
            is_open = F.array_contains("reachable_channels", c) & (F.col("_place") < F.col(f"_full_{c}"))
            best = F.when(is_open, F.lit(c)).otherwise(best)
        choice = F.when(F.col("contact_tier") == tier, best).otherwise(choice)
    return F.when(F.col("_part"), choice)


def _room(channel: str) -> Column:
    return F.col(f"{channel}_per_week") * F.col("weeks")


def _with_weeks(placed: DataFrame) -> DataFrame:
    """Weeks fill in the order of urgency; a contact moves to the latest week of its household where that has room."""
    counted = F.col("_first") & F.col("contact_channel").isNotNull()
    channel = Window.partitionBy("claim_month", "contact_channel")
    running = channel.orderBy("_place").rangeBetween(Window.unboundedPreceding, Window.currentRow)
    numbered = placed.withColumns(
        {"_number": F.sum(counted.cast("int")).over(running), "_room": per_week(F.col("contact_channel"))}
    )
    week = F.when(
        F.col("contact_channel").isNotNull(),
        F.ceil(F.col("_number") / F.when(F.col("_room") > 0, F.col("_room"))).cast("int"),
    )
    first = numbered.withColumn("_week", week).withColumns(
        {
            "_wanted": F.max("_week").over(Window.partitionBy("claim_month", "_household")),
            "_all": F.max("_number").over(channel),
        }
    )
    moves = F.col("_week") < F.col("_wanted")
    movers = (
        Window.partitionBy("claim_month", "contact_channel", "_wanted")
        .orderBy("_place")
        .rangeBetween(Window.unboundedPreceding, Window.currentRow)
    )
    before = (F.col("_wanted") - 1) * F.col("_room")
    filled = F.least(F.greatest(F.col("_all") - before, F.lit(0)), F.col("_room"))
    mover = F.sum((counted & moves).cast("int")).over(movers)
    moved = first.withColumns({"_mover": mover, "_filled": filled})
    fits = moves & (F.col("_filled") + F.col("_mover") <= F.col("_room"))
    return moved.withColumn("contact_week", F.when(fits, F.col("_wanted")).otherwise(F.col("_week"))).drop(
        "_number", "_room", "_week", "_wanted", "_all", "_mover", "_filled"
    )


def _with_letters(placed: DataFrame) -> DataFrame:
    """A letter beside the call of the most urgent tier, in the same week, where letters are left over in it."""
    week = Window.partitionBy("claim_month", "contact_week")
    running = week.orderBy("_place").rangeBetween(Window.unboundedPreceding, Window.currentRow)
    wants = (
        F.coalesce(F.col("contact_channel") == PHONE, F.lit(False))
        & (F.col("contact_tier") == LETTER_TIER)
        & F.array_contains("reachable_channels", MAIL)
    )
    letters = F.col("_first") & F.coalesce(F.col("contact_channel") == MAIL, F.lit(False))
    counted = placed.withColumns(
        {
            "_wants": wants,
            "_letters": F.sum(letters.cast("int")).over(week),
            "_wanted": F.sum((F.col("_first") & wants).cast("int")).over(running),
        }
    )
    has_room = F.col("_letters") + F.col("_wanted") <= F.col(f"{MAIL}_per_week")
    return counted.withColumn("also_by_mail", F.col("_wants") & has_room).drop("_wants", "_letters", "_wanted")
