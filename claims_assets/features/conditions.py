"""Chronic conditions of the risk scores: the diagnosis codes that stand for them, and how many a member has.

Elsewhere: how much evidence is asked for (`evidence.py`), the comorbidities of published indices (`comorbidities.py`).
"""

from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from claims_assets.features.evidence import present


@dataclass(frozen=True)
class Condition:
    """Beginnings of the codes that name one condition."""

    name: str
    icd_10_cm: tuple[str, ...]
    icd_9_cm: tuple[str, ...]
    source: str
    is_chronic_condition: bool = True
    """Counts in `chronic_condition_count`."""

    @property
    def column(self) -> str:
        return f"has_{self.name}"


def _codes(first: int, last: int) -> tuple[str, ...]:
    """Three-digit ICD-9-CM categories, both ends included."""
    return tuple(f"{n:03d}" for n in range(first, last + 1))


CONDITIONS = (
    Condition(
        "diabetes",
        ("E08", "E09", "E10", "E11", "E13"),
        ("249", "250"),
        "ICD-10-CM block E08-E13 (E12 is unused), ICD-9-CM 249-250: diabetes mellitus of any type.",
    ),
    Condition(
        "hypertension",
        ("I10", "I11", "I12", "I13", "I15", "I16"),
        _codes(401, 405),
        "ICD-10-CM block I10-I16, ICD-9-CM 401-405: hypertensive diseases.",
    ),
    Condition(
        "copd_asthma",
        ("J41", "J42", "J43", "J44", "J45", "J47"),
        ("491", "492", "493", "494", "496"),
        "AHRQ PQI 05 (COPD or asthma in older adults): chronic bronchitis, emphysema, COPD, asthma, bronchiectasis.",
    ),
    Condition(
        "heart_failure",
        ("I0981", "I110", "I130", "I132", "I50"),
        ("39891", "402?1", "404?1", "404?3", "428"),
        "AHRQ PQI 08 (heart failure): also hypertensive and rheumatic heart disease with heart failure.",
    ),
    Condition(
        "ckd",
        ("N18", "I12", "I13"),
        ("585", "403", "404"),
        "ICD-10-CM N18, ICD-9-CM 585, and hypertensive kidney disease, presumed to be chronic (guideline I.C.9.a).",
    ),
    Condition(
        "mental_health",
        ("F2", "F3", "F4", "F5", "F6", "F84", "F9"),
        (*_codes(295, 302), *_codes(306, 309), *_codes(311, 314)),
        "ICD-10-CM F20-F69, F84, F90-F99, ICD-9-CM 295-302, 306-309, 311-314: not organic disorders, dementia,"
        " substance use or intellectual disability.",
    ),
    Condition(
        "obesity",
        ("E660", "E661", "E662", "E668", "E669", "Z683", "Z684", "Z6854", "Z6855", "Z6856"),
        ("27800", "27801", "27803", "V853", "V854", "V8554"),
        "ICD-10-CM E66 without E66.3 (overweight), BMI of 30 and more (Z68.3, Z68.4), children"
        " from the 95th percentile.",
    ),
    Condition(
        "cancer",
        (*(f"C{n}" for n in "012356789"), *(f"C4{n}" for n in "01356789A")),
        (*_codes(140, 172), *_codes(174, 208), "2090", "2091", "2092", "2093", "2097"),
        "ICD-10-CM C00-C96, ICD-9-CM 140-209, without non-melanoma skin cancer (C44, 173), as in Quan et al. 2005.",
    ),
    Condition(
        "substance_use",
        ("F10", "F11", "F12", "F13", "F14", "F15", "F16", "F17", "F18", "F19"),
        ("291", "292", "303", "304", "305"),
        "ICD-10-CM block F10-F19, tobacco included, ICD-9-CM 291-292 and 303-305.",
        is_chronic_condition=False,
    ),
)


def chronic_conditions(counted: DataFrame) -> DataFrame:
    """`has_*` and `chronic_condition_count` per member_id and `as_of`, for members with any of their codes.

    One definition for features and outcomes: `counted` says what is known (`as_of.counting`).
    """
    return present(counted, CONDITIONS).withColumn("chronic_condition_count", number_of_chronic_conditions())


def number_of_chronic_conditions() -> Column:
    """How many of the eight the row's `has_*` columns hold."""
    chronic = [F.col(c.column).cast("bigint") for c in CONDITIONS if c.is_chronic_condition]
    return sum(chronic, F.lit(0).cast("bigint"))
