"""What members are, in one vocabulary: gender, race, ethnicity, ZIP, age; shared by `members` and `member_months`.

The words that feeds use are lines of `sources/code_sets/demographic_labels.csv`. They are compared whole, never
searched for: "NOT HISPANIC" contains "HISPANIC", and a Native Hawaiian is no Native American.
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from claims_assets.silver.codes import normal_id
from claims_assets.sources.code_sets import demographic_labels

GENDERS = ("M", "F", "U")
RACES = (
    "White",
    "Black",
    "Asian",
    "Hispanic",
    "Native American",
    "Pacific Islander",
    "Two or More Races",
    "Unknown",
)
ETHNICITIES = ("Hispanic", "Not Hispanic", "Unknown")
AGE_GROUPS = ("0-17", "18-44", "45-64", "65+")
OLDEST = {"0-17": 17, "18-44": 44, "45-64": 64}
"""Age group -> its oldest age in completed years; the last group has none."""
TEXTS = ("county", "language", "eligibility_category", "aid_category", "household_id")
"""Attributes kept as written, without the spaces around them."""
ATTRIBUTES = (
    "birth_date",
    "gender",
    "race",
    "ethnicity",
    "zip_code",
    *TEXTS,
    "dual_eligible",
    "ltss_indicator",
    "smoker",
    "bmi",
)
"""What is known of a member apart from enrolment and death."""


def with_common_words(records: DataFrame) -> DataFrame:
    """Eligibility records with their attributes in our vocabulary; a word that no line lists is Unknown (gender U)."""
    return records.withColumns(
        {
            "gender": _grouped("gender", GENDERS, "U"),
            "race": _grouped("race", RACES, "Unknown"),
            "ethnicity": _grouped("ethnicity", ETHNICITIES, "Unknown"),
            "zip_code": zip5(F.col("zip_code")),
        }
        | {name: normal_id(F.col(name)) for name in TEXTS}
    )


def zip5(column: Column) -> Column:
    """The five digits of a ZIP or ZIP+4; NULL when it is neither.

    Three and four digits are a ZIP that lost its leading zeros on the way (Puerto Rico, New England).
    """
    digits = F.regexp_replace(F.trim(column), r"[\s-]", "")
    return (
        F.when(digits.rlike(r"^[0-9]{5}([0-9]{4})?$"), F.substring(digits, 1, 5))
        .when(digits.rlike(r"^[0-9]{3,4}$"), F.lpad(digits, 5, "0"))
        .otherwise(F.lit(None).cast("string"))
    )


def age_on(birth: Column, day: Column) -> Column:
    """Completed years on a day, 0 before birth; who is born on 29 February turns older on 1 March of other years."""
    had_no_birthday = _day_of_year(day) < _day_of_year(birth)
    years = F.year(day) - F.year(birth) - F.when(had_no_birthday, 1).otherwise(0)
    return F.when(years < 0, 0).otherwise(years).cast("int")


def age_group(age: Column) -> Column:
    """One of AGE_GROUPS; NULL for an unknown age."""
    groups = F.when(age.isNull(), F.lit(None).cast("string"))
    for group, oldest in OLDEST.items():
        groups = groups.when(age <= oldest, F.lit(group))
    return groups.otherwise(F.lit(AGE_GROUPS[-1]))


def _day_of_year(day: Column) -> Column:
    """Month and day as one number that orders like the calendar of any year."""
    return F.month(day) * 100 + F.dayofmonth(day)


def _grouped(name: str, groups: tuple[str, ...], unknown: str) -> Column:
    label = F.trim(F.regexp_replace(F.upper(F.col(name)), "[^A-Z0-9]+", " "))
    labels = demographic_labels(name)
    found = F.lit(None).cast("string")
    for group in groups:
        found = F.when(label.isin([word for word, g in labels.items() if g == group]), F.lit(group)).otherwise(found)
    return F.coalesce(found, F.lit(unknown))
