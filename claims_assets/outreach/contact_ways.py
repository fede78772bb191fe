"""Through whom and how a member can be contacted, as it was known at the end of the as-of month.

Here: channels on file, opt-outs, the last contact, and the adult who is contacted for a minor. Elsewhere: which of the
channels is used (`capacity.py`), who is left out (`standing.py`).
"""

from collections.abc import Callable

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from claims_assets.outreach.policy import CHANNELS
from claims_assets.outreach.standing import household
from claims_assets.silver.codes import normal_id

GUARDIAN = "guardian"
GUARDIAN_AGES = (25, 64)
"""Of several adults in a household one of these ages is contacted for a minor: more likely a parent than a sibling or
a grandparent. An assumption: no feed says whose child a member is, unless a channel's role is guardian."""
HOME = ("claim_month", "_household")
OF_AN_ADULT = ("member_id", "_last", "_values", "_language", "_file", "_out")
"""What is asked of the adult who is contacted for a minor."""


def with_contact_ways(members: DataFrame, contacts: DataFrame, attempts: DataFrame) -> DataFrame:
    """Adds `opted_out`, `has_guardian`, `contact_member_id`, `reachable_channels`, `last_contacted_at`,
    `contact_language`, `_household`, and of whom is contacted the channels on file (`_ways`) and opted out of (`_no`).

    A channel is open that is on file and not opted out of: one line that says so is enough, whatever others say. For a
    minor, channels of a guardian count, else those of an adult of the household. Where both are the same number or
    address, the adult is contacted, so that one call serves the household; children of a household whose guardian has
    the same one share a contact, named by the first of them.

    Args:
        members: members of the as-of months, with `_month_end`, `is_minor`, `may_guard`, `age` and `household_id`.
        contacts: `bronze.member_contacts`.
        attempts: `bronze.outreach_contacts`.
    """
    return (
        members.join(_on_file(contacts), "member_id", "left")
        .join(_attempts(attempts), "member_id", "left")
        .transform(_as_known)
        .transform(_with_adult)
        .transform(_through_whom)
    )


def _on_file(contacts: DataFrame) -> DataFrame:
    """One row per member: its lines, and all numbers and addresses on them."""
    line = F.struct(
        F.to_date(F.concat("received_month", F.lit("-01"))).alias("received"),
        F.lower(F.trim("channel")).alias("channel"),
        (F.lower(F.trim("contact_role")) == GUARDIAN).alias("of_guardian"),
        "opt_out",
        "opt_out_date",
        F.to_date("last_contacted_at").alias("contacted"),
        F.col("preferred_language").alias("language"),
    )
    return contacts.groupBy(normal_id(F.col("member_id")).alias("member_id")).agg(
        F.collect_list(line).alias("_lines"),
        F.array_sort(F.coalesce(F.collect_set("value"), F.array().cast("array<string>"))).alias("_values"),
    )


def _attempts(attempts: DataFrame) -> DataFrame:
    """One row per member: the days on which somebody tried, with when that was known."""
    tried = attempts.select(
        normal_id(F.col("member_id")).alias("member_id"), F.to_date("contacted_at").alias("tried"), "known_from"
    )
    return tried.groupBy("member_id").agg(F.collect_list(F.struct("tried", "known_from")).alias("_tries"))


def _as_known(members: DataFrame) -> DataFrame:
    """Channels on file `_file`, of a guardian `_guardian`, opted out of `_out`; `_last` and `_language`: all at the end
    of the row's month. A line counts from the month of its receipt, where that is known.
    """
    end, month = F.col("_month_end"), F.col("claim_month")
    contacted = F.filter(F.transform("_known", lambda line: line["contacted"]), lambda day: day <= end)
    tries = F.filter("_tries", lambda line: (line["tried"] <= end) & (line["known_from"] <= month))
    known = members.withColumn(
        "_known", F.filter("_lines", lambda line: F.coalesce(line["received"] <= end, F.lit(True)))
    )
    return known.withColumns(
        {
            "_file": _channels(F.col("_known")),
            "_guardian": _channels(F.filter("_known", lambda line: line["of_guardian"])),
            "_out": _channels(
                F.filter("_known", lambda line: line["opt_out"] & F.coalesce(line["opt_out_date"] <= end, F.lit(True)))
            ),
            "_last": F.greatest(F.array_max(contacted), F.array_max(F.transform(tries, lambda line: line["tried"]))),
            "_language": F.array_max(F.transform("_known", lambda line: line["language"])),
        }
    ).drop("_lines", "_tries", "_known")


def _with_adult(own: DataFrame) -> DataFrame:
    """Adds `_adult`: what is known of the adult of the household who is contacted for its minors; NULL: nobody."""
    may = F.col("household_id").isNotNull() & ~F.col("is_minor") & F.col("may_guard")
    judged = own.withColumns(
        {
            "_household": household(),
            "_may": F.coalesce(may, F.lit(False)),
            "_is_open": _some_open("_file"),
            "_of_age": F.col("age").between(*GUARDIAN_AGES),
        }
    )
    first = Window.partitionBy(*HOME).orderBy(
        F.desc("_may"), F.desc("_is_open"), F.desc("_of_age"), F.desc("age"), "member_id"
    )
    # The first row of an ordered window, not a join with the adults: that would compute all of this a second time.
    adult = F.first(F.when(F.col("_may"), F.struct(*OF_AN_ADULT))).over(first)
    return judged.withColumn("_adult", adult).drop("_may", "_is_open", "_of_age")


def _through_whom(own: DataFrame) -> DataFrame:
    minor, guarded = F.col("is_minor"), _some_open("_guardian")
    has_adult = F.col("_adult.member_id").isNotNull()
    same = F.coalesce(F.arrays_overlap("_values", "_adult._values"), F.lit(False))
    through_adult = F.col("_through_adult")
    told = own.withColumn("_through_adult", minor & has_adult & (~guarded | same))
    alone = minor & guarded & ~through_adult & F.col("household_id").isNotNull()
    of_child = F.when(minor, F.col("_guardian")).otherwise(F.col("_file"))
    told = told.withColumns(
        {
            "opted_out": (F.size("_file") > 0) & ~_some_open("_file"),
            "has_guardian": ~minor | has_adult | (F.size("_guardian") > 0),
            "_ways": F.when(through_adult, F.col("_adult._file")).otherwise(of_child),
            "_no": F.when(through_adult, F.array_union("_out", "_adult._out")).otherwise(F.col("_out")),
            "_guardian_value": F.when(alone, F.get("_values", F.lit(0))),
            "_guarded": F.when(guarded, F.col("member_id")),
        }
    )
    sibling = F.min("_guarded").over(Window.partitionBy(*HOME, "_guardian_value"))
    contact = F.when(through_adult, F.col("_adult.member_id")).when(F.col("_guardian_value").isNotNull(), sibling)
    return told.withColumns(
        {
            "contact_member_id": F.coalesce(contact, "member_id"),
            "reachable_channels": _in_order(lambda c: F.array_contains("_ways", c) & ~F.array_contains("_no", c)),
            "last_contacted_at": F.greatest("_last", F.when(through_adult, F.col("_adult._last"))),
            "contact_language": F.coalesce(F.when(through_adult, F.col("_adult._language")), "_language"),
        }
    ).drop("_adult", "_values", "_last", "_language", "_file", "_guardian", "_out", "_guardian_value", "_guarded")


def _channels(lines: Column) -> Column:
    """The channels of some lines, each once; never NULL."""
    found = F.transform(lines, lambda line: line["channel"])
    return _in_order(lambda channel: F.array_contains(found, channel))


def _in_order(holds: Callable[[str], Column]) -> Column:
    """Those of CHANNELS for which it holds."""
    return F.array_compact(F.array(*[F.when(holds(channel), F.lit(channel)) for channel in CHANNELS]))


def _some_open(channels: str) -> Column:
    """One of the member's channels was not opted out of."""
    return F.size(F.array_except(channels, "_out")) > 0
