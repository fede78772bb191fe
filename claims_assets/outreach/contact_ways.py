"""Through whom and how a member can be contacted, as it was known at the end of the as-of month.

Here: channels on file, opt-outs, the last contact, and the adult who is contacted for a minor. Elsewhere: which of the
channels is used (`capacity.py`), who is left out (`standing.py`).
"""

from collections.abc import Sequence
from functools import reduce
from operator import or_

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from claims_assets.outreach.policy import CHANNELS
from claims_assets.silver.codes import normal_id

GUARDIAN = "guardian"
ALWAYS = "0001-01-01"
"""Before any month: since when a line without a date counts."""
GUARDIAN_AGES = (25, 64)
"""Of several adults in a household one of these ages is contacted for a minor: more likely a parent than a sibling or
a grandparent. An assumption: no feed says whose child a member is, unless a channel's role is guardian."""


def with_contact_ways(members: DataFrame, contacts: DataFrame, attempts: DataFrame) -> DataFrame:
    """Adds `opted_out`, `has_guardian`, `contact_member_id`, `reachable_channels`, `last_contacted_at`,
    `contact_language`, and for each channel `_file_*` and `_out_*` of whom is contacted.

    A channel is open that is on file and not opted out of: one line that says so is enough, whatever others say. For a
    minor, channels of a guardian count, else those of an adult of the household. Where both are the same number or
    address, the adult is contacted, so that one call serves the household; children of a household whose guardian has
    the same one share a contact, named by the first of them.

    Args:
        members: members of the as-of months, with `_month_end`, `is_minor`, `may_guard`, `age` and `household_id`.
        contacts: `bronze.member_contacts`.
        attempts: `bronze.outreach_contacts`.
    """
    own = (
        members.join(_on_file(contacts), "member_id", "left")
        .join(_attempts(attempts), "member_id", "left")
        .withColumns(_as_known())
        .drop("_told", "_tries", *[f"_{what}_from_{c}" for what in ("file", "guardian", "out") for c in CHANNELS])
    )
    return own.join(_adults(own), ["household_id", "claim_month"], "left").transform(_through_whom)


def _on_file(contacts: DataFrame) -> DataFrame:
    """One row per member: by channel since when it is on file, a guardian's, and opted out of; and what was told when.

    A line counts from the month of its receipt, where that is known.
    """
    lines = contacts.select(
        normal_id(F.col("member_id")).alias("member_id"),
        F.lower(F.trim("channel")).alias("_channel"),
        F.coalesce(F.lower(F.trim("contact_role")) == GUARDIAN, F.lit(False)).alias("_is_guardian"),
        "value",
        F.coalesce("opt_out", F.lit(False)).alias("_is_out"),
        F.coalesce("opt_out_date", F.lit(ALWAYS).cast("date")).alias("_out"),
        F.to_date("last_contacted_at").alias("contacted"),
        F.col("preferred_language").alias("language"),
        F.to_date(F.concat("received_month", F.lit("-01"))).alias("received"),
    )
    since = F.coalesce("received", F.lit(ALWAYS).cast("date"))
    of = {
        "file": lambda c: F.when(F.col("_channel") == c, since),
        "guardian": lambda c: F.when((F.col("_channel") == c) & F.col("_is_guardian"), since),
        "out": lambda c: F.when((F.col("_channel") == c) & F.col("_is_out"), F.greatest(since, F.col("_out"))),
    }
    return lines.groupBy("member_id").agg(
        *[F.min(first(c)).alias(f"_{what}_from_{c}") for what, first in of.items() for c in CHANNELS],
        F.collect_list(F.struct("received", "contacted", "language")).alias("_told"),
        F.array_sort(F.coalesce(F.collect_set("value"), F.array().cast("array<string>"))).alias("_values"),
    )


def _attempts(attempts: DataFrame) -> DataFrame:
    """One row per member: the days on which somebody tried, with when that was known."""
    tried = attempts.select(
        normal_id(F.col("member_id")).alias("member_id"), F.to_date("contacted_at").alias("tried"), "known_from"
    )
    return tried.groupBy("member_id").agg(F.collect_list(F.struct("tried", "known_from")).alias("_tries"))


def _as_known() -> dict[str, Column]:
    """`_file_*`, `_guardian_*`, `_out_*`, `_last` and `contact_language` at the end of the row's month."""
    end = F.col("_month_end")
    flags = {
        f"_{what}_{c}": F.coalesce(F.col(f"_{what}_from_{c}") <= end, F.lit(False))
        for what in ("file", "guardian", "out")
        for c in CHANNELS
    }
    known = F.filter("_told", lambda line: F.coalesce(line["received"] <= end, F.lit(True)))
    contacted = F.filter(F.transform(known, lambda line: line["contacted"]), lambda day: day <= end)
    tries = F.filter(
        "_tries", lambda line: (line["tried"] <= end) & (line["known_from"] <= F.date_format(end, "yyyy-MM"))
    )
    return flags | {
        "_last": F.greatest(F.array_max(contacted), F.array_max(F.transform(tries, lambda line: line["tried"]))),
        "contact_language": F.array_max(F.transform(known, lambda line: line["language"])),
    }


def _adults(own: DataFrame) -> DataFrame:
    """The adult of each household and month who is contacted for its minors."""
    reachable = _any([_open(c) for c in CHANNELS])
    first = Window.partitionBy("household_id", "claim_month").orderBy(
        F.desc("_reachable"), F.desc("_of_age"), F.desc("age"), "member_id"
    )
    adults = own.where(F.col("household_id").isNotNull() & ~F.col("is_minor") & F.col("may_guard"))
    return (
        adults.withColumns({"_reachable": reachable, "_of_age": F.col("age").between(*GUARDIAN_AGES)})
        .withColumn("_place", F.row_number().over(first))
        .where("_place = 1")
        .select(
            "household_id",
            "claim_month",
            F.col("member_id").alias("_adult"),
            F.col("_last").alias("_adult_last"),
            F.col("_values").alias("_adult_values"),
            F.col("contact_language").alias("_adult_language"),
            *[F.col(f"_file_{c}").alias(f"_adult_file_{c}") for c in CHANNELS],
            *[F.col(f"_out_{c}").alias(f"_adult_out_{c}") for c in CHANNELS],
        )
    )


def _through_whom(told: DataFrame) -> DataFrame:
    minor = F.col("is_minor")
    guarded = _any([F.col(f"_guardian_{c}") & ~F.col(f"_out_{c}") for c in CHANNELS])
    same = F.coalesce(F.arrays_overlap("_values", "_adult_values"), F.lit(False))
    adult = minor & F.col("_adult").isNotNull() & (~guarded | same)
    ways = {}
    for c in CHANNELS:
        own = F.when(minor, F.col(f"_guardian_{c}")).otherwise(F.col(f"_file_{c}"))
        ways[f"_way_{c}"] = F.when(adult, F.col(f"_adult_file_{c}")).otherwise(own)
        ways[f"_no_{c}"] = F.col(f"_out_{c}") | (adult & F.coalesce(f"_adult_out_{c}", F.lit(False)))
    opted_out = _any([F.col(f"_file_{c}") for c in CHANNELS]) & ~_any([_open(c) for c in CHANNELS])
    siblings = Window.partitionBy("claim_month", "household_id", "_guardian_value")
    first = F.min(F.when(guarded, F.col("member_id"))).over(siblings)
    alike = F.when(F.col("_guardian_value").isNotNull(), first)
    guardian = F.when(minor & guarded & ~adult & F.col("household_id").isNotNull(), F.get("_values", F.lit(0)))
    open_ways = [F.when(F.col(f"_way_{c}") & ~F.col(f"_no_{c}"), F.lit(c)) for c in CHANNELS]
    known = told.withColumns(
        {"_through_adult": F.coalesce(adult, F.lit(False)), "_guardian_value": guardian, "opted_out": opted_out, **ways}
    )
    return known.withColumns(
        {
            "has_guardian": ~minor | F.col("_adult").isNotNull() | _any([F.col(f"_guardian_{c}") for c in CHANNELS]),
            "contact_member_id": F.when(F.col("_through_adult"), F.col("_adult")).otherwise(
                F.coalesce(alike, F.col("member_id"))
            ),
            "reachable_channels": F.array_compact(F.array(*open_ways)),
            "last_contacted_at": F.greatest("_last", F.when(F.col("_through_adult"), F.col("_adult_last"))),
            "contact_language": F.when(
                F.col("_through_adult"), F.coalesce("_adult_language", "contact_language")
            ).otherwise(F.col("contact_language")),
        }
    )


def _open(channel: str) -> Column:
    return F.col(f"_file_{channel}") & ~F.col(f"_out_{channel}")


def _any(conditions: Sequence[Column]) -> Column:
    return reduce(or_, conditions)
