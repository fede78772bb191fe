"""Did the list work? Vaccine doses after a list, of those who were on it and of those who were kept back by chance.

Here: who is compared, which contacts and doses count. Elsewhere: who is listed or held out
(`outreach/immunization_targeting.py`), shares, intervals and what may be shown (`uptake.py`). No member is in this
table, and no count of one to ten.

Only whom the list could have reached is compared: who is listed, and who is held out and would have been within the
capacity. And only their first such month of a program year: later, those listed are left alone for a while after a
contact and those held out never are, so that the two groups of a later list are no longer alike.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import Window as Over
from pyspark.sql import functions as F

from claims_assets import columns as c
from claims_assets.contracts import Contract, compiled, rule
from claims_assets.layers import MONTHLY
from claims_assets.monitoring.outreach_outcomes_plot import picture
from claims_assets.monitoring.uptake import ALL, ARMS, HOLDOUT, LISTED, Counts, compared
from claims_assets.outreach.contact_outcomes import is_reached
from claims_assets.outreach.outreach_policy import of_the_month
from claims_assets.outreach.standing import household
from claims_assets.partitions import MONTH, add_months
from claims_assets.silver.codes import normal_id
from claims_assets.silver.immunization_evidence import COUNTS
from claims_assets.sources.code_sets import VACCINES
from claims_assets.table import Spans, Window, table

if TYPE_CHECKING:
    import pandas as pd

JUDGED_AFTER = 4
"""Months from a list to its judgement: 90 days for the doses, and one month in which most claims of them arrive."""
FOLLOW_UP_DAYS = 90
"""Days after the end of the list month in which a dose counts, as a contact is followed by as long a rest."""
ListsOfYear = Annotated[DataFrame, Window(12, lag=JUDGED_AFTER)]
"""The judged list and the eleven before it, which hold the whole program year up to it."""
ANY = "any"
"""Stands for one or more of the vaccines that the member lacked."""


def _measure(description: str, **checks: Any):
    return c.optional(f"{description} NULL: see `absent`.", **checks)


def _share(description: str):
    return _measure(description, in_range={"min_value": 0.0, "max_value": 1.0})


def _difference(description: str):
    return c.optional(description, in_range={"min_value": -1.0, "max_value": 1.0})


class OutreachOutcomes(Contract):
    """Doses after a list: one row per list, group, tier and vaccine, of members whom it reached first this year."""

    claim_month: str = c.required("Judged month, four months after the list.", str_matches=c.MONTH_PATTERN)
    list_month: str = c.required("Month of the list.", str_matches=c.MONTH_PATTERN)
    outreach_group: str = c.required("listed, or holdout: kept back by chance.", isin=ARMS)
    outreach_tier: str = c.required("Tier, or `all`.")
    vaccine: str = c.required("Vaccine that they lacked, or `any` of those they lacked.", isin=(*VACCINES, ANY))
    members: c.Count = _measure("Members.", ge=0)
    contacted: c.Count = _measure("Members with an attempt to reach them within 90 days after the list.", ge=0)
    reached: c.Count = _measure("Members reached: they, or who is contacted for them, answered.", ge=0)
    vaccinated: c.Count = _measure("Members with a dose within 90 days after the list, known by now.", ge=0)
    uptake: c.Number = _share("Share of vaccinated members.")
    uptake_lower: c.Number = _share("Lower end of its 95 % interval.")
    uptake_upper: c.Number = _share("Upper end of its 95 % interval.")
    difference: c.Number = _difference("Uptake of listed less that of the hold-out; NULL on rows of the hold-out.")
    difference_lower: c.Number = _difference("Lower end of its 95 % interval.")
    difference_upper: c.Number = _difference("Upper end of its 95 % interval.")
    absent: c.Words = c.required("Why numbers are missing.")

    class Config:
        unique = ["claim_month", "outreach_group", "outreach_tier", "vaccine"]
        metadata = {
            "rules": {
                "no_small_count_is_shown": rule(
                    " AND ".join(
                        f"coalesce({n} NOT BETWEEN 1 AND 10, true)"
                        for n in ("members", "contacted", "reached", "vaccinated", "members - vaccinated")
                    ),
                    severity="block",
                    about=["members", "contacted", "reached", "vaccinated"],
                )
            }
        }


@table(OutreachOutcomes, phi="none", domain="outreach", freshness=MONTHLY, picture=picture)
def outreach_outcomes(
    gold_immunization_targeting: ListsOfYear,
    gold_outreach_policy: Spans,
    silver_immunization_evidence: Spans,
    bronze_outreach_contacts: Spans,
    months: list[str],
) -> DataFrame:
    """Uptake after the lists of four months before, from the doses and contacts known by the judged month."""
    lists = [add_months(month, -JUDGED_AFTER) for month in months]
    people = _first_of_year(gold_immunization_targeting, gold_outreach_policy).where(F.col("list_month").isin(lists))
    told = people.join(_contacts(people, bronze_outreach_contacts), ["member_id", "list_month"], "left")
    counts = _counted(told, _doses(people, silver_immunization_evidence))
    schema = ", ".join(f"{n} {t.simpleString()}" for n, t in compiled(OutreachOutcomes).columns.items())
    return counts.groupBy(MONTH).applyInPandas(_of_list, schema)


def _first_of_year(targeting: DataFrame, policy: DataFrame) -> DataFrame:
    """Members in the first month of each program year in which the list reached them, or would have.

    Some are listed beyond the capacity, in the places of those held out. Nobody is held out beyond it, so they are not
    compared, nor are they new to a later list.
    """
    is_listed, is_held_out = F.col("disposition") == LISTED, F.col("exclusion_reason") == HOLDOUT
    could = targeting.where(is_listed | (F.coalesce(is_held_out, F.lit(False)) & F.col("within_capacity")))
    starts = F.to_date(F.concat(F.col(MONTH), F.lit("-01")))
    told = of_the_month(could, policy).select(
        "member_id",
        F.col(MONTH).alias("list_month"),
        F.date_format(F.add_months(starts, JUDGED_AFTER), "yyyy-MM").alias(MONTH),
        F.last_day(starts).alias("_end"),
        # The year in which the program year ends.
        F.year(F.add_months(starts, F.lit(13) - F.col("program_year_starts_in"))).alias("_year"),
        F.when(is_listed, F.lit(LISTED)).otherwise(F.lit(HOLDOUT)).alias("outreach_group"),
        "within_capacity",
        "outreach_tier",
        household().alias("_household"),
        "contact_member_id",
        _offered().alias("_offered"),
    )
    first = F.min("list_month").over(Over.partitionBy("member_id", "_year"))
    is_first = (F.col("list_month") == F.col("_first")) & F.col("within_capacity")
    return told.withColumn("_first", first).where(is_first).drop("_first", "_year", "within_capacity")


def _offered() -> Column:
    """The vaccines for which the policy lists a member."""
    offered = F.col("vaccines_due")
    for name, holds in (("vaccines_no_evidence", "lists_no_evidence"), ("vaccines_to_discuss", "lists_discuss")):
        offered = F.when(F.col(holds), F.array_union(offered, name)).otherwise(offered)
    return offered


def _follows(day: Column) -> Column:
    return (day > F.col("_end")) & (day <= F.date_add("_end", FOLLOW_UP_DAYS))


def _contacts(people: DataFrame, attempts: DataFrame) -> DataFrame:
    """Members and lists with an attempt to reach them, or who is contacted for them: whether it `_reached` somebody.

    An attempt that names another list is not of this one; one that names none may be.
    """
    asked = people.select(
        "member_id",
        "list_month",
        MONTH,
        "_end",
        F.explode(F.array_distinct(F.array("member_id", F.coalesce("contact_member_id", "member_id")))).alias("_key"),
    )
    made = attempts.select(
        normal_id(F.col("member_id")).alias("_key"),
        F.to_date("contacted_at").alias("_day"),
        F.col("list_month").alias("_of_list"),
        F.col("known_from").alias("_known"),
        is_reached(F.col("outcome")).alias("_answered"),
    )
    belongs = F.coalesce(F.col("_of_list") == F.col("list_month"), F.lit(True))
    found = asked.join(made, "_key").where(_follows(F.col("_day")) & belongs & (F.col("_known") <= F.col(MONTH)))
    return found.groupBy("member_id", "list_month").agg(F.max(F.col("_answered").cast("long")).alias("_reached"))


def _doses(people: DataFrame, evidence: DataFrame) -> DataFrame:
    """Member, list and vaccine with a dose in the days that follow, as the judged month knows it."""
    doses = evidence.where(F.col("standing") == COUNTS).select(
        "member_id", "vaccine", "administered_date", "first_month", "last_month"
    )
    known = (F.col("first_month") <= F.col(MONTH)) & F.coalesce(F.col("last_month") >= F.col(MONTH), F.lit(True))
    found = people.select("member_id", "list_month", MONTH, "_end").join(doses, "member_id")
    given = found.where(_follows(F.col("administered_date")) & known).select("member_id", "list_month", "vaccine")
    return given.distinct().withColumn("_dose", F.lit(1).cast("long"))


def _counted(people: DataFrame, doses: DataFrame) -> DataFrame:
    """The fields of Counts by judged month, arm, tier and vaccine, every tier and ALL, every vaccine and ANY."""
    lacked = people.withColumn("vaccine", F.explode("_offered"))
    by_vaccine = lacked.join(doses, ["member_id", "list_month", "vaccine"], "left").withColumn(
        "_dose", F.coalesce("_dose", F.lit(0).cast("long"))
    )
    by_any = by_vaccine.groupBy(*[n for n in by_vaccine.columns if n not in ("vaccine", "_dose", "_offered")]).agg(
        F.max("_dose").alias("_dose")
    )
    both = by_vaccine.drop("_offered").unionByName(by_any.withColumn("vaccine", F.lit(ANY)))
    key = [MONTH, "list_month", "outreach_group", "outreach_tier", "vaccine"]
    tiers = both.withColumn("outreach_tier", F.explode(F.array("outreach_tier", F.lit(ALL))))
    household = tiers.groupBy(*key, "_household").agg(
        F.count(F.lit(1)).alias("members"),
        F.count("_reached").alias("contacted"),
        F.sum(F.coalesce("_reached", F.lit(0))).alias("reached"),
        F.sum("_dose").alias("vaccinated"),
    )
    n, x = F.col("members"), F.col("vaccinated")
    return household.groupBy(*key).agg(
        *[F.sum(name).alias(name) for name in ("members", "contacted", "reached", "vaccinated")],
        F.count(F.lit(1)).alias("households"),
        F.sum(n * n).alias("squared_members"),
        F.sum(x * x).alias("squared_vaccinated"),
        F.sum(n * x).alias("product"),
    )


def _of_list(counts: "pd.DataFrame") -> "pd.DataFrame":
    """The rows of one judged month."""
    import pandas as pd

    month, of_list = counts[MONTH].iloc[0], counts["list_month"].iloc[0]
    rows = [{MONTH: month, "list_month": of_list} | row for row in compared(_by_name(counts.to_dict("records")))]
    names = list(compiled(OutreachOutcomes).columns)
    return pd.DataFrame(rows, columns=pd.Index(names), dtype=object)


def _by_name(records: Iterable[dict[Any, Any]]) -> dict[tuple[str, str, str], Counts]:
    fields = Counts.__dataclass_fields__
    return {
        (r["outreach_group"], r["outreach_tier"], r["vaccine"]): Counts(**{name: int(r[name]) for name in fields})
        for r in records
    }
