"""Members over time: one row per member and version, a new version whenever an attribute changes.

An end product for look-ups and audits. Monthly tables take attributes from `silver/member_months.py`, which knows what
held in each month. Which records stand: `silver/eligibility.py`; the vocabulary: `silver/demographics.py`.
"""

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from claims_assets import columns as c
from claims_assets.contracts import Contract, rule
from claims_assets.silver.demographics import ATTRIBUTES, ETHNICITIES, GENDERS, RACES, with_common_words
from claims_assets.silver.eligibility import OPEN_END, standing_records
from claims_assets.table import Whole, table

TRACKED = (*ATTRIBUTES, "death_date")


class Members(Contract):
    """Members over time: one row per member and version."""

    member_id: str = c.member_id()
    effective_from: c.Date = c.required("First day of the version.")
    effective_to: c.Date = c.optional("First day of the next version (so not in this one); NULL: the current version.")
    is_current_record: bool = c.flag("The member's latest version; each member has exactly one.")
    birth_date: c.Date = c.optional("Date of birth.")
    gender: str = c.required("M, F or U.", isin=GENDERS)
    race: str = c.required("One of seven groups or Unknown.", isin=RACES)
    ethnicity: str = c.required("Hispanic, Not Hispanic or Unknown.", isin=ETHNICITIES)
    zip_code: str = c.optional("Five digits.", str_matches=r"^[0-9]{5}$")
    county: str = c.optional("County as written.")
    language: str = c.optional("Language as written.")
    eligibility_category: str = c.optional("Eligibility category as written.")
    aid_category: str = c.optional("Aid category as written.")
    dual_eligible: bool = c.optional("Has Medicare too; NULL: not reported.")
    ltss_indicator: bool = c.optional("Gets long-term services and supports; NULL: not reported.")
    smoker: bool = c.optional("Smokes; NULL: not reported.")
    bmi: c.Number = c.optional("Body mass index, kg/m2.")
    household_id: str = c.optional("Household.")
    death_date: c.Date = c.optional("Day of death, as the version's records say.")
    enrolled_through: c.Date = c.optional("Last day of the last enrolment, on all versions; NULL: open.")

    class Config:
        unique = ["member_id", "effective_from"]
        metadata = {
            "rules": {
                "versions_are_ordered": rule(
                    "effective_from < effective_to", severity="block", about=["effective_from", "effective_to"]
                ),
                "current_record_is_open": rule("is_current_record = (effective_to is null)", severity="block"),
            }
        }


@table(Members, partitioned=False, domain="members")
def members(bronze_member_eligibility: Whole) -> DataFrame:
    """Versions follow each other without gaps, also where enrolment has one."""
    return (
        standing_records(bronze_member_eligibility)
        .transform(with_common_words)
        .transform(_with_enrolled_through)
        .transform(_changes_only)
        .transform(_as_versions)
    )


def _with_enrolled_through(records: DataFrame) -> DataFrame:
    latest = F.max(F.coalesce("ends_on", F.lit(OPEN_END))).over(Window.partitionBy("member_id"))
    return records.withColumn("_latest", latest).withColumn(
        "enrolled_through", F.when(F.col("_latest") < F.lit(OPEN_END), F.col("_latest"))
    )


def _changes_only(records: DataFrame) -> DataFrame:
    """The records that say something else than the one before; NULL is a value like any other here."""
    by_start = Window.partitionBy("member_id").orderBy("effective_date")
    is_first = F.row_number().over(by_start) == 1
    changed = is_first
    for name in TRACKED:
        changed = changed | ~F.col(name).eqNullSafe(F.lag(name).over(by_start))
    return records.withColumn("_changed", changed).where("_changed")


def _as_versions(changes: DataFrame) -> DataFrame:
    following = F.lead("effective_date").over(Window.partitionBy("member_id").orderBy("effective_date"))
    return (
        changes.withColumn("effective_to", following)
        .withColumn("is_current_record", F.col("effective_to").isNull())
        .withColumnRenamed("effective_date", "effective_from")
    )
