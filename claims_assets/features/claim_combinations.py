"""What can't be true of one claim: age, sex, place, life and units that exclude each other.

Here: the conditions, each a named column over a claim with its member. Elsewhere: the table that counts them
(`claim_fraud_features.py`). Each is a reason to look, and no proof: typing errors look the same.
"""

from pyspark.sql import Column
from pyspark.sql import functions as F

FEMALE_ONLY = "^O"
"""Pregnancy and childbirth; ICD-10-CM chapter 15, sex edit of the Medicare Code Editor (CMS)."""
MALE_ONLY = "^(C61|N4[0-2]|Z125)"
"""Prostate; same edit."""
MATERNITY_AGES = (9, 64)
"""Completed years, both included; age edit of the Medicare Code Editor, maternity."""
LIVEBORN = "^Z38"
"""A birth's own record; newborn edit of the Medicare Code Editor (age 0)."""
CHILD_CHECK_UP, ADULT_CHECK_UP = "^993(8[1-4]|9[1-4])$", "^993(8[5-7]|9[5-7])$"
"""Preventive visits up to 17 years, and from 18 on; CPT."""
CHILD_UNTIL, ADULT_FROM = 20, 18
"""Completed years. Medicaid gives children's check-ups up to 20 (EPSDT, 42 CFR 440.40(b))."""
VISIT = "^99(20|21|22|23|28|30)[0-9]$"
"""Visits that are counted once a day; CPT evaluation and management."""
QUARTER_HOURS = ("T1019", "S5125", "H2015", "H0004", "97110")
"""Services counted by units of 15 minutes; HCPCS and CPT."""
QUARTER_HOURS_A_DAY = 96
VISIT_PLACES = ("11", "12")
"""Office and home: nobody is there in the middle of a hospital stay. CMS place of service codes."""


def impossible_combinations() -> Column:
    """Names of what excludes itself; empty for most claims. What is not known excludes nothing.

    Reads diagnosis_code, procedure_code, patient_age, patient_gender, service_from_date, birth_date, death_date,
    `visit_units_per_day`, `quarter_hours_per_day` and `during_stay`.
    """
    diagnosis, procedure, age = F.col("diagnosis_code"), F.col("procedure_code"), F.col("patient_age")
    found = {
        "sex_and_diagnosis": (diagnosis.rlike(FEMALE_ONLY) & (F.col("patient_gender") == "M"))
        | (diagnosis.rlike(MALE_ONLY) & (F.col("patient_gender") == "F")),
        "age_and_diagnosis": (diagnosis.rlike(FEMALE_ONLY) & ~age.between(*MATERNITY_AGES))
        | (diagnosis.rlike(LIVEBORN) & (age > 0)),
        "age_and_procedure": (procedure.rlike(CHILD_CHECK_UP) & (age > CHILD_UNTIL))
        | (procedure.rlike(ADULT_CHECK_UP) & (age < ADULT_FROM)),
        "during_hospital_stay": F.col("during_stay"),
        "more_units_than_a_day": (F.col("visit_units_per_day") > 1)
        | (F.col("quarter_hours_per_day") > QUARTER_HOURS_A_DAY),
        "outside_of_life": (F.col("service_from_date") < F.col("birth_date"))
        | (F.col("service_from_date") > F.col("death_date")),
    }
    return F.array_compact(F.array(*[F.when(is_so, F.lit(name)) for name, is_so in found.items()]))
