"""Eligibility records as they came, typed: one row per line of a landing file.

Here: types, and rules that need nothing but the row. Elsewhere: which record stands and what its words mean
(`silver/eligibility.py`, `silver/demographics.py`).
"""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from claims_assets import columns as c
from claims_assets.bronze.eligibility_news import with_speaks_from
from claims_assets.contracts import Contract, compiled, rule
from claims_assets.sources.code_sets import label_pattern
from claims_assets.table import Known, Whole, table

YES = ("Y", "YES", "T", "TRUE", "1", "ON")
NO = ("N", "NO", "F", "FALSE", "0", "OFF")
FLAGS = ("dual_eligible", "ltss_indicator", "smoker")
BMI = {"min_value": 8.0, "max_value": 120.0}
"""kg/m2; outside it the value was taken in other units or mistyped."""


class MemberEligibility(Contract):
    """Eligibility records as they came: one row per line of a landing file."""

    member_id: str = c.member_id()
    effective_date: c.Date = c.required("First day of the enrolment that the record states.")
    term_date: c.Date = c.optional("Last day of it; missing: open.")
    birth_date: c.Date = c.optional("Date of birth.", expected=True)
    gender: str = c.optional("Gender as written.", expected=True, str_matches=label_pattern("gender"))
    race: str = c.optional("Race as written.", str_matches=label_pattern("race"))
    ethnicity: str = c.optional("Ethnicity as written.", str_matches=label_pattern("ethnicity"))
    zip_code: str = c.optional("ZIP or ZIP+4 as written.", str_matches=r"^\s*[0-9]{5}([\s-]?[0-9]{4})?\s*$")
    county: str = c.optional("County as written.")
    language: str = c.optional("Language as written.")
    eligibility_category: str = c.optional("Eligibility category as written.")
    aid_category: str = c.optional("Aid category as written.")
    dual_eligible: bool = c.optional("Has Medicare too.")
    ltss_indicator: bool = c.optional("Gets long-term services and supports.")
    death_date: c.Date = c.optional("Day of death.")
    smoker: bool = c.optional("Smokes.")
    bmi: c.Number = c.optional("Body mass index, kg/m2.", in_range=BMI)
    household_id: str = c.optional("Household.")
    received_month: str = c.received_month()
    source_file: str = c.source_file()
    source_line: c.Count = c.source_line()
    speaks_from: str = c.month("First claim month of which it says something new; NULL: it repeats the one before.")

    class Config:
        unique = ["source_file", "source_line"]
        metadata = {
            "rules": {
                # A feed takes a record back by ending it before it starts, so this is not an error in itself.
                "eligibility_dates_are_ordered": rule(
                    "effective_date <= term_date", severity="warn", about=["effective_date", "term_date"]
                ),
                "birth_is_before_death": rule(
                    "birth_date <= death_date", severity="warn", about=["birth_date", "death_date"]
                ),
            }
        }


@table(
    MemberEligibility,
    partitioned=False,
    keeps_rows_of=["landing_member_eligibility"],
    domain="members",
    span=("speaks_from", None),
    known=Known(since=("received_month", "effective_date")),
)
def member_eligibility(landing_member_eligibility: Whole) -> DataFrame:
    """Types the landed text; what lacks a member or an effective date is quarantined with its text."""
    said = [n for n in compiled(MemberEligibility).columns if n != "speaks_from"]
    return with_speaks_from(with_plain_flags(landing_member_eligibility, FLAGS), said)


def with_plain_flags(landed: DataFrame, names: tuple[str, ...]) -> DataFrame:
    """Write the yes and no of feeds as true and false; other words stay as they are and so can't be read as a flag.

    Engines read different words as a boolean, and none of them knows both Y and ON.
    """

    def plain(name: str):
        word = F.upper(F.trim(F.col(name)))
        return F.when(word.isin(*YES), F.lit("true")).when(word.isin(*NO), F.lit("false")).otherwise(F.col(name))

    return landed.withColumns({name: plain(name) for name in names})
