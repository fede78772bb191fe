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
ALWAYS = "0001-01-01"
"""Before any month: since when a line without a date counts."""
GUARDIAN_AGES = (25, 64)
"""Of several adults in a household one of these ages is contacted for a minor: more likely a parent than a sibling or
a grandparent. An assumption: no feed says whose child a member is, unless a channel's role is guardian."""
GROUPS = 200
"""Groups over which members are spread who share their guardian with nobody."""
OF_AN_ADULT = ("_last", "_values", "_language", "_file", "_out")
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
    told = _told(contacts, attempts)
    return members.join(told, "member_id", "left").transform(_as_known).transform(_with_adult).transform(_through_whom)


def _told(contacts: DataFrame, attempts: DataFrame) -> DataFrame:
    """One row per member: by channel since when it is on file, a guardian's, and opted out of; all numbers and
    addresses; and what was told from when on.

    A line counts from the month of its receipt, where that is known; a contact also not before its day.
    """
    always = F.lit(ALWAYS).cast("date")
    line = {
        "_since": F.coalesce(_first_of("received_month"), always),
        "_channel": F.lower(F.trim("channel")),
        "_of_guardian": F.lower(F.trim("contact_role")) == GUARDIAN,
        "_out": F.when(F.col("opt_out"), F.coalesce("opt_out_date", always)),
        "_contacted": F.to_date("last_contacted_at"),
        "_language": F.col("preferred_language"),
        "_value": F.col("value"),
    }
    attempt = {"_since": _first_of("known_from"), "_contacted": F.to_date("contacted_at")}
    kinds = dict.fromkeys(("_channel", "_language", "_value"), "string") | {"_of_guardian": "boolean", "_out": "date"}
    missing = {name: F.lit(None).cast(kind) for name, kind in kinds.items()}
    member = normal_id(F.col("member_id")).alias("member_id")
    lines = contacts.select(member, *[of.alias(name) for name, of in line.items()])
    tries = attempts.select(member, *[(attempt | missing)[name].alias(name) for name in line])
    since, is_of = F.col("_since"), {c: F.col("_channel") == c for c in CHANNELS}
    first = {
        "file": lambda c: F.when(is_of[c], since),
        "guardian": lambda c: F.when(is_of[c] & F.col("_of_guardian"), since),
        "out": lambda c: F.when(is_of[c] & F.col("_out").isNotNull(), F.greatest(since, F.col("_out"))),
    }
    contact = F.struct(F.greatest("_since", "_contacted").alias("since"), F.col("_contacted").alias("day"))
    language = F.struct(F.col("_since").alias("since"), F.col("_language").alias("word"))
    empty = F.array().cast("array<string>")
    return (
        lines.unionByName(tries)
        .groupBy("member_id")
        .agg(
            *[F.min(of(c)).alias(f"_{what}_from_{c}") for what, of in first.items() for c in CHANNELS],
            F.collect_list(F.when(F.col("_contacted").isNotNull(), contact)).alias("_contacts"),
            F.collect_list(F.when(F.col("_language").isNotNull(), language)).alias("_languages"),
            F.array_sort(F.coalesce(F.collect_set("_value"), empty)).alias("_values"),
        )
    )


def _first_of(month: str) -> Column:
    return F.to_date(F.concat(month, F.lit("-01")))


def _as_known(members: DataFrame) -> DataFrame:
    """Channels on file `_file`, of a guardian `_guardian`, opted out of `_out`; `_last` contact and `_language`: all at
    the end of the row's month.
    """
    end = F.col("_month_end")
    contacts = F.filter("_contacts", lambda told: told["since"] <= end)
    languages = F.filter("_languages", lambda told: told["since"] <= end)
    return members.withColumns(
        {
            f"_{what}": _in_order(lambda c, w=what: F.col(f"_{w}_from_{c}") <= end)
            for what in ("file", "guardian", "out")
        }
        | {
            "_last": F.array_max(F.transform(contacts, lambda told: told["day"])),
            "_language": F.array_max(F.transform(languages, lambda told: told["word"])),
        }
    ).drop("_contacts", "_languages", *[f"_{w}_from_{c}" for w in ("file", "guardian", "out") for c in CHANNELS])


def _with_adult(own: DataFrame) -> DataFrame:
    """Adds `_adult`, who is contacted for the minors of the household, and what is known of them; NULL: nobody."""
    first = Window.partitionBy("_home", "claim_month").orderBy(
        F.desc("_is_open"), F.desc("_of_age"), F.desc("age"), "member_id"
    )
    may = own.where(F.col("household_id").isNotNull() & ~F.col("is_minor") & F.col("may_guard")).select(
        F.col("household_id").alias("_home"),
        "claim_month",
        "member_id",
        "age",
        *OF_AN_ADULT,
        _some_open("_file").alias("_is_open"),
        F.col("age").between(*GUARDIAN_AGES).alias("_of_age"),
    )
    adults = may.withColumn("_place", F.row_number().over(first)).where("_place = 1")
    names = {"member_id": "_adult"} | {name: f"_adult{name}" for name in OF_AN_ADULT}
    told = adults.select(
        F.col("_home").alias("household_id"), "claim_month", *[F.col(n).alias(a) for n, a in names.items()]
    )
    return own.join(told, ["household_id", "claim_month"], "left")


def _through_whom(own: DataFrame) -> DataFrame:
    minor, guarded = F.col("is_minor"), _some_open("_guardian")
    has_adult = F.col("_adult").isNotNull()
    same = F.coalesce(F.arrays_overlap("_values", "_adult_values"), F.lit(False))
    through_adult = F.col("_through_adult")
    told = own.withColumn("_through_adult", minor & has_adult & (~guarded | same))
    alone = minor & guarded & ~through_adult & F.col("household_id").isNotNull()
    of_child = F.when(minor, F.col("_guardian")).otherwise(F.col("_file"))
    told = told.withColumns(
        {
            "_household": household(),
            "opted_out": (F.size("_file") > 0) & ~_some_open("_file"),
            "has_guardian": ~minor | has_adult | (F.size("_guardian") > 0),
            "_ways": F.when(through_adult, F.col("_adult_file")).otherwise(of_child),
            "_no": F.when(through_adult, F.array_union("_out", "_adult_out")).otherwise(F.col("_out")),
            "_guardian_value": F.when(alone, F.get("_values", F.lit(0))),
            "_guarded": F.when(guarded, F.col("member_id")),
        }
    )
    # The others are spread over some groups: a group for each would cost more, one for all would be too large.
    other = F.pmod(F.xxhash64("member_id"), F.lit(GROUPS)).cast("string")
    told = told.withColumn(
        "_home", F.when(F.col("_guardian_value").isNotNull(), F.col("household_id")).otherwise(other)
    )
    sibling = F.min("_guarded").over(Window.partitionBy("claim_month", "_home", "_guardian_value"))
    contact = F.when(through_adult, F.col("_adult")).when(F.col("_guardian_value").isNotNull(), sibling)
    return told.withColumns(
        {
            "contact_member_id": F.coalesce(contact, "member_id"),
            "reachable_channels": _in_order(lambda c: F.array_contains("_ways", c) & ~F.array_contains("_no", c)),
            "last_contacted_at": F.greatest("_last", F.when(through_adult, F.col("_adult_last"))),
            "contact_language": F.coalesce(F.when(through_adult, F.col("_adult_language")), "_language"),
        }
    ).drop(
        *OF_AN_ADULT,
        "_adult",
        *[f"_adult{n}" for n in OF_AN_ADULT],
        "_guardian",
        "_guardian_value",
        "_guarded",
        "_home",
    )


def _in_order(holds: Callable[[str], Column]) -> Column:
    """Those of CHANNELS for which it holds."""
    return F.array_compact(F.array(*[F.when(holds(channel), F.lit(channel)) for channel in CHANNELS]))


def _some_open(channels: str) -> Column:
    """One of the member's channels was not opted out of."""
    return F.size(F.array_except(channels, "_out")) > 0
