"""Every member enrolled in the as-of month, with what decides whether the member is listed.

Here: dose evidence of the influenza season, eligibility, opt-outs, and the one primary reason of an exclusion.
Elsewhere: scores and tiers (`formulas.py`).
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

INFLUENZA = "influenza"
SEASON_STARTS_IN = 7
"""July. A season's doses count from 1 July to 30 June (AIS-E influenza: 1 July before to 30 June of the year)."""
MINIMUM_AGE_MONTHS = 6
"""Influenza vaccine is recommended from six months of age (ACIP)."""
CHANNELS = ("phone", "mail", "email", "portal")

DECEASED, TOO_YOUNG, COMPLETE, OPTED_OUT = "deceased", "not_eligible_by_age", "complete", "opt_out"
EXCLUSIONS = (DECEASED, TOO_YOUNG, COMPLETE, OPTED_OUT)
"""Reasons in the order of precedence: the first that holds is the primary one."""


def candidates(member_months: DataFrame, doses: DataFrame, contacts: DataFrame) -> DataFrame:
    """One row per member and as-of month of `member_months`, plus `last_influenza_dose_date`, `reachable_channels`,
    `last_contacted_at` and `exclusion_reason` (NULL: to be listed).

    A dose counts when it lies in the season of the as-of month, not after the month, and was known by its end.
    """
    dated = member_months.withColumn("_month_start", F.to_date(F.concat("claim_month", F.lit("-01"))))
    dated = dated.withColumn("_month_end", F.last_day("_month_start")).withColumn("_season_start", _season_start())
    return (
        dated.transform(_with_last_dose, doses)
        .transform(_with_channels, contacts)
        .withColumn("exclusion_reason", _reason())
        .drop("_month_start", "_month_end", "_season_start", "_opted_out_of_all")
    )


def _season_start() -> Column:
    year = F.year("_month_start") - F.when(F.month("_month_start") < SEASON_STARTS_IN, 1).otherwise(0)
    return F.make_date(year, F.lit(SEASON_STARTS_IN), F.lit(1))


def _with_last_dose(dated: DataFrame, doses: DataFrame) -> DataFrame:
    flu = doses.where(F.col("vaccine") == INFLUENZA).select(
        F.col("member_id").alias("_dosed"), "administered_date", F.col("known_from").alias("_known")
    )
    in_season = (
        (F.col("member_id") == F.col("_dosed"))
        & (F.col("administered_date") >= F.col("_season_start"))
        & (F.col("administered_date") <= F.col("_month_end"))
        & (F.col("_known") <= F.col("claim_month"))
    )
    found = dated.select("member_id", "claim_month", "_season_start", "_month_end").join(flu, in_season)
    last = found.groupBy("member_id", "claim_month").agg(F.max("administered_date").alias("last_influenza_dose_date"))
    return dated.join(last, ["member_id", "claim_month"], "left")


def _with_channels(dated: DataFrame, contacts: DataFrame) -> DataFrame:
    """Channels on file, not opted out of by the end of the month; having no contact row is not an opt-out."""
    on_file = contacts.select(
        "member_id", "channel", "opt_out", "opt_out_date", "last_contacted_at", "preferred_language"
    )
    held = dated.select("member_id", "claim_month", "_month_end").join(on_file, "member_id")
    out = F.coalesce("opt_out", F.lit(False)) & F.coalesce(F.col("opt_out_date") <= F.col("_month_end"), F.lit(True))
    contact_day = F.to_date("last_contacted_at")
    contacted = F.when(contact_day <= F.col("_month_end"), contact_day)
    known = held.groupBy("member_id", "claim_month").agg(
        *[F.max((F.col("channel") == name) & ~out).alias(f"_{name}") for name in CHANNELS],
        F.min(out).alias("_opted_out_of_all"),
        F.max(contacted).alias("last_contacted_at"),
        F.max("preferred_language").alias("preferred_language"),
    )
    reachable = F.array_compact(F.array(*[F.when(F.col(f"_{name}"), F.lit(name)) for name in CHANNELS]))
    joined = dated.join(known, ["member_id", "claim_month"], "left").withColumn("reachable_channels", reachable)
    return joined.drop(*[f"_{name}" for name in CHANNELS])


def _reason() -> Column:
    age_in_months = F.months_between("_month_end", "birth_date")
    return (
        F.when(F.col("death_date") <= F.col("_month_end"), DECEASED)
        .when(age_in_months < MINIMUM_AGE_MONTHS, TOO_YOUNG)
        .when(F.col("last_influenza_dose_date").isNotNull(), COMPLETE)
        .when(F.col("_opted_out_of_all"), OPTED_OUT)
    )
